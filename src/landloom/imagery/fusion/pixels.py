"""From series of regions to series of pixels: brightness of a pixel, its lasting differences, and its uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.imagery.fusion.levels import WIDE, smooth_levels
from landloom.imagery.fusion.regions import MEMBERS
from landloom.kernels import kernel
from landloom.model.sensor import SATURATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Row = NDArray[np.float32]

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


@kernel(error_model="numpy")
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
        own, share = member[:, y].astype(np.uint32), weight[:, y].copy()
        cross[:], square[:] = prior, prior
        for t in range(times):
            for x in range(width):
                if valid[t, y, x]:
                    i, j, k, n = own[0, x], own[1, x], own[2, x], own[3, x]
                    p, q, r, s = share[0, x], share[1, x], share[2, x], share[3, x]
                    for b in range(bands):
                        m = p * mean[t, i, b] + q * mean[t, j, b] + r * mean[t, k, b] + s * mean[t, n, b]
                        cross[x, b] += m * (stack[t, b, y, x] / noise[b])
                        square[x, b] += m * m
        for b in range(bands):
            for x in range(width):
                gain[b, y, x] = cross[x, b] / square[x, b]
                variance[b, y, x] = 1.0 / square[x, b]
    return gain, variance


@kernel(error_model="numpy")
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
    for y in range(height):
        own, share = member[:, y].astype(np.uint32), weight[:, y].copy()
        for t in range(times):
            for x in range(width):
                if valid[t, y, x]:
                    i, j, k, n = own[0, x], own[1, x], own[2, x], own[3, x]
                    p, q, r, s = share[0, x], share[1, x], share[2, x], share[3, x]
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


@kernel(error_model="numpy")
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
    pixels = height * width
    flat, every_clear = stack.reshape(times, bands, pixels), valid.reshape(times, pixels)
    every_member, every_weight = member.reshape(MEMBERS, pixels), weight.reshape(MEMBERS, pixels)
    gains, wide_gains, sure = gain.reshape(bands, pixels), gain_variance.reshape(bands, pixels), known.reshape(pixels)
    shape = targets.size, bands, pixels
    made, error = series.reshape(shape), sigma.reshape(shape)
    bounds = np.float32(limits[0]), np.float32(limits[1])
    clipped = 0
    rows = every.size, WIDE
    miss, seen = np.empty((bands, *rows), np.float32), np.empty(rows, np.float32)
    mean, wide, rate = np.empty(rows, np.float32), np.empty(rows, np.float32), np.empty(rows, np.float32)
    lasting, rest = np.empty(WIDE, np.float32), np.empty(WIDE, np.float32)
    near, share = np.zeros((MEMBERS, WIDE), np.uint32), np.zeros((MEMBERS, WIDE), np.float32)
    clear, own = np.zeros((times, WIDE), np.bool_), np.zeros((2, bands, WIDE), np.float32)
    for start in range(0, pixels, WIDE):
        size = min(WIDE, pixels - start)
        some = slice(start, start + size)
        near[:, :size], share[:, :size] = every_member[:, some], every_weight[:, some]
        own[0, :, :size], own[1, :, :size] = gains[:, some], wide_gains[:, some]
        clear[:] = False
        clear[:, :size] = every_clear[:, some]
        miss[:] = np.float32(0.0)
        _misses(flat, start, clear, at_dates, near, share, own[0], noise, place, miss)
        _lasting(miss, clear, days, place, lasting, rest)
        rate[:] = np.float32(2.0 / DECAY) * lasting
        seen[:] = np.float32(np.inf)
        for t in range(times):
            for c in range(size):
                seen[place[t], c] = np.float32(1.0) + rest[c] if clear[t, c] else np.float32(np.inf)
        for b in range(bands):
            smooth_levels(miss[b], seen, ordered, rate, DECAY, lasting, mean, wide)
            of_regions = (at_targets, variance, near, share)
            of_pixel = (own[0, b, :size], own[1, b, :size], rest[:size], sure[some])
            out = made, error
            clipped += _written(b, start, of_regions, of_pixel, mean, wide, place[times:], noise[b], bounds, *out)
    return clipped


@kernel(error_model="numpy")
def _written(
    b: int,
    start: int,
    of_regions: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint32], NDArray[np.float32]],
    of_pixel: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]],
    mean: NDArray[np.float32],
    wide: NDArray[np.float32],
    place: NDArray[np.int64],
    noise: np.float32,
    limits: tuple[np.float32, np.float32],
    series: NDArray[np.uint16],
    sigma: NDArray[np.uint16],
) -> int:
    """Write a band of some pixels; returns the number of values outside of the limits.

    Args:
        b: band.
        start: the first of the pixels.
        of_regions: their series, variances, and which of them each pixel belongs to, with its weights.
        of_pixel: its brightness, the variance of that, the rest, and whether it is known.
        mean: (event, pixel) lasting differences.
        wide: (event, pixel) their variances.
        place: (target) event of each.
        noise: of the band.
        limits: as of `pixel_series`.
        series: (target, band, pixel) result of `pixel_series`.
        sigma: (target, pixel) likewise.
    """
    at_targets, variance, near, share = of_regions
    clipped, size = 0, of_pixel[0].size
    level, own = np.empty(size, np.float32), np.empty(size, np.float32)
    for n in range(place.size):
        _blended(at_targets[n, b], variance[n, b], near, share, level, own)
        event, some = place[n], slice(start, start + size)
        smooth = mean[event, :size], wide[event, :size]
        clipped += _stored(level, own, *of_pixel, *smooth, noise, *limits, series[n, b, some], sigma[n, b, some])
    return clipped


@kernel(error_model="numpy")
def _blended(
    level_of: Row, variance_of: Row, near: NDArray[np.uint32], share: NDArray[np.float32], level: Row, own: Row
) -> None:
    """Mean and variance of each pixel's regions."""
    for x in range(level.size):
        i, j, k, r = near[0, x], near[1, x], near[2, x], near[3, x]
        s, u, v, w = share[0, x], share[1, x], share[2, x], share[3, x]
        level[x] = s * level_of[i] + u * level_of[j] + v * level_of[k] + w * level_of[r]
        own[x] = s * variance_of[i] + u * variance_of[j] + v * variance_of[k] + w * variance_of[r]


