"""What all scores are computed from: sums over the rows of each spatial block.

Every score here is a function of sums over rows. The sums of a resample of blocks are those of its blocks together, so
that a bootstrap over blocks is one product of matrices, whatever the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from landloom.labels.confusion import confusion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.training.evaluation.predictions import Predictions

BINS: Final = 15
"""Bins of the confidence in reliability and calibration error; they divide those by which pixels are grouped."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """Sums over rows; all arrays have the same leading axes: none, blocks or resamples."""

    table: NDArray[np.float64]
    """(…, class, class) weight by true and predicted class."""
    confident: NDArray[np.float64]
    """(…, bin) weight by confidence."""
    confidence: NDArray[np.float64]
    """(…, bin) weight × confidence."""
    right: NDArray[np.float64]
    """(…, bin) weight of the rows that are right."""
    squares: NDArray[np.float64]
    """(…,) weight × squared error of all probabilities, summed over classes."""
    misplaced: NDArray[np.float64] | None
    """(…,) weight × half the sum of |predicted − true fraction| over classes, if there are true fractions."""

    @classmethod
    def by_block(cls, predictions: Predictions, blocks: Sequence[int] | None = None) -> Self:
        """Sums of each block.

        Args:
            predictions: the rows.
            blocks: numbers of the blocks, in the order of the leading axis; by default those of the rows, ascending.
        """
        names = np.unique(predictions.block) if blocks is None else np.asarray(blocks, np.int64)
        order = np.argsort(names)
        own = order[np.searchsorted(names, predictions.block, sorter=order)]
        size, count = len(predictions.classes), len(names)
        truth, found, weight = predictions.truth, predictions.predicted, predictions.weight
        chances = predictions.probabilities.astype(np.float64)
        confidence = predictions.confidence
        bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
        keys, hit = own * BINS + bins, truth == found
        hot = np.zeros_like(chances)
        hot[np.arange(len(truth)), truth] = 1
        errors = ((chances - hot) ** 2).sum(axis=1) + predictions.spread
        table = np.zeros((count, size, size))
        if len(truth):
            counted = confusion(truth, found, size, weight, group=own)
            table[: len(counted)] = counted
        apart = None
        if predictions.shares is not None:
            apart = _added(own, weight * np.abs(chances - predictions.shares).sum(axis=1) / 2, count)
        return cls(
            table=table,
            confident=_added(keys, weight, count * BINS).reshape(count, BINS),
            confidence=_added(keys, weight * confidence, count * BINS).reshape(count, BINS),
            right=_added(keys, weight * hit, count * BINS).reshape(count, BINS),
            squares=_added(own, weight * errors, count),
            misplaced=apart,
        )

    def combined(self, times: NDArray[np.float64]) -> Self:
        """Sums over blocks.

        Args:
            times: (…, block) how often each block counts.
        """

        def of(values: NDArray[np.float64]) -> NDArray[np.float64]:
            flat = times @ values.reshape(len(values), -1)
            made: NDArray[np.float64] = flat.reshape((*times.shape[:-1], *values.shape[1:]))
            return made

        return type(self)(
            table=of(self.table),
            confident=of(self.confident),
            confidence=of(self.confidence),
            right=of(self.right),
            squares=of(self.squares),
            misplaced=None if self.misplaced is None else of(self.misplaced),
        )

    @property
    def total(self) -> Self:
        """Sums over all blocks."""
        return self.combined(np.ones(len(self.squares)))


def _added(keys: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """(count,) sum of the values of each key."""
    return np.bincount(keys, values, count).astype(np.float64)
