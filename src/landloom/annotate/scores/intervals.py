"""Intervals of shares that are measured on tasks: pixels of one task are not independent."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of pixels with its 95 % interval.

    Example:
        >>> one = Share.of([90, 80, 100], [100, 100, 100])
        >>> one.value, one.tasks, round(one.low, 2), round(one.high, 2)
        (0.9, 3, 0.73, 0.97)
    """

    right: int
    """Pixels that count."""
    pixels: int
    """Pixels compared."""
    tasks: int
    """Tasks with such pixels."""
    low: float
    """Lower end; NaN without pixels."""
    high: float
    """Upper end; NaN without pixels."""

    @classmethod
    def of(cls, right: ArrayLike, pixels: ArrayLike) -> Self:
        """A share over tasks, with Wilson's interval for as many independent pixels as the tasks are worth.

        Args:
            right: (task,) pixels that count.
            pixels: (task,) pixels compared; tasks without any are left out.
        """
        part, whole = np.asarray(right, np.int64), np.asarray(pixels, np.int64)
        kept = whole > 0
        part, whole = part[kept], whole[kept]
        total = int(whole.sum())
        value = float(part.sum() / total) if total else float("nan")
        low, high = wilson(value, total / design_effect(part, whole)) if total else (float("nan"), float("nan"))
        return cls(right=int(part.sum()), pixels=total, tasks=len(whole), low=low, high=high)

    @property
    def value(self) -> float:
        """The share; NaN without pixels."""
        return self.right / self.pixels if self.pixels else float("nan")

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        if not self.pixels:
            return {"value": None, "low": None, "high": None, "pixels": 0, "tasks": 0}
        return {"value": self.value, "low": self.low, "high": self.high, "pixels": self.pixels, "tasks": self.tasks}


def design_effect(right: ArrayLike, pixels: ArrayLike) -> float:
    """How many pixels of a task are worth one independent pixel (Kish 1965), at least 1.

    It is the variance of the share between tasks, relative to that of independent pixels. With fewer than two tasks
    every task counts as one pixel; a share of 0 or 1 is as if half a task were otherwise.

    Args:
        right: (task,) pixels that count.
        pixels: (task,) pixels compared, all positive.

    Example:
        >>> round(design_effect([90, 80, 100], [100, 100, 100]), 1)
        11.1
    """
    part, whole = np.asarray(right, np.float64), np.asarray(pixels, np.float64)
    tasks, total = len(whole), float(whole.sum())
    mean_size = total / max(tasks, 1)
    if tasks < 2:
        return max(mean_size, 1.0)
    share = float(part.sum()) / total
    if share in (0.0, 1.0):
        return max(mean_size, 1.0)
    # Variance of the ratio of two sums over tasks, against share (1 - share) / total.
    spread = float(((part - share * whole) ** 2).sum()) * tasks / (tasks - 1) / total**2
    return float(np.clip(spread * total / (share * (1 - share)), 1.0, max(mean_size, 1.0)))


def wilson(share: float, number: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share (Wilson 1927).

    Args:
        share: 0 to 1.
        number: independent observations, which need not be whole.
        level: of the interval.

    Example:
        >>> tuple(round(end, 3) for end in wilson(0.9, 100))
        (0.826, 0.945)
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    middle = share + z * z / (2 * number)
    half = z * sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    scale = 1 + z * z / number
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
