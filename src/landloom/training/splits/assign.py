"""Blocks to splits: by number of samples, and by the classes that they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_SWAPPED: Final = 1_000
"""Blocks up to which pairs of blocks are exchanged, too; the time of an exchange grows with their square."""
CLOSE: Final = 0.001
"""Deviation, as a share of a split, that is small enough."""
_LEAST_GAIN: Final = 1e-12


def assign_blocks(contents: NDArray[np.float64], shares: Sequence[float], seed: int) -> NDArray[np.int64]:
    """Assign every block to a split so that each split gets its share of the samples and of every class.

    Blocks are taken in random order, larger ones first, each for the split that lacks most samples. Then single blocks
    are moved, and pairs exchanged, as long as that brings the contents of the splits nearer to their shares (the sum of
    squared deviations, each relative to the size of its split) and one of them is more than `CLOSE` away.

    Args:
        contents: (block, content) number of samples, then area of each class in samples.
        shares: share of each split, above 0; they sum to 1.
        seed: of the random order.

    Returns:
        (block,) number of its split.

    Example:
        >>> assign_blocks(np.array([[5.0, 5], [5, 0], [5, 5], [5, 0]]), [0.5, 0.5], seed=1).tolist()
        [1, 0, 0, 1]
    """
    wanted = np.asarray(shares, np.float64)
    sizes = contents[:, 0]
    order = np.random.default_rng(seed).permutation(len(contents))
    lacking = wanted * sizes.sum()
    found = np.zeros(len(contents), np.int64)
    for block in order[np.argsort(-sizes[order], kind="stable")].tolist():
        found[block] = int(np.argmax(lacking))
        lacking[found[block]] -= sizes[block]
    swaps = len(contents) <= MOST_SWAPPED
    while _deviation(contents, wanted, found) > CLOSE and (
        _move(contents, wanted, found) or (swaps and _swap(contents, wanted, found))
    ):
        continue
    return found


def _deviation(contents: NDArray[np.float64], wanted: NDArray[np.float64], found: NDArray[np.int64]) -> float:
    size = wanted[:, None] * contents[:, 0].sum()
    return float(np.abs(_excess(contents, wanted, found) / size).max())


def _excess(
    contents: NDArray[np.float64], wanted: NDArray[np.float64], found: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(split, content) what each split has beyond its share."""
    held = np.zeros((len(wanted), contents.shape[1]))
    np.add.at(held, found, contents)
    excess: NDArray[np.float64] = held - wanted[:, None] * contents.sum(axis=0)
    return excess


def _gains(
    contents: NDArray[np.float64], wanted: NDArray[np.float64], found: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(split, block) what taking a block into a split adds to the deviation, and (block,) what leaving its own does."""
    scale = 1 / (wanted * contents[:, 0].sum()) ** 2
    along = _excess(contents, wanted, found) @ contents.T
    own = (contents**2).sum(axis=1)
    blocks = np.arange(len(contents))
    return (2 * along + own) * scale[:, None], (own - 2 * along[found, blocks]) * scale[found]


def _move(contents: NDArray[np.float64], wanted: NDArray[np.float64], found: NDArray[np.int64]) -> bool:
    """Move the block whose move gains most; False if none gains."""
    taken, left = _gains(contents, wanted, found)
    change = taken + left
    change[found, np.arange(len(contents))] = np.inf
    change[:, np.bincount(found, minlength=len(wanted))[found] == 1] = np.inf  # no split is left without a block
    split, block = np.unravel_index(int(np.argmin(change)), change.shape)
    if not change[split, block] < -_LEAST_GAIN:
        return False
    found[block] = split
    return True


def _swap(contents: NDArray[np.float64], wanted: NDArray[np.float64], found: NDArray[np.int64]) -> bool:
    """Exchange the two blocks whose exchange gains most; False if none gains."""
    taken, left = _gains(contents, wanted, found)
    scale = 1 / (wanted * contents[:, 0].sum()) ** 2
    moved = taken[found] + left  # (a, b): what b's move into the split of a changes
    change = moved + moved.T - 2 * (contents @ contents.T) * (scale[found][:, None] + scale[found])
    change[found[:, None] == found] = np.inf
    first, second = np.unravel_index(int(np.argmin(change)), change.shape)
    if not change[first, second] < -_LEAST_GAIN:
        return False
    found[[first, second]] = found[[second, first]]
    return True
