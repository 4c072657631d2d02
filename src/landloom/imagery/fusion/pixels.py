"""From series of regions to series of pixels: brightness of a pixel, its lasting differences, and its uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.imagery.fusion.levels import smooth_levels
from landloom.imagery.fusion.regions import MEMBERS
from landloom.kernels import kernel
from landloom.model.sensor import SATURATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAIN_SPREAD: Final = 0.1
"""Standard deviation of pixels' brightness relative to their regions', before anything is observed."""
DECAY: Final = 45.0
"""Days in which a pixel's difference from its regions fades without observations."""
OUTLIER: Final = 3.5
"""Root mean square over bands of an observation's difference, in σ, from which it is an outlier."""
REST: Final = np.float32(0.5)
"""Share of what neither a pixel's regions nor its lasting difference explain that its value differs by, too."""
_USUAL: Final = 12.0
_FEW: Final = 4.0
_LAG: Final = 40.0


@kernel
def fit_gains(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    mean: NDArray[np.float32],
    member: NDArray[np.int32],
    weight: NDArray[np.float32],
    noise: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Brightness of each pixel relative to its regions, drawn to 1 where there are few observations.

    Args:
        stack: (time, band, y, x).
        valid: (time, y, x).
        mean: (time, band, region) series of regions on the same dates, in units of noise.
        member: of `Regions`.
        weight: of `Regions`.
        noise: (band).

    Returns:
        (band, y, x) factors, and their variances.
    """
    times, bands, height, width = stack.shape
    prior = 1.0 / GAIN_SPREAD**2
    gain = np.empty((bands, height, width), dtype=np.float32)
    variance = np.empty((bands, height, width), dtype=np.float32)
    cross, square = np.empty((bands, width)), np.empty((bands, width))
    for y in range(height):
        cross[:], square[:] = prior, prior
        for t in range(times):
            for x in range(width):
                if valid[t, y, x]:
                    for b in range(bands):
                        m = 0.0
                        for k in range(MEMBERS):
                            m += weight[k, y, x] * mean[t, b, member[k, y, x]]
                        cross[b, x] += m * stack[t, b, y, x] / noise[b]
                        square[b, x] += m * m
        for b in range(bands):
            for x in range(width):
                gain[b, y, x] = cross[b, x] / square[b, x]
                variance[b, y, x] = 1.0 / square[b, x]
    return gain, variance


@kernel
def find_outliers(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    mean: NDArray[np.float32],
    variance: NDArray[np.float32],
    member: NDArray[np.int32],
    weight: NDArray[np.float32],
    gain: NDArray[np.float32],
    noise: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Observations that differ from the series of their pixel far beyond noise and its uncertainty.

    Args:
        stack: (time, band, y, x).
        valid: (time, y, x).
        mean: (time, band, region) in units of noise.
        variance: (time, band, region).
        member: of `Regions`.
        weight: of `Regions`.
        gain: (band, y, x).
        noise: (band).

    Returns:
        (time, y, x).
    """
    times, bands, height, width = stack.shape
    found = np.zeros((times, height, width), dtype=np.bool_)
    for t in range(times):
        for y in range(height):
            for x in range(width):
                if valid[t, y, x]:
                    # Uncertainty only lowers the score: it is looked up for the few that stand out without it.
                    score = 0.0
                    for b in range(bands):
                        m = 0.0
                        for k in range(MEMBERS):
                            m += weight[k, y, x] * mean[t, b, member[k, y, x]]
                        miss = stack[t, b, y, x] / noise[b] - gain[b, y, x] * m
                        # What a pixel differs by in proportion is its own course, not a cloud.
                        score += miss * miss / (1.0 + (0.1 * m) ** 2)
                    if score <= bands * OUTLIER**2:
                        continue
                    score = 0.0
                    for b in range(bands):
                        m, v = 0.0, 1.0
                        for k in range(MEMBERS):
                            m += weight[k, y, x] * mean[t, b, member[k, y, x]]
                            v += weight[k, y, x] * variance[t, b, member[k, y, x]]
                        miss = stack[t, b, y, x] / noise[b] - gain[b, y, x] * m
                        score += miss * miss / (v + (0.1 * m) ** 2)
                    found[t, y, x] = score > bands * OUTLIER**2
    return found


@kernel
def pixel_series(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: NDArray[np.float64],
    at_dates: NDArray[np.float32],
    known: NDArray[np.bool_],
    targets: NDArray[np.float64],
    at_targets: NDArray[np.float32],
    variance: NDArray[np.float32],
    member: NDArray[np.int32],
    weight: NDArray[np.float32],
    gain: NDArray[np.float32],
    gain_variance: NDArray[np.float32],
    noise: NDArray[np.float32],
    limits: tuple[float, float],
    series: NDArray[np.uint16],
    sigma: NDArray[np.uint16],
) -> int:
    """Series of pixels: those of their regions times their brightness, drawn to their own observations.

    Args:
        stack: (time, band, y, x).
        valid: (time, y, x).
        days: (time) ascending.
        at_dates: (time, band, region) series of regions, in units of noise.
        known: (y, x) pixels to make; the others are left as they are.
        targets: (target) ascending.
        at_targets: (target, band, region).
        variance: (target, band, region).
        member: of `Regions`.
        weight: of `Regions`.
        gain: (band, y, x).
        gain_variance: (band, y, x).
        noise: (band).
        limits: smallest and largest value of the series, in stored numbers, at least 1.
        series: (target, band, y, x) result, in stored numbers.
        sigma: (target, band, y, x) result, likewise, at least 1.

    Returns:
        Number of values that were outside of the limits.
    """
    times, bands, height, width = stack.shape
    count = targets.size
    every = np.concatenate((days, targets))
    order = np.argsort(every, kind="mergesort")
    ordered = every[order]
    place = np.empty(every.size, dtype=np.int64)
    for k in range(every.size):
        place[order[k]] = k
    shape = (every.size, width)
    miss = np.zeros((bands, times, width), dtype=np.float32)
    values, seen = np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32)
    mean, wide = np.empty(shape, np.float32), np.empty(shape, np.float32)
    rate, own, rest = np.empty(shape, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    clipped = 0
    for y in range(height):
        _misses(stack[:, :, y], valid[:, y], at_dates, member[:, y], weight[:, y], gain[:, y], noise, miss)
        _lasting(miss, valid[:, y], days, own, rest)
        rate[:] = np.float32(2.0 / DECAY) * own
        for t in range(times):
            for c in range(width):
                seen[place[t], c] = np.float32(1.0) + rest[c] if valid[t, y, c] else np.float32(np.inf)
        for b in range(bands):
            for t in range(times):
                values[place[t]] = miss[b, t]
            smooth_levels(values, seen, ordered, rate, DECAY, own, mean, wide)
            for n in range(count):
                for x in np.flatnonzero(known[y]):
                    m, v = np.float32(0.0), np.float32(0.0)
                    for k in range(MEMBERS):
                        w = weight[k, y, x]
                        if w > 0:
                            m += w * at_targets[n, b, member[k, y, x]]
                            v += w * variance[n, b, member[k, y, x]]
                    g = gain[b, y, x]
                    level = noise[b] * (g * m + mean[place[times + n], x])
                    v = g * g * v + m * m * gain_variance[b, y, x] + wide[place[times + n], x] + REST * rest[x]
                    clipped += level < limits[0] - 0.5 or level > limits[1]
                    series[n, b, y, x] = np.uint16(min(max(level + 0.5, limits[0]), limits[1]))
                    sigma[n, b, y, x] = np.uint16(min(max(noise[b] * np.sqrt(v) + 0.5, 1.0), SATURATED - 1.0))
    return clipped


@kernel
def _misses(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    at_dates: NDArray[np.float32],
    member: NDArray[np.int32],
    weight: NDArray[np.float32],
    gain: NDArray[np.float32],
    noise: NDArray[np.float32],
    miss: NDArray[np.float32],
) -> None:
    """Differences (band, time, pixel) of a row's observations from its regions' series, in units of noise."""
    bands, times, width = miss.shape
    for b in range(bands):
        for t in range(times):
            for x in range(width):
                m = np.float32(0.0)
                if valid[t, x]:
                    for k in range(MEMBERS):
                        m += weight[k, x] * at_dates[t, b, member[k, x]]
                    m = np.float32(stack[t, b, x]) / noise[b] - gain[b, x] * m
                miss[b, t, x] = m


@kernel
def _lasting(
    miss: NDArray[np.float32],
    valid: NDArray[np.bool_],
    days: NDArray[np.float64],
    own: NDArray[np.float32],
    rest: NDArray[np.float32],
) -> None:
    """Variance of each pixel's lasting difference, which consecutive observations have in common, and of the rest.

    The rest is what exceeds both that and noise, as where a pixel shows two fields in shares that change with each
    scene's displacement.
    """
    bands, times, width = miss.shape
    for x in range(width):
        total, count, last, square, number = 0.0, 0.0, -1, 0.0, 0.0
        for t in range(times):
            if not valid[t, x]:
                continue
            number += 1.0
            for b in range(bands):
                square += miss[b, t, x] * miss[b, t, x] / bands
            if last >= 0 and days[t] - days[last] <= _LAG:
                count += 1.0
                for b in range(bands):
                    total += miss[b, t, x] * miss[b, last, x] / bands
            last = t
        own[x] = np.float32(max(total / (count + _USUAL), 1e-4))
        rest[x] = np.float32(max((square - number * (1.0 + own[x])) / (number + _FEW), 0.0))
