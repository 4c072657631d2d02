"""Series of regions at any days, smoothed over time, with calibrated uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.imagery.fusion.levels import WIDE, smooth_levels
from landloom.imagery.fusion.rates import localise
from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.imagery.fusion.rates import Rates
    from landloom.imagery.fusion.regional import RegionSeries

NEAR: Final = 32
"""Regions whose intervals are looked at one after the other: as many as the processor's cache holds."""
FOLDS: Final = 4
"""Parts of the dates that are withheld in turn to calibrate uncertainty."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Smoothed:
    """Series of regions at wanted days, in units of noise."""

    mean: NDArray[np.float32]
    """(day, band, region); 0 for a region without any observation."""
    variance: NDArray[np.float32]
    """(day, band, region); infinite for a region without any observation."""

    def by_region(self) -> NDArray[np.float32]:
        """(day, region, band) the mean, as kernels take it that need all bands of a region."""
        return np.ascontiguousarray(self.mean.transpose(0, 2, 1))


def smoothed(series: RegionSeries, rate: Rates, wanted: NDArray[np.float64]) -> Smoothed:
    """The series at wanted days, in any order.

    Args:
        series: observations.
        rate: of `rates`.
        wanted: days.
    """
    bands, regions = series.values.shape[1:]
    days = np.concatenate([series.days, wanted])
    order = np.argsort(days, kind="stable")
    place = np.empty(days.size, dtype=np.int64)
    place[order] = np.arange(days.size)
    mean = np.empty((wanted.size, bands, regions), np.float32)
    variance = np.empty_like(mean)
    where = (place, days[order], rate.factors(days[order]), rate.base)
    _smooth(np.ascontiguousarray(series.values), np.ascontiguousarray(series.variance), *where, mean, variance)
    variance[:, :, ~series.seen.any(axis=0)] = np.inf
    return Smoothed(mean=mean, variance=variance)


@kernel
def _smooth(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    place: NDArray[np.int64],
    days: NDArray[np.float64],
    factor: NDArray[np.float32],
    base: NDArray[np.float32],
    mean: NDArray[np.float32],
    spread: NDArray[np.float32],
) -> None:
    """Some regions at a time, so that their series stay in the processor's cache.

    Args:
        values: (time, band, region).
        variance: (time, band, region).
        place: (time, then wanted) the event that each is.
        days: (event) ascending.
        factor: (event, band) of `Rates`.
        base: (band, region) of `Rates`.
        mean: (wanted, band, region) result.
        spread: (wanted, band, region) result.
    """
    times, bands, regions = values.shape
    events = days.size
    seen, noise = np.empty((events, bands, WIDE), np.float32), np.empty((events, bands, WIDE), np.float32)
    growth, start = np.empty((events, bands, WIDE), np.float32), np.full(WIDE, np.float32(1e6))
    own, error = np.empty((events, WIDE), np.float32), np.empty((events, WIDE), np.float32)
    rate, made = np.empty((events, WIDE), np.float32), np.empty((events, WIDE), np.float32)
    wide = np.empty((events, WIDE), np.float32)
    for first in range(0, regions, WIDE):
        size = min(WIDE, regions - first)
        seen[:], noise[:], growth[:] = np.float32(0.0), np.float32(np.inf), np.float32(1.0)
        for t in range(times):
            for b in range(bands):
                for p in range(size):
                    seen[place[t], b, p], noise[place[t], b, p] = values[t, b, first + p], variance[t, b, first + p]
        for n in range(events):
            for b in range(bands):
                for p in range(size):
                    growth[n, b, p] = factor[n, b] * base[b, first + p]
        for some in range(0, size, NEAR):
            part = slice(some, some + NEAR)
            localise(seen[:, :, part], noise[:, :, part], days, growth[:, :, part])
        for b in range(bands):
            own[:], error[:], rate[:] = seen[:, b], noise[:, b], growth[:, b]
            smooth_levels(own, error, days, rate, 0.0, start, made, wide)
            for n in range(mean.shape[0]):
                for p in range(size):
                    event = place[times + n]
                    mean[n, b, first + p], spread[n, b, first + p] = made[event, p], wide[event, p]


def calibration(series: RegionSeries, rate: Rates) -> NDArray[np.float64]:
    """Factor and power by band that turn predicted into real standard deviations, from withheld dates.

    Whole dates are withheld in turn, in `FOLDS` parts; the errors of their observations, in classes of the predicted
    standard deviation, give the line of log real over log predicted.

    Returns:
        (band, 2): σ = exp(a) · s^b.
    """
    bands = series.values.shape[1]
    error: list[list[NDArray[np.float32]]] = [[] for _ in range(bands)]
    spread: list[list[NDArray[np.float32]]] = [[] for _ in range(bands)]
    part = np.full(series.days.size, FOLDS)
    part[series.reference] = (np.arange(np.count_nonzero(series.reference)) * 7 + 3) % FOLDS
    for fold in range(FOLDS):
        held = part == fold
        if not held.any() or held.all():
            continue
        rest = series.without(np.broadcast_to(held[:, None], series.seen.shape))
        made = smoothed(rest, rate, series.days[held])
        for b in range(bands):
            usable = series.seen[held] & np.isfinite(made.variance[:, b])
            miss = (series.values[held, b] - made.mean[:, b])[usable]
            noise = series.variance[held, b][usable]
            error[b].append(np.sqrt(np.maximum(miss * miss - noise, 1e-6)))
            spread[b].append(np.sqrt(made.variance[:, b][usable]))
    return np.array(
        [_line(np.concatenate(s), np.concatenate(e)) if s else (0.0, 1.0) for s, e in zip(spread, error, strict=True)]
    )


def _line(spread: NDArray[np.float32], error: NDArray[np.float32]) -> tuple[float, float]:
    """Intercept and slope of log real over log predicted standard deviations, over classes of equal size."""
    if spread.size < 200:
        return 0.0, 1.0
    order = np.argsort(spread)
    classes = np.array_split(order, 12)
    x = np.array([np.log(max(float(np.median(spread[c])), 1e-3)) for c in classes])
    y = np.array([np.log(spread_of(error[c])) for c in classes])
    slope = float(np.clip(np.cov(x, y)[0, 1] / max(np.var(x, ddof=1), 1e-6), 0.2, 2.0))
    return float(y.mean() - slope * x.mean()), slope


def spread_of(error: NDArray[np.float32]) -> float:
    """Standard deviation of errors by the shares of them that 1 σ and 2 σ should cover; heavy tails need a compromise.

    Args:
        error: their absolute values.
    """
    return float(0.75 * np.quantile(error, 0.683) + 0.125 * np.quantile(error, 0.954))
