"""Smoothing series whose level wanders: exact in both directions, with its variance, at any times.

The level returns to its mean with a decay time (an Ornstein-Uhlenbeck process) or, if that is infinite, wanders freely
(a random walk, which interpolates linearly across gaps). Each interval has its own rate of change, so that an abrupt
change is taken as one and not smoothed away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Row = NDArray[np.float32]


WIDE: Final = 240
"""Series smoothed at a time: rows so long run in vectors, and stay in the processor's cache over hundreds of events."""


@kernel(error_model="numpy")
def smooth_levels(
    values: NDArray[np.float32],
    noise: NDArray[np.float32],
    days: NDArray[np.float64],
    rate: NDArray[np.float32],
    decay: float,
    spread: NDArray[np.float32],
    mean: NDArray[np.float32],
    variance: NDArray[np.float32],
) -> None:
    """Means and variances of series given all of their observations.

    Args:
        values: (event, series) observations.
        noise: (event, series) variance of each; infinite where there is no observation.
        days: (event) ascending.
        rate: (event, series) growth of variance per day in the interval before each event; for a decaying level the
            rate near its mean.
        decay: days in which the level loses 63 % of its distance from 0; 0 = it wanders freely.
        spread: (series) variance before the first observation.
        mean: (event, series) result.
        variance: (event, series) result.
    """
    events, width = values.shape
    keep, length = np.ones(events, np.float32), np.zeros(events, np.float32)
    for n in range(1, events):
        step = days[n] - days[n - 1]
        kept = np.float32(np.exp(-step / decay) if decay > 0.0 else 1.0)
        keep[n] = kept
        length[n] = np.float32((1.0 - kept * kept) * decay / 2.0 if decay > 0.0 else step)
    nothing = np.zeros(width, np.float32)
    _forward(values[0], noise[0], rate[0], keep[0], length[0], nothing, spread, mean[0], variance[0])
    for n in range(1, events):
        _forward(values[n], noise[n], rate[n], keep[n], length[n], mean[n - 1], variance[n - 1], mean[n], variance[n])
    for n in range(events - 2, -1, -1):
        _backward(mean[n], variance[n], rate[n + 1], keep[n + 1], length[n + 1], mean[n + 1], variance[n + 1])


# The steps are functions of contiguous rows because only then can the compiler vectorise them.


@kernel(error_model="numpy")
def _forward(
    values: Row,
    noise: Row,
    rate: Row,
    keep: np.float32,
    length: np.float32,
    before: Row,
    sure: Row,
    mean: Row,
    variance: Row,
) -> None:
    """An event given those before it, whose mean and variance are `before` and `sure`."""
    for p in range(values.size):
        level = keep * before[p]
        uncertain = keep * keep * sure[p] + rate[p] * length
        gain = uncertain / (uncertain + noise[p])
        mean[p] = level + gain * (values[p] - level)
        variance[p] = uncertain * (np.float32(1.0) - gain)


@kernel(error_model="numpy")
def _backward(mean: Row, variance: Row, rate: Row, keep: np.float32, length: np.float32, after: Row, sure: Row) -> None:
    """An event given those after it, too, whose mean and variance are `after` and `sure`."""
    for p in range(mean.size):
        ahead = keep * mean[p]
        wide = keep * keep * variance[p] + rate[p] * length
        back = keep * variance[p] / max(wide, np.float32(1e-12))
        mean[p] += back * (after[p] - ahead)
        variance[p] += back * back * (sure[p] - wide)
