"""Series of regions at any days, smoothed over time, with calibrated uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.imagery.fusion.levels import smooth_levels
from landloom.imagery.fusion.rates import localise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.imagery.fusion.rates import Rates
    from landloom.imagery.fusion.regional import RegionSeries

FOLDS: Final = 4
"""Parts of the dates that are withheld in turn to calibrate uncertainty."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Smoothed:
    """Series of regions at wanted days, in units of noise."""

    mean: NDArray[np.float32]
    """(day, band, region); 0 for a region without any observation."""
    variance: NDArray[np.float32]
    """(day, band, region); infinite for a region without any observation."""


def smoothed(series: RegionSeries, rate: Rates, wanted: NDArray[np.float64]) -> Smoothed:
    """The series at wanted days, in any order.

    Args:
        series: observations.
        rate: of `rates`.
        wanted: days.
    """
    times, bands, regions = series.values.shape
    days = np.concatenate([series.days, wanted])
    order = np.argsort(days, kind="stable")
    place = np.empty(days.size, dtype=np.int64)
    place[order] = np.arange(days.size)
    shape = (days.size, bands, regions)
    values, noise = np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32)
    values[place[:times]], noise[place[:times]] = series.values, series.variance
    growth = np.stack([rate.at(days[order], b) for b in range(bands)], axis=1)
    localise(values, noise, days[order], growth)
    made = Smoothed(
        mean=np.empty((wanted.size, bands, regions), np.float32),
        variance=np.empty((wanted.size, bands, regions), np.float32),
    )
    unseen = ~series.seen.any(axis=0)
    mean, variance = np.empty((days.size, regions), np.float32), np.empty((days.size, regions), np.float32)
    start = np.full(regions, 1e6, np.float32)
    for b in range(bands):
        smooth_levels(
            np.ascontiguousarray(values[:, b]),
            np.ascontiguousarray(noise[:, b]),
            days[order],
            np.ascontiguousarray(growth[:, b]),
            0.0,
            start,
            mean,
            variance,
        )
        made.mean[:, b], made.variance[:, b] = mean[place[times:]], variance[place[times:]]
    made.variance[:, :, unseen] = np.inf
    return made


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
