"""Series of regions: spikes left out, smoothed over time, with calibrated uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numba import njit

from landloom.imagery.fusion.levels import smooth_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST: Final = 0.5
"""Pixels below which a region counts as not observed."""
FLOOR: Final = 0.12
"""Error that all pixels of a region share on a date, in units of a pixel's noise: displacement and haze."""
SPIKE: Final = 4.0
"""Distance outside the range of its neighbours in time, in σ, from which an observation is a spike."""
DARK: Final = 0.6
"""Weight of a dark spike against a bright one."""
RATE: Final = 1.0
"""Growth of variance per day that a spike is judged by, in units of the noise's variance."""
FOLDS: Final = 4
"""Parts of the dates that are withheld in turn to calibrate uncertainty."""
SEASON: Final = 30.0
"""Least days of the parts of a period that have their own rate of change."""
CHANGES: Final = 1.5
"""Least changes of a usual region in such a part: fewer say nothing of its rate."""
_USUAL: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionSeries:
    """Observations of regions by one sensor, in units of the noise of a pixel's band."""

    days: NDArray[np.float64]
    """(time) ascending."""
    values: NDArray[np.float32]
    """(time, band, region)."""
    variance: NDArray[np.float32]
    """(time, band, region) of an observation; infinite where there is none."""

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(time, region) where there is an observation."""
        found: NDArray[np.bool_] = np.isfinite(self.variance[:, 0])
        return found

    def seen_within(self, days: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
        """(day, region) whether there is an observation within some days."""
        found = np.zeros((days.size, self.values.shape[2]), np.bool_)
        for n, day in enumerate(days):
            found[n] = self.seen[np.abs(self.days - day) <= limit].any(axis=0)
        return found

    def without(self, left_out: NDArray[np.bool_]) -> RegionSeries:
        """The same without some observations, given as (time, region)."""
        variance = np.where(left_out[:, None], np.float32(np.inf), self.variance)
        return RegionSeries(days=self.days, values=self.values, variance=variance)

    def joined(self, other: RegionSeries) -> RegionSeries:
        """Observations of two sensors in one series."""
        days = np.concatenate([self.days, other.days])
        order = np.argsort(days, kind="stable")
        return RegionSeries(
            days=days[order],
            values=np.concatenate([self.values, other.values])[order],
            variance=np.concatenate([self.variance, other.variance])[order],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Smoothed:
    """Series of regions at wanted days, in units of noise."""

    mean: NDArray[np.float32]
    """(day, band, region); 0 for a region without any observation."""
    variance: NDArray[np.float32]
    """(day, band, region); infinite for a region without any observation."""


def region_series(
    days: NDArray[np.float64], means: NDArray[np.float32], mass: NDArray[np.float32], noise: NDArray[np.float32]
) -> RegionSeries:
    """Observations of regions from means over their pixels.

    Args:
        days: (time) ascending.
        means: (time, band, region).
        mass: (time, region) pixels behind them.
        noise: (band) standard deviation of a pixel.
    """
    with np.errstate(divide="ignore"):
        own = np.where(mass > LEAST, 1.0 / np.maximum(mass, 1.0) + FLOOR**2, np.inf).astype(np.float32)
    variance = np.repeat(own[:, None], means.shape[1], axis=1)
    return RegionSeries(days=days, values=means / noise[None, :, None], variance=variance)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _excess(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    days: NDArray[np.float64],
    t: int,
    before: int,
    after: int,
    region: int,
) -> tuple[float, float]:
    """Distance of an observation above and below those before and after it, in σ; at an end these are the same."""
    lag = min(days[t] - days[before], days[after] - days[t])
    if before == after:
        lag = 2.0 * abs(days[after] - days[t])
    above, below = 0.0, 0.0
    for b in range(values.shape[1]):
        low = min(values[before, b, region], values[after, b, region])
        high = max(values[before, b, region], values[after, b, region])
        own = values[t, b, region]
        spread = variance[t, b, region] + variance[before, b, region] + RATE * max(lag, 0.0)
        if own > high:
            above += (own - high) * (own - high) / spread
        elif own < low:
            below += (low - own) * (low - own) / spread
    return np.sqrt(above / values.shape[1]), np.sqrt(below / values.shape[1])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _spikes(
    values: NDArray[np.float32], variance: NDArray[np.float32], days: NDArray[np.float64], spikes: NDArray[np.bool_]
) -> None:
    """Region by region the largest spike is left out, until there is none.

    Of two that stand against each other the brighter one goes first: clouds brighten more than shadows darken.
    """
    times, _, regions = values.shape
    kept = np.empty(times, dtype=np.int64)
    for region in range(regions):
        count = 0
        for t in range(times):
            if np.isfinite(variance[t, 0, region]):
                kept[count] = t
                count += 1
        while count > 2:
            worst, largest = -1, 0.0
            for k in range(count):
                before = kept[k - 1] if k > 0 else kept[1]
                after = kept[k + 1] if 0 < k < count - 1 else before
                above, below = _excess(values, variance, days, kept[k], before, after, region)
                if max(above, below) > SPIKE and max(above, DARK * below) > largest:
                    largest, worst = max(above, DARK * below), k
            if worst < 0:
                break
            spikes[kept[worst], region] = True
            for k in range(worst, count - 1):
                kept[k] = kept[k + 1]
            count -= 1


def find_spikes(series: RegionSeries) -> NDArray[np.bool_]:
    """Observations outside the range of those before and after, as clouds and shadows are that a mask has missed.

    A lasting change is within that range, and stays.

    Returns:
        (time, region).
    """
    spikes = np.zeros((series.days.size, series.values.shape[2]), dtype=np.bool_)
    _spikes(series.values, series.variance, series.days, spikes)
    return spikes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rates:
    """How fast series change: variance gained per day, in units of the noise's variance."""

    base: NDArray[np.float32]
    """(band, region) over the whole period."""
    days: NDArray[np.float64]
    """(season) middle of each part of the period."""
    season: NDArray[np.float64]
    """(band, season) factor in this part, common to all regions: fields change in summer and rest in winter."""

    def at(self, days: NDArray[np.float64], band: int) -> NDArray[np.float32]:
        """(day, region) rate in the interval before each day."""
        middle = np.concatenate([days[:1], (days[1:] + days[:-1]) / 2])
        factor = np.interp(middle, self.days, self.season[band]).astype(np.float32)
        rate: NDArray[np.float32] = factor[:, None] * self.base[band][None, :]
        return rate


