"""Smoothing series whose level wanders: exact in both directions, with its variance, at any times.

The level returns to its mean with a decay time (an Ornstein-Uhlenbeck process) or, if that is infinite, wanders freely
(a random walk, which interpolates linearly across gaps). Each interval has its own rate of change, so that an abrupt
change is taken as one and not smoothed away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
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
    ahead = np.empty((events, width), dtype=np.float32)
    wide = np.empty((events, width), dtype=np.float32)
    for n in range(events):
        step = days[n] - days[n - 1] if n > 0 else 0.0
        keep = np.float32(np.exp(-step / decay) if decay > 0.0 else 1.0)
        length = np.float32((1.0 - keep * keep) * decay / 2.0 if decay > 0.0 else step)
        for p in range(width):
            level, uncertain = np.float32(0.0), spread[p]
            if n > 0:
                level = keep * mean[n - 1, p]
                uncertain = keep * keep * variance[n - 1, p] + rate[n, p] * length
            ahead[n, p], wide[n, p] = level, uncertain
            gain = uncertain / (uncertain + noise[n, p])
            mean[n, p] = level + gain * (values[n, p] - level)
            variance[n, p] = uncertain * (np.float32(1.0) - gain)
    for n in range(events - 2, -1, -1):
        step = days[n + 1] - days[n]
        keep = np.float32(np.exp(-step / decay) if decay > 0.0 else 1.0)
        for p in range(width):
            back = keep * variance[n, p] / max(wide[n + 1, p], np.float32(1e-12))
            mean[n, p] += back * (mean[n + 1, p] - ahead[n + 1, p])
            variance[n, p] += back * back * (variance[n + 1, p] - wide[n + 1, p])
