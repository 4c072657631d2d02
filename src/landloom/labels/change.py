"""Change between two versions of labels: of class fractions, and of maps pixel by pixel.

Fractions say how much of each class there was and is, not where: a class that lost and another that gained are linked
by the least change that explains both, and what was lost is spread over the gains in proportion (the estimate is marked
as such). Maps say what every pixel became.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.model.apportion import MILLION
from landloom.model.taxonomy import LandClass, Taxonomy

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANGE: Final = Taxonomy(
    name="change",
    prefix="change",
    classes=(
        LandClass(code="stable", name="Same class in both versions"),
        LandClass(code="changed", name="Another class than before"),
        LandClass(code="unknown", name="No label in one of the versions"),
    ),
    nodata="unknown",
)
"""Classes of a sample's change fractions; as columns `change_stable`, `change_changed`, `change_unknown`."""
STABLE, CHANGED = 1, 2
"""Values in masks of change; 0 where a version has no label."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelChange:
    """Change of many samples between two versions of their labels."""

    taxonomy: Taxonomy
    """Of both versions."""
    fractions: NDArray[np.int64]
    """(sample, class of `CHANGE`) millionths; each row sums to 1,000,000."""
    transitions: NDArray[np.float64]
    """(sample, class before, class after) shares of the sample's area, in the order of the taxonomy's codes; nothing in
    rows and columns of nodata."""

    def document(self) -> dict[str, Any]:
        """Shares of the corpus as JSON values: the transitions that occur, the largest first."""
        mean = self.transitions.mean(axis=0) if len(self.transitions) else np.zeros(self.transitions.shape[1:])
        codes = self.taxonomy.codes()
        moved = [(float(mean[i, j]), codes[i], codes[j]) for i, j in zip(*np.nonzero(mean), strict=True) if i != j]
        share = self.fractions.mean(axis=0) / MILLION if len(self.fractions) else np.zeros(3)
        return {
            "taxonomy": self.taxonomy.name,
            "exact": False,
            "samples": len(self.fractions),
            "shares": {code: round(float(value), 9) for code, value in zip(CHANGE.codes(), share, strict=True)},
            "stable": {code: round(float(mean[i, i]), 9) for i, code in enumerate(codes) if mean[i, i] > 0},
            "transitions": [
                {"from": before, "to": after, "share": round(value, 9)}
                for value, before, after in sorted(moved, key=lambda one: (-one[0], one[1], one[2]))
            ],
        }


def change_of_fractions(before: NDArray[np.integer], after: NDArray[np.integer], taxonomy: Taxonomy) -> LabelChange:
    """The least change that explains two versions of class fractions.

    Args:
        before: (sample, class) millionths in the order of the taxonomy's codes.
        after: likewise.
        taxonomy: of both.

    Raises:
        InvalidValueError: inconsistent shapes, or rows that do not sum to 1,000,000.

    Example:
        >>> from landloom.model.taxonomy import taxonomy
        >>> clc = taxonomy("clc")
        >>> before, after = np.zeros((2, 1, 45), np.int64)
        >>> before[0, clc.index["311"]] = 1_000_000
        >>> after[0, [clc.index["311"], clc.index["324"]]] = 700_000, 300_000
        >>> found = change_of_fractions(before, after, clc)
        >>> found.fractions.tolist(), float(found.transitions[0, clc.index["311"], clc.index["324"]])
        ([[700000, 300000, 0]], 0.3)
    """
    before, after = np.asarray(before, np.int64), np.asarray(after, np.int64)
    shape = before.shape
    if after.shape != shape or len(shape) != 2 or shape[1] != len(taxonomy.classes):
        raise InvalidValueError(
            f"got fractions of {shape} and {after.shape}, expected (sample, {len(taxonomy.classes)}) twice"
        )
    if (before.sum(axis=1) != MILLION).any() or (after.sum(axis=1) != MILLION).any():
        raise InvalidValueError("got fractions that do not sum to 1,000,000, expected all of them to")
    nothing = taxonomy.index[taxonomy.nodata]
    unknown = np.maximum(before[:, nothing], after[:, nothing])
    kept = np.minimum(before, after)
    kept[:, nothing] = 0
    lost, gained = before - kept, after - kept
    lost[:, nothing], gained[:, nothing] = 0, 0
    stable = kept.sum(axis=1)
    changed = MILLION - stable - unknown
    total = lost.sum(axis=1).astype(np.float64) * gained.sum(axis=1)
    scale = np.where(total > 0, changed / np.where(total > 0, total, 1.0), 0.0) / MILLION
    transitions = lost[:, :, None] * gained[:, None, :] * scale[:, None, None]
    own = np.arange(shape[1])
    transitions[:, own, own] += kept / MILLION
    return LabelChange(
        taxonomy=taxonomy,
        fractions=np.stack([stable, changed, unknown], axis=1),
        transitions=transitions,
    )


def change_mask(before: NDArray[np.integer], after: NDArray[np.integer], nodata: int = 0) -> NDArray[np.uint8]:
    """Where two maps differ: `STABLE`, `CHANGED`, or 0 where one has no label.

    Example:
        >>> change_mask(np.array([[1, 2, 0]]), np.array([[1, 3, 3]])).tolist()
        [[1, 2, 0]]
    """
    if before.shape != after.shape:
        raise InvalidValueError(f"got maps of {before.shape} and {after.shape}, expected the same pixels")
    known = (before != nodata) & (after != nodata)
    return np.where(known, np.where(before == after, STABLE, CHANGED), 0).astype(np.uint8)


def transition_counts(
    before: NDArray[np.integer], after: NDArray[np.integer], codes: NDArray[np.integer]
) -> NDArray[np.int64]:
    """(class before, class after) pixels of two maps, of classes in the order of `codes`; others are left out.

    Example:
        >>> transition_counts(np.array([1, 1, 2, 0]), np.array([1, 2, 2, 2]), np.array([1, 2])).tolist()
        [[1, 1], [0, 1]]
    """
    order = np.argsort(codes)
    ordered = codes[order]
    rows = []
    for one in (before.ravel(), after.ravel()):
        place = np.minimum(np.searchsorted(ordered, one), len(codes) - 1)
        rows.append(np.where(ordered[place] == one, order[place], -1))
    known = (rows[0] >= 0) & (rows[1] >= 0)
    pairs = rows[0][known] * len(codes) + rows[1][known]
    return np.bincount(pairs, minlength=len(codes) ** 2).reshape(len(codes), len(codes)).astype(np.int64)
