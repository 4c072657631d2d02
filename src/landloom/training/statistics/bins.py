"""Bins of a histogram that are known before any number is seen.

Whole numbers of a range of at most 65,536 get bins of equal width, one for each number if there are at most 4,096.
Other numbers get bins that grow with them, as in DDSketch (Masson, Rim and Lee 2019, VLDB 12): a percentile is within
1 % of the true one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LINEAR: Final = 4096
"""Bins of equal width, at most."""
SHOWN: Final = 64
"""Bins of a published histogram, at most."""
_RATIO: Final = 1.02
"""Of the edges of a growing bin."""
_SMALLEST, _LARGEST = 1e-9, 1e12
_GROWING: Final = math.ceil(math.log(_LARGEST / _SMALLEST) / math.log(_RATIO))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Where numbers are counted.

    Example:
        >>> bins = Bins.of(np.dtype("uint16"))
        >>> bins.count, bins.width, bins.error(10_000)
        (4096, 16.0, '0.0008')
    """

    count: int
    low: float
    """Lower edge of the first bin of equal width."""
    width: float
    """Of bins of equal width; 0 for growing ones, whose middle bin holds 0."""

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> Self:
        """The bins for a type of stored numbers."""
        if dtype.kind in "ui" and dtype.itemsize <= 2:
            low, span = float(np.iinfo(dtype).min), 2 ** (8 * dtype.itemsize)
            width = max(span // LINEAR, 1)
            return cls(count=span // width, low=low, width=float(width))
        return cls(count=2 * _GROWING + 1, low=0.0, width=0.0)

    @property
    def growth(self) -> tuple[float, float]:
        """Logarithm of the smallest number apart from 0, and of the ratio of edges."""
        return math.log(_SMALLEST), math.log(_RATIO)

    def edges(self) -> NDArray[np.float64]:
        """(count + 1,) ascending edges."""
        if self.width:
            return np.asarray(self.low + self.width * np.arange(self.count + 1), np.float64)
        up = np.asarray(_SMALLEST * _RATIO ** np.arange(_GROWING + 1), np.float64)
        return np.concatenate([-up[::-1], up])

    def middles(self) -> NDArray[np.float64]:
        """(count,) the number that stands for each bin."""
        edges = self.edges()
        if self.width:
            return (edges[:-1] + edges[1:] - 1) / 2
        return np.asarray((edges[:-1] + edges[1:]) / 2)

    def error(self, scale: float) -> str:
        """Largest error of a percentile in the unit of a product, whose stored numbers are `scale` × its values."""
        return f"{self.width // 2 / scale:g}" if self.width else "1 %"

    def percentiles(self, counts: NDArray[np.int64], wanted: tuple[int, ...]) -> NDArray[np.float64]:
        """Percentiles by the inverted distribution function, as the middle of their bin."""
        ranks = np.ceil(np.array(wanted) / 100 * counts.sum()).clip(1)
        found: NDArray[np.float64] = self.middles()[np.searchsorted(np.cumsum(counts), ranks)]
        return found

    def shown(self, counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Edges and counts of a histogram of few bins over the range of the numbers; neighbours are joined."""
        there = np.flatnonzero(counts)
        if not len(there):
            return np.empty(0), np.empty(0, np.int64)
        first, last = int(there[0]), int(there[-1]) + 1
        joined = -(-(last - first) // SHOWN)
        starts = np.arange(first, last, joined)
        edges = self.edges()
        return edges[np.append(starts, min(starts[-1] + joined, self.count))], np.add.reduceat(counts[:last], starts)
