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
HALF: Final = np.float32(0.5)
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
        mean: (time, region, band) series of regions on the same dates, in units of noise.
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
    cross, square = np.empty((width, bands)), np.empty((width, bands))
    for y in range(height):
        cross[:], square[:] = prior, prior
        for t in range(times):
            for x in range(width):
                if valid[t, y, x]:
                    i, j, k, n = member[0, y, x], member[1, y, x], member[2, y, x], member[3, y, x]
                    p, q, r, s = weight[0, y, x], weight[1, y, x], weight[2, y, x], weight[3, y, x]
                    for b in range(bands):
                        m = p * mean[t, i, b] + q * mean[t, j, b] + r * mean[t, k, b] + s * mean[t, n, b]
                        cross[x, b] += m * (stack[t, b, y, x] / noise[b])
                        square[x, b] += m * m
        for b in range(bands):
            for x in range(width):
                gain[b, y, x] = cross[x, b] / square[x, b]
                variance[b, y, x] = 1.0 / square[x, b]
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
        mean: (time, region, band) in units of noise.
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
    limit, tenth, one = np.float32(bands * OUTLIER**2), np.float32(0.1), np.float32(1.0)
    for t in range(times):
        for y in range(height):
            for x in range(width):
                if valid[t, y, x]:
                    i, j, k, n = member[0, y, x], member[1, y, x], member[2, y, x], member[3, y, x]
                    p, q, r, s = weight[0, y, x], weight[1, y, x], weight[2, y, x], weight[3, y, x]
                    # Uncertainty only lowers the score: it is looked up for the few that stand out without it.
                    score = np.float32(0.0)
                    for b in range(bands):
                        m = p * mean[t, i, b] + q * mean[t, j, b] + r * mean[t, k, b] + s * mean[t, n, b]
                        miss = np.float32(stack[t, b, y, x]) / noise[b] - gain[b, y, x] * m
                        # What a pixel differs by in proportion is its own course, not a cloud.
                        score += miss * miss / (one + (tenth * m) * (tenth * m))
                    if score <= limit:
                        continue
                    score = np.float32(0.0)
                    for b in range(bands):
                        m = p * mean[t, i, b] + q * mean[t, j, b] + r * mean[t, k, b] + s * mean[t, n, b]
                        v = (
                            p * variance[t, b, i]
                            + q * variance[t, b, j]
                            + r * variance[t, b, k]
                            + s * variance[t, b, n]
                        )
                        miss = np.float32(stack[t, b, y, x]) / noise[b] - gain[b, y, x] * m
                        score += miss * miss / (one + v + (tenth * m) * (tenth * m))
                    found[t, y, x] = score > limit
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
        at_dates: (time, region, band) series of regions, in units of noise.
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
    rate, lasting, rest = np.empty(shape, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    bounds = np.float32(limits[0]), np.float32(limits[1])
    near, share = np.empty((MEMBERS, width), np.int32), np.empty((MEMBERS, width), np.float32)
    of_regions = at_targets, variance, near, share
    clipped = 0
    for y in range(height):
        near[:], share[:] = member[:, y], weight[:, y]
        _misses(stack[:, :, y], valid[:, y], at_dates, near, share, gain[:, y], noise, miss)
        _lasting(miss, valid[:, y], days, lasting, rest)
        rate[:] = np.float32(2.0 / DECAY) * lasting
        for t in range(times):
            for c in range(width):
                seen[place[t], c] = np.float32(1.0) + rest[c] if valid[t, y, c] else np.float32(np.inf)
        for b in range(bands):
            for t in range(times):
                values[place[t]] = miss[b, t]
            smooth_levels(values, seen, ordered, rate, DECAY, lasting, mean, wide)
            of_regions, of_pixel = (
                (at_targets, variance, near, share),
                (gain[b, y], gain_variance[b, y], rest, known[y]),
            )
            clipped += _written(b, y, of_regions, of_pixel, mean, wide, place[times:], noise[b], bounds, series, sigma)
    return clipped


@kernel
def _written(
    b: int,
    y: int,
    of_regions: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]],
    of_pixel: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]],
    mean: NDArray[np.float32],
    wide: NDArray[np.float32],
    place: NDArray[np.int64],
    noise: np.float32,
    limits: tuple[np.float32, np.float32],
    series: NDArray[np.uint16],
    sigma: NDArray[np.uint16],
) -> int:
    """Write a band of a row; returns the number of values outside of the limits.

    Args:
        b: band.
        y: row.
        of_regions: their series, variances, and which of them each pixel belongs to, with its weights.
        of_pixel: its brightness, the variance of that, the rest, and whether it is known.
        mean: (event, x) lasting differences.
        wide: (event, x) their variances.
        place: (target) event of each.
        noise: of the band.
        limits: as of `pixel_series`.
        series: as of `pixel_series`.
        sigma: as of `pixel_series`.
    """
    at_targets, variance, near, share = of_regions
    gain, gain_variance, rest, known = of_pixel
    (low, high), clipped, most = limits, 0, np.float32(SATURATED - 1)
    for n in range(place.size):
        event, level_of, variance_of = place[n], at_targets[n, b], variance[n, b]
        for x in range(known.size):
            i, j, k, r = near[0, x], near[1, x], near[2, x], near[3, x]
            s, u, v, w = share[0, x], share[1, x], share[2, x], share[3, x]
            m = s * level_of[i] + u * level_of[j] + v * level_of[k] + w * level_of[r]
            own = s * variance_of[i] + u * variance_of[j] + v * variance_of[k] + w * variance_of[r]
            level = noise * (gain[x] * m + mean[event, x])
            own = gain[x] * gain[x] * own + m * m * gain_variance[x] + wide[event, x] + REST * rest[x]
            error = noise * np.sqrt(own) + HALF
            if known[x]:
                clipped += level < low - HALF or level > high
                series[n, b, y, x] = np.uint16(min(max(level + HALF, low), high))
                sigma[n, b, y, x] = np.uint16(min(max(error, np.float32(1.0)), most))
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
    miss[:] = np.float32(0.0)
    for t in range(times):
        for x in range(width):
            if valid[t, x]:
                for b in range(bands):
                    m = np.float32(0.0)
                    for k in range(MEMBERS):
                        m += weight[k, x] * at_dates[t, member[k, x], b]
                    miss[b, t, x] = np.float32(stack[t, b, x]) / noise[b] - gain[b, x] * m


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