def rates(series: RegionSeries, rounds: int = 8) -> Rates:
    """Rates from the changes between consecutive observations.

    A region's rate is drawn to that of all regions, the more the fewer observations it has. All regions change on the
    same dates, so that where these are sparse the parts of the period are longer.
    """
    edges = _parts(series)
    count = edges.size - 1
    bands = series.values.shape[1]
    season = np.ones((bands, count))
    base = np.ones((bands, series.values.shape[2]))
    pairs = _pairs(series.values, series.variance, series.days)
    for _ in range(rounds):
        total, number = _by_region(*pairs, edges, season, series.values.shape[2])
        usual = np.maximum(total.sum(axis=1) / np.maximum(number.sum(), 1.0), 1e-3)[:, None]
        base = np.maximum((total + _USUAL * usual) / (number[None] + _USUAL), 0.05 * usual)
        by_season, weight = _by_season(*pairs, edges, season, base)
        drawn = 0.1 * max(weight.mean(), 1.0)
        season = np.maximum((by_season + drawn) / (weight[None] + drawn), 0.02)
    return Rates(base=base.astype(np.float32), days=(edges[1:] + edges[:-1]) / 2, season=season)


def _parts(series: RegionSeries) -> NDArray[np.float64]:
    """Edges of the equal parts of a period that have their own rate of change."""
    first, last = float(series.days[0]), float(series.days[-1])
    seen = series.seen.sum(axis=0)
    changes = float(np.median(seen[seen > 0])) - 1.0 if seen.any() else 0.0
    count = max(round(min((last - first) / SEASON, changes / CHANGES)), 1)
    return np.linspace(first, max(last, first + 1.0), count + 1)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _pairs(
    values: NDArray[np.float32], variance: NDArray[np.float32], days: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Consecutive observations of each region: its number, their days, and squared changes beyond noise per day.

    Returns:
        (pair) regions, (pair, 2) days, (pair, band).
    """
    times, bands, regions = values.shape
    count = 0
    for t in range(times):
        for r in range(regions):
            count += np.isfinite(variance[t, 0, r])
    region, between, excess = np.empty(count, np.int64), np.empty((count, 2)), np.empty((count, bands))
    n = 0
    for r in range(regions):
        last = -1
        for t in range(times):
            if not np.isfinite(variance[t, 0, r]):
                continue
            if last >= 0 and days[t] > days[last]:
                region[n], between[n, 0], between[n, 1] = r, days[last], days[t]
                for b in range(bands):
                    change = values[t, b, r] - values[last, b, r]
                    beyond = change * change - variance[t, b, r] - variance[last, b, r]
                    excess[n, b] = max(beyond, 0.0) / (days[t] - days[last])
                n += 1
            last = t
    return region[:n], between[:n], excess[:n]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _overlaps(since: float, until: float, edges: NDArray[np.float64], overlap: NDArray[np.float64]) -> tuple[int, int]:
    """Share of an interval that lies in each season; the first of these that it touches, and the one after the last."""
    first, end = overlap.size, 0
    for k in range(overlap.size):
        if until > edges[k] and since < edges[k + 1]:
            first, end = min(first, k), k + 1
            overlap[k] = (min(until, edges[k + 1]) - max(since, edges[k])) / (until - since)
    return first, end


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _by_region(
    region: NDArray[np.int64],
    between: NDArray[np.float64],
    excess: NDArray[np.float64],
    edges: NDArray[np.float64],
    season: NDArray[np.float64],
    regions: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(band, region) sums of changes relative to the season's, and (region) their numbers."""
    bands, seasons = season.shape
    total, number = np.zeros((bands, regions)), np.zeros(regions)
    overlap = np.empty(seasons)
    for n in range(region.size):
        first, end = _overlaps(between[n, 0], between[n, 1], edges, overlap)
        number[region[n]] += 1.0
        for b in range(bands):
            expected = 0.0
            for k in range(first, end):
                expected += overlap[k] * season[b, k]
            total[b, region[n]] += excess[n, b] / expected
    return total, number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _by_season(
    region: NDArray[np.int64],
    between: NDArray[np.float64],
    excess: NDArray[np.float64],
    edges: NDArray[np.float64],
    season: NDArray[np.float64],
    base: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(band, season) sums of changes relative to the region's, and (season) their weights."""
    bands, seasons = season.shape
    total, weight = np.zeros((bands, seasons)), np.zeros(seasons)
    overlap = np.empty(seasons)
    for n in range(region.size):
        first, end = _overlaps(between[n, 0], between[n, 1], edges, overlap)
        for k in range(first, end):
            weight[k] += overlap[k]
        for b in range(bands):
            expected = 0.0
            for k in range(first, end):
                expected += overlap[k] * season[b, k]
            share = excess[n, b] / (expected * base[b, region[n]])
            for k in range(first, end):
                total[b, k] += overlap[k] * season[b, k] * share
    return total, weight


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
    shape = (days.size, regions)
    mean, variance = np.empty(shape, np.float32), np.empty(shape, np.float32)
    values, noise = np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32)
    made = Smoothed(
        mean=np.empty((wanted.size, bands, regions), np.float32),
        variance=np.empty((wanted.size, bands, regions), np.float32),
    )
    unseen = ~series.seen.any(axis=0)
    for b in range(bands):
        values[place[:times]], noise[place[:times]] = series.values[:, b], series.variance[:, b]
        growth = rate.at(days[order], b)
        smooth_levels(values, noise, days[order], growth, 0.0, np.full(regions, 1e6, np.float32), mean, variance)
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
    part = (np.arange(series.days.size) * 7 + 3) % FOLDS
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
            error[b].append(np.sqrt(np.maximum(miss * miss - noise * np.float32(0.5), 1e-6)))
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
    y = np.array([np.log(0.65 * np.quantile(error[c], 0.683) + 0.175 * np.quantile(error[c], 0.954)) for c in classes])
    slope = float(np.clip(np.cov(x, y)[0, 1] / max(np.var(x, ddof=1), 1e-6), 0.2, 2.0))
    return float(y.mean() - slope * x.mean()), slope
