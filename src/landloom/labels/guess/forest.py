"""A trained random forest, packed for fast prediction of integer pixels, bit-identical to scikit-learn's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK: Final = 2048
"""Pixels whose features stay in the processor's cache while all trees are evaluated on them."""
LANES: Final = 8
"""Pixels that descend a tree side by side, so that memory latency of one overlaps work on others."""
_HIGHEST: Final = 65_535
_CHILD, _FEATURE = np.uint64(32), np.uint64(16)
_LOW: Final = np.uint64(0xFFFF)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedForest:
    """The trees of a forest, one after the other."""

    nodes: NDArray[np.uint64]
    """First child (the second follows it) << 32 | feature << 16 | threshold. Leaves are their own first child and have
    the highest threshold, which no number exceeds."""
    roots: NDArray[np.int64]
    """(tree,) index of its root."""
    values: NDArray[np.float64]
    """(node, class) shares of the classes in a leaf."""
    features: int
    """Number of features of a pixel."""

    @classmethod
    def of(cls, model: Any) -> Self:
        """Pack a trained forest of decision trees from scikit-learn or imbalanced-learn.

        Raises:
            InvalidInputError: it is not one, has several outputs, or has trees without all classes.
        """
        trees: list[Any] = [getattr(tree, "tree_", None) for tree in getattr(model, "estimators_", ())]
        classes = len(getattr(model, "classes_", ()))
        if not trees or any(t is None or t.value.shape[1:] != (1, classes) for t in trees):
            raise InvalidInputError(f"got {type(model).__name__}, expected a forest of trees with all its classes")
        parts, values, roots, start = [], [], [], 0
        for tree in trees:
            nodes, order = _packed(tree, start)
            parts.append(nodes)
            values.append(tree.value[order, 0])
            roots.append(start)
            start += len(nodes)
        return cls(
            nodes=np.concatenate(parts),
            roots=np.array(roots, dtype=np.int64),
            values=np.ascontiguousarray(np.concatenate(values), dtype=np.float64),
            features=int(model.n_features_in_),
        )

    def predict_proba(self, pixels: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Class probabilities, bit-identical to the model's `predict_proba` in one thread.

        Args:
            pixels: (feature, pixel), the memory layout of a series.

        Returns:
            (pixel, class), in the order of the model's classes.

        Example:
            >>> from sklearn.ensemble import RandomForestClassifier
            >>> rng = np.random.default_rng(1)
            >>> pixels = rng.integers(0, 9_000, (500, 4), dtype=np.uint16)
            >>> model = RandomForestClassifier(9, random_state=1).fit(pixels, pixels[:, 0] // 4_000)
            >>> ours = PackedForest.of(model).predict_proba(np.ascontiguousarray(pixels.T))
            >>> bool((ours == model.predict_proba(pixels)).all())
            True
        """
        if pixels.dtype != np.uint16 or pixels.ndim != 2 or pixels.shape[0] != self.features:
            raise InvalidValueError(
                f"got pixels {pixels.dtype} {pixels.shape}, expected uint16 ({self.features}, pixel)"
            )
        sums = np.zeros((pixels.shape[1], self.values.shape[1]), dtype=np.float64)
        _run(pixels, self.nodes, self.roots, self.values, sums)
        sums /= len(self.roots)
        return sums


def _packed(tree: Any, start: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Nodes of a tree breadth first, children side by side; and the index of each in the tree."""
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    order = [0]
    first: list[int] = []
    for node in order:
        first.append(len(first) if left[node] < 0 else len(order))
        if left[node] >= 0:
            order += [left[node], right[node]]
    places = np.array(order, dtype=np.int64)
    leaf = tree.children_left[places] < 0
    # For whole x, x <= t is equivalent to x <= floor(t).
    thresholds = np.where(leaf, _HIGHEST, np.clip(np.floor(tree.threshold[places]), 0, _HIGHEST)).astype(np.uint64)
    features = np.where(leaf, 0, tree.feature[places]).astype(np.uint64)
    children = (np.array(first, dtype=np.int64) + start).astype(np.uint64)
    return children << _CHILD | features << _FEATURE | thresholds, places


@kernel
def _run(
    pixels: NDArray[np.uint16],
    nodes: NDArray[np.uint64],
    roots: NDArray[np.int64],
    values: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    features, count = pixels.shape
    classes = values.shape[1]
    block = np.empty((BLOCK, features), dtype=np.uint16)
    at = np.empty(LANES, dtype=np.uint64)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        for feature in range(features):
            for p in range(size):
                block[p, feature] = pixels[feature, start + p]
        for tree in range(roots.size):
            for first in range(0, size, LANES):
                lanes = min(LANES, size - first)
                at[:] = np.uint64(roots[tree])
                moving = True
                while moving:
                    moving = False
                    for lane in range(LANES):
                        node = nodes[at[lane]]
                        value = block[min(first + lane, size - 1), np.int64((node >> _FEATURE) & _LOW)]
                        following = (node >> _CHILD) + np.uint64(value > np.uint16(node & _LOW))
                        moving |= following != at[lane]
                        at[lane] = following
                for lane in range(lanes):
                    for k in range(classes):
                        sums[start + first + lane, k] += values[at[lane], k]
