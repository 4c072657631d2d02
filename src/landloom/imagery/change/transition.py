"""The kernels of the break test: for each pixel, its falls, how fast they were, and where they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST: Final = 8
"""Observations below which a pixel is not tested."""
_AROUND: Final = 6
"""Observations below which a change is not tested."""
_SPIKE: Final = 4.0
"""Distance outside of the range of its neighbours, in σ, from which an observation is a spike."""
_SLACK: Final = 0.03
"""Distance that is allowed beyond it."""
_ABOVE: Final = 3.0
"""Distance above the level after a change, in σ, from which an observation is before it."""
_REACH: Final = 50.0
"""Days that a fall goes on after its steepest part."""
_LEVEL: Final = 4
_LEVEL_DAYS: Final = 30.0
"""Most observations, and days between them, that the level after a change is the median of."""
_FAST: Final = (0.0, 2.0, 4.0, 6.0)
"""Time constants of abrupt transitions, in days."""
_SLOWER: Final = (1.0, 1.4, 2.0, 3.0, 4.0)
"""Time constants of gradual ones, relative to the fastest."""


@kernel
def break_kernel(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    valid: NDArray[np.bool_],
    days: NDArray[np.float64],
    directions: tuple[bool, bool],
    settings: tuple[float, float, float, float, float, float, float],
    found: NDArray[np.float32],
) -> None:
    """Breaks of all pixels.

    Args:
        values: (time, pixel).
        variance: (time, pixel).
        valid: (time, pixel).
        days: (time).
        directions: whether falls are looked for, and rises.
        settings: magnitude, squared score, time constant, days before and after, days apart, squared scatter.
        found: (4, break, pixel) date, margin, change and score; filled in no order.
    """
    times, pixels = values.shape
    t, y, v = np.empty(times), np.empty(times), np.empty(times)
    for p in range(pixels):
        n = 0
        for k in range(times):
            if valid[k, p]:
                t[n], y[n], v[n] = days[k], values[k, p], variance[k, p]
                n += 1
        for _ in range(2):
            n = _without_spikes(t, y, v, n)
        if n >= FEWEST:
            _pixel(t[:n], y[:n], v[:n], directions, settings, found[:, :, p])


@kernel
def _without_spikes(t: NDArray[np.float64], y: NDArray[np.float64], v: NDArray[np.float64], n: int) -> int:
    """Close the gaps of observations outside of the range of two neighbours on both sides; the number that is left."""
    kept = np.ones(n, np.bool_)
    for i in range(1, n - 1):
        low, high = np.inf, -np.inf
        for step in (-1, 1):
            k, seen = i + step, 0
            while 0 <= k < n and seen < 2:
                if kept[k]:
                    low, high = min(low, y[k]), max(high, y[k])
                    seen += 1
                k += step
        slack = _SPIKE * np.sqrt(v[i]) + _SLACK
        kept[i] = low - slack <= y[i] <= high + slack
    left = 0
    for i in range(n):
        if kept[i]:
            t[left], y[left], v[left] = t[i], y[i], v[i]
            left += 1
    return left


@kernel
def _pixel(
    t: NDArray[np.float64],
    y: NDArray[np.float64],
    v: NDArray[np.float64],
    directions: tuple[bool, bool],
    settings: tuple[float, float, float, float, float, float, float],
    found: NDArray[np.float32],
) -> None:
    """Breaks of a pixel, its largest fall first."""
    n = y.size
    series, fall = np.empty((2, n)), np.zeros(2 * n)
    for d in range(2):
        series[d] = y if d == 0 else -y
        if directions[d]:
            _falls(series[d], fall[d * n : (d + 1) * n])
    count = 0
    for place in np.argsort(-fall):
        if fall[place] < settings[0] or count == found.shape[1]:
            break
        d, i = place // n, place % n
        if not _is_apart(found, count, (t[i] + t[i + 1]) / 2, settings[5]):
            continue
        score = _abruptness(t, series[d], v, i, settings)
        if score < settings[1]:
            continue
        last, level = _end_of_fall(t, series[d], v, i)
        date = (t[last] + t[last + 1]) / 2
        if _is_apart(found, count, date, settings[5]):
            found[0, count], found[1, count] = date, (t[last + 1] - t[last]) / 2
            found[2, count] = (level - series[d, last]) * (1 - 2 * d)
            found[3, count] = np.sqrt(score)
            count += 1


@kernel
def _is_apart(found: NDArray[np.float32], count: int, date: float, apart: float) -> bool:
    near = False
    for k in range(count):
        near |= abs(found[0, k] - date) < apart
    return not near


@kernel
def _falls(y: NDArray[np.float64], fall: NDArray[np.float64]) -> None:
    """Fall across each interval: median of up to three observations before it less that of up to five after it.

    A change lasts: two missed clouds among five observations do not lower their median.
    """
    n = y.size
    for i in range(1, n - 2):
        fall[i] = np.median(y[max(i - 2, 0) : i + 1]) - np.median(y[i + 1 : min(i + 6, n)])


@kernel
def _abruptness(
    t: NDArray[np.float64],
    y: NDArray[np.float64],
    v: NDArray[np.float64],
    i: int,
    settings: tuple[float, float, float, float, float, float, float],
) -> float:
    """By how much the best abrupt transition fits better than the best gradual one, as χ²."""
    _, _, gradual, before, after, _, scatter = settings
    first, end = i, i + 2
    while first > 0 and t[first - 1] >= t[i] - before:
        first -= 1
    while end < t.size and t[end] <= t[i + 1] + after:
        end += 1
    if end - first < _AROUND:
        return -1.0
    days, values, weight = t[first:end], y[first:end], 1.0 / (v[first:end] + scatter)
    abrupt, slow = np.inf, np.inf
    for constant in _FAST:
        for middle in np.arange(t[i] - 25.0, t[i + 1] + 25.5, 2.5):
            abrupt = min(abrupt, misfit(days, values, weight, middle, constant))
    for factor in _SLOWER:
        for middle in np.arange(t[i] - 45.0, t[i + 1] + 45.5, 4.0):
            slow = min(slow, misfit(days, values, weight, middle, factor * gradual))
    return float(slow - abrupt)


@kernel
def misfit(
    t: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64], middle: float, constant: float
) -> float:
    """χ² of a logistic fall around a day, with the levels before and after it fitted; a step if the constant is 0."""
    sw = sx = sxx = sy = sxy = syy = 0.0
    for k in range(t.size):
        away = t[k] - middle
        if constant <= 0.0:
            x = 1.0 if away < 0.0 else 0.0
        else:
            x = 1.0 / (1.0 + np.exp(min(max(away / constant, -30.0), 30.0)))
        w = weight[k]
        sw += w
        sx += w * x
        sxx += w * x * x
        sy += w * y[k]
        sxy += w * x * y[k]
        syy += w * y[k] * y[k]
    misfit = syy - sy * sy / sw
    spread = sxx - sx * sx / sw
    slope = sxy - sx * sy / sw
    if slope > 0.0 and spread > 1e-9 * sw:
        misfit -= slope * slope / spread
    return float(misfit)


@kernel
def _end_of_fall(t: NDArray[np.float64], y: NDArray[np.float64], v: NDArray[np.float64], i: int) -> tuple[int, float]:
    """The last observation before the level after a fall, and this level."""
    steepest = i
    for k in range(max(i - 1, 0), min(i + 2, t.size - 1)):
        if y[k] - y[k + 1] > y[steepest] - y[steepest + 1]:
            steepest = k
    last, level = steepest, 0.0
    for k in range(steepest, t.size - 1):
        if t[k] - t[steepest] > _REACH:
            break
        end = k + 2
        while end < min(k + 1 + _LEVEL, t.size) and (end < k + 3 or t[end] - t[k + 1] <= _LEVEL_DAYS):
            end += 1
        after = np.median(y[k + 1 : end])
        if k == steepest or y[k] - after > _ABOVE * np.sqrt(1.3 * v[k]):
            last, level = k, after
    return last, level
