"""How fast series of regions change: by region, by season, and in each interval between two observations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.imagery.fusion.regional import RegionSeries

SEASON: Final = 30.0
"""Least days of the parts of a period that have their own rate of change."""
CHANGES: Final = 1.5
"""Least changes of a usual region in such a part: fewer say nothing of its rate."""
KNOWN: Final = 0.4
"""Bands' worth of evidence that an interval between two observations has its region's usual rate of change."""
SURE: Final = 2.0
"""Changes of each region in such a part by which its rate is drawn to that of the whole period."""
_USUAL: Final = 8.0
_ROUNDS: Final = 4


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
    same dates, so that where these are sparse the parts of the period are longer, and a part's rate is drawn to that of
    the whole period, however many regions there are.
    """
    edges = _parts(series)
    count = edges.size - 1
    bands = series.values.shape[1]
    season = np.ones((bands, count))
    base = np.ones((bands, series.values.shape[2]))
    drawn = SURE * max(float(series.seen.any(axis=0).sum()), 1.0)
    for _ in range(rounds):
        total, number, by_season, weight = _changes(series.values, series.variance, series.days, edges, season, base)
        usual = np.maximum(total.sum(axis=1) / np.maximum(number.sum(), 1.0), 1e-3)[:, None]
        base = np.maximum((total + _USUAL * usual) / (number[None] + _USUAL), 0.05 * usual)
        _, _, by_season, weight = _changes(series.values, series.variance, series.days, edges, season, base)
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
def _changes(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    days: NDArray[np.float64],
    edges: NDArray[np.float64],
    season: NDArray[np.float64],
    base: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Squared changes beyond noise: by region relative to the season's, and by season relative to the region's.

    Returns:
        (band, region) sums and (region) numbers, (band, season) sums and (season) weights.
    """
    times, bands, regions = values.shape
    seasons = season.shape[1]
    total, number = np.zeros((bands, regions)), np.zeros(regions)
    by_season, weight = np.zeros((bands, seasons)), np.zeros(seasons)
    overlap = np.empty(seasons)
    for region in range(regions):
        last = -1
        for t in range(times):
            if not np.isfinite(variance[t, 0, region]):
                continue
            if last >= 0 and days[t] > days[last]:
                gap = days[t] - days[last]
                for k in range(seasons):
                    overlap[k] = max(min(days[t], edges[k + 1]) - max(days[last], edges[k]), 0.0) / gap
                    weight[k] += overlap[k]
                number[region] += 1.0
                for b in range(bands):
                    change = values[t, b, region] - values[last, b, region]
                    excess = max(change * change - variance[t, b, region] - variance[last, b, region], 0.0) / gap
                    expected = 0.0
                    for k in range(seasons):
                        expected += overlap[k] * season[b, k]
                    total[b, region] += excess / expected
                    for k in range(seasons):
                        by_season[b, k] += overlap[k] * season[b, k] * excess / (expected * base[b, region])
            last = t
    return total, number, by_season, weight


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def localise(
    values: NDArray[np.float32], noise: NDArray[np.float32], days: NDArray[np.float64], growth: NDArray[np.float32]
) -> None:
    """Give the interval between two observations the rate that their difference speaks for, all bands together.

    Where a region is the same on both sides, it has hardly changed between; where it differs, it may have changed at
    any time between the two, and its variance says so. The rate is what makes the observed changes likely, drawn to
    the usual one.

    Args:
        values: (event, band, region).
        noise: (event, band, region) variances; infinite where there is no observation.
        days: (event) ascending.
        growth: (event, band, region) usual growth of variance per day before each event; changed in place.
    """
    events, bands, regions = values.shape
    for region in range(regions):
        last = -1
        for n in range(events):
            if not np.isfinite(noise[n, 0, region]):
                continue
            if last >= 0 and days[n] > days[last]:
                factor = 1.0
                for _ in range(_ROUNDS):
                    total = 0.0
                    for b in range(bands):
                        usual = 0.0
                        for k in range(last + 1, n + 1):
                            usual += growth[k, b, region] * (days[k] - days[k - 1])
                        own = noise[n, b, region] + noise[last, b, region]
                        change = values[n, b, region] - values[last, b, region]
                        share = factor * usual / (factor * usual + own)
                        total += factor * (1.0 + share * (change * change / (factor * usual + own) - 1.0))
                    factor = (KNOWN + total) / (KNOWN + bands)
                for k in range(last + 1, n + 1):
                    for b in range(bands):
                        growth[k, b, region] *= np.float32(factor)
            last = n