@kernel(error_model="numpy")
def _stored(
    regional: Row,
    uncertain: Row,
    gain: Row,
    gain_variance: Row,
    rest: Row,
    known: NDArray[np.bool_],
    mean: Row,
    wide: Row,
    noise: np.float32,
    low: np.float32,
    high: np.float32,
    series: NDArray[np.uint16],
    sigma: NDArray[np.uint16],
) -> int:
    """Write the pixels of a band and target."""
    clipped, most = 0, np.float32(SATURATED - 1)
    for x in range(known.size):
        m = regional[x]
        level = noise * (gain[x] * m + mean[x])
        own = gain[x] * gain[x] * uncertain[x] + m * m * gain_variance[x] + wide[x] + REST * rest[x]
        error = noise * np.sqrt(own) + HALF
        clipped += known[x] and (level < low - HALF or level > high)
        value = np.int32(min(max(level + HALF, low), high))
        spread = np.int32(min(max(error, np.float32(1.0)), most))
        series[x] = np.uint16(value) if known[x] else series[x]
        sigma[x] = np.uint16(spread) if known[x] else sigma[x]
    return clipped


@kernel(error_model="numpy")
def _misses(
    stack: NDArray[np.uint16],
    start: int,
    valid: NDArray[np.bool_],
    at_dates: NDArray[np.float32],
    member: NDArray[np.uint32],
    weight: NDArray[np.float32],
    gain: NDArray[np.float32],
    noise: NDArray[np.float32],
    place: NDArray[np.int64],
    miss: NDArray[np.float32],
) -> None:
    """Place differences (band, event, pixel) of observations from their regions' series, in units of noise."""
    bands, _, width = miss.shape
    for t in range(valid.shape[0]):
        for x in range(width):
            if valid[t, x]:
                i, j, k, n = member[0, x], member[1, x], member[2, x], member[3, x]
                p, q, r, s = weight[0, x], weight[1, x], weight[2, x], weight[3, x]
                for b in range(bands):
                    m = p * at_dates[t, i, b] + q * at_dates[t, j, b] + r * at_dates[t, k, b] + s * at_dates[t, n, b]
                    miss[b, place[t], x] = np.float32(stack[t, b, start + x]) / noise[b] - gain[b, x] * m


@kernel(error_model="numpy")
def _lasting(
    miss: NDArray[np.float32],
    valid: NDArray[np.bool_],
    days: NDArray[np.float64],
    place: NDArray[np.int64],
    own: NDArray[np.float32],
    rest: NDArray[np.float32],
) -> None:
    """Variance of each pixel's lasting difference, which consecutive observations have in common, and of the rest.

    The rest is what exceeds both that and noise, as where a pixel shows two fields in shares that change with each
    scene's displacement.
    """
    bands, _, width = miss.shape
    total, count, square, number = np.zeros(width), np.zeros(width), np.zeros(width), np.zeros(width)
    last, before = np.full(width, -np.inf), np.zeros((bands, width), np.float32)
    for t in range(valid.shape[0]):
        for b in range(bands):
            _products(miss[b, place[t]], valid[t], days[t], last, before[b], square, total)
        for x in range(width):
            number[x] += valid[t, x]
            count[x] += valid[t, x] and days[t] - last[x] <= _LAG
            last[x] = days[t] if valid[t, x] else last[x]
    for x in range(width):
        own[x] = np.float32(max(total[x] / bands / (count[x] + _USUAL), 1e-4))
        rest[x] = np.float32(max((square[x] / bands - number[x] * (1.0 + own[x])) / (number[x] + _FEW), 0.0))


@kernel(error_model="numpy")
def _products(
    miss: NDArray[np.float32],
    valid: NDArray[np.bool_],
    day: float,
    last: NDArray[np.float64],
    before: NDArray[np.float32],
    square: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None:
    """Add what a band's differences of a date tell of variances, and remember them in `before`."""
    for x in range(miss.size):
        near = valid[x] and day - last[x] <= _LAG
        square[x] += miss[x] * miss[x] if valid[x] else np.float32(0.0)
        total[x] += miss[x] * before[x] if near else np.float32(0.0)
        before[x] = miss[x] if valid[x] else before[x]
