"""How fast series of regions change: by region, by season, and in each interval between two observations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from landloom.kernels import kernel

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

    def factors(self, days: NDArray[np.float64]) -> NDArray[np.float32]:
        """(day, band) factor on a region's rate in the interval before each day."""
        middle = np.concatenate([days[:1], (days[1:] + days[:-1]) / 2])
        return np.stack([np.interp(middle, self.days, one) for one in self.season], axis=1).astype(np.float32)


def rates(series: RegionSeries, rounds: int = 8) -> Rates:
    """Rates from the changes between consecutive observations.

    A region's rate is drawn to that of all regions, the more the fewer observations it has. All regions change on the
    same dates, so that where these are sparse the parts of the period are longer, and a part's rate is drawn to that of
    the whole period, however many regions there are.
    """
    edges = _parts(series)
    bands, regions = series.values.shape[1:]
    season = np.ones((bands, edges.size - 1))
    base = np.ones((bands, regions))
    drawn = SURE * max(float(series.seen.any(axis=0).sum()), 1.0)
    found = _Changes.of(series, edges)
    number, weight = found.number.astype(np.float64), found.weight
    for _ in range(rounds):
        total = found.by_region(season)
        usual = np.maximum(total.sum(axis=1) / np.maximum(number.sum(), 1.0), 1e-3)[:, None]
        base = np.maximum((total + _USUAL * usual) / (number[None] + _USUAL), 0.05 * usual)
        season = np.maximum((found.by_season(season, base) + drawn) / (weight[None] + drawn), 0.02)
    return Rates(base=base.astype(np.float32), days=(edges[1:] + edges[:-1]) / 2, season=season)


def _parts(series: RegionSeries) -> NDArray[np.float64]:
    """Edges of the equal parts of a period that have their own rate of change."""
    first, last = float(series.days[0]), float(series.days[-1])
    seen = series.seen.sum(axis=0)
    changes = float(np.median(seen[seen > 0])) - 1.0 if seen.any() else 0.0
    count = max(round(min((last - first) / SEASON, changes / CHANGES)), 1)
    return np.linspace(first, max(last, first + 1.0), count + 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Changes:
    """Squared changes beyond noise between consecutive observations of regions; many regions share an interval."""

    excess: NDArray[np.float32]
    """(time, band, region) per day since the region's observation before; 0 where there is none."""
    span: NDArray[np.int32]
    """(time, region) the interval since then, a row of `overlap`; 0 where there is none."""
    overlap: NDArray[np.float64]
    """(interval, season) share of each interval that lies in each part of the period; the first row is empty."""
    number: NDArray[np.int64]
    """(region) changes."""
    weight: NDArray[np.float64]
    """(season) changes of all regions in each part of the period."""

    @classmethod
    def of(cls, series: RegionSeries, edges: NDArray[np.float64]) -> Self:
        """The changes of a series, and how its intervals lie in the parts of a period between some edges."""
        excess = np.zeros(series.values.shape, np.float32)
        span = np.zeros(series.seen.shape, np.int32)
        ends = _find_changes(series.values, series.variance, series.days, excess, span)
        start, end = series.days[ends[:, 0]][:, None], series.days[ends[:, 1]][:, None]
        inside = np.minimum(end, edges[1:]) - np.maximum(start, edges[:-1])
        overlap = np.maximum(inside, 0.0) / np.where(end > start, end - start, 1.0)
        counts = np.bincount(span.ravel(), minlength=len(ends))
        counts[0] = 0
        weight = (counts[:, None] * overlap).sum(axis=0)
        return cls(excess=excess, span=span, overlap=overlap, number=(span > 0).sum(axis=0), weight=weight)

    def by_region(self, season: NDArray[np.float64]) -> NDArray[np.float64]:
        """(band, region) sums of changes relative to those of their season, given as (band, season)."""
        sums: NDArray[np.float64] = _relative_sums(self.excess, self.span, self._relative(season))
        return sums

    def by_season(self, season: NDArray[np.float64], base: NDArray[np.float64]) -> NDArray[np.float64]:
        """(band, season) sums of changes relative to those of their regions, given as (band, region)."""
        sums = _interval_sums(self.excess, self.span, 1.0 / base, len(self.overlap)) * self._relative(season)
        shared: NDArray[np.float64] = (sums[:, :, None] * self.overlap[None]).sum(axis=1)
        return season * shared

    def _relative(self, season: NDArray[np.float64]) -> NDArray[np.float64]:
        """(band, interval) 1 / mean factor of the season in an interval; 0 for the empty one."""
        mean = (self.overlap[None] * season[:, None]).sum(axis=2)
        inverse: NDArray[np.float64] = np.where(mean > 0, 1.0 / np.where(mean > 0, mean, 1.0), 0.0)
        return inverse


@kernel
def _find_changes(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    days: NDArray[np.float64],
    excess: NDArray[np.float32],
    span: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Fill `excess` and `span`; returns (interval, 2) the observations at the ends of each, the first one empty."""
    times, bands, regions = values.shape
    last = np.full(regions, -1, np.int64)
    known = np.zeros((times, times), np.int32)
    ends = np.zeros((times * (times - 1) // 2 + 1, 2), np.int64)
    count = 1
    for t in range(times):
        for region in range(regions):
            if not np.isfinite(variance[t, 0, region]):
                continue
            before = last[region]
            last[region] = t
            if before < 0 or days[t] <= days[before]:
                continue
            if known[before, t] == 0:
                known[before, t] = count
                ends[count] = before, t
                count += 1
            span[t, region] = known[before, t]
            for b in range(bands):
                change = values[t, b, region] - values[before, b, region]
                beyond = change * change - variance[t, b, region] - variance[before, b, region]
                excess[t, b, region] = max(beyond, np.float32(0.0)) / np.float32(days[t] - days[before])
    return ends[:count].copy()


@kernel
def _relative_sums(
    excess: NDArray[np.float32], span: NDArray[np.int32], relative: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(band, region) sums over time, each change times the factor of its interval (band, interval)."""
    times, bands, regions = excess.shape
    total = np.zeros((bands, regions))
    for t in range(times):
        for b in range(bands):
            for region in range(regions):
                total[b, region] += excess[t, b, region] * relative[b, span[t, region]]
    return total


@kernel
def _interval_sums(
    excess: NDArray[np.float32], span: NDArray[np.int32], factor: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """(band, interval) sums over regions, each change times the factor of its region (band, region)."""
    times, bands, regions = excess.shape
    total = np.zeros((count, bands))
    # Bands innermost: consecutive additions to one number would wait for each other.
    for t in range(times):
        for region in range(regions):
            for b in range(bands):
                total[span[t, region], b] += excess[t, b, region] * factor[b, region]
    return total.T.copy()


@kernel(error_model="numpy")
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
    usual, own, square = np.empty(bands), np.empty(bands), np.empty(bands)
    for region in range(regions):
        last = -1
        for n in range(events):
            if not np.isfinite(noise[n, 0, region]):
                continue
            if last >= 0 and days[n] > days[last]:
                for b in range(bands):
                    usual[b] = 0.0
                    for k in range(last + 1, n + 1):
                        usual[b] += growth[k, b, region] * (days[k] - days[k - 1])
                    own[b] = noise[n, b, region] + noise[last, b, region]
                    change = values[n, b, region] - values[last, b, region]
                    square[b] = change * change
                factor = 1.0
                for _ in range(_ROUNDS):
                    total = 0.0
                    for b in range(bands):
                        whole = factor * usual[b] + own[b]
                        share = factor * usual[b] / whole
                        total += factor * (1.0 + share * (square[b] / whole - 1.0))
                    factor = (KNOWN + total) / (KNOWN + bands)
                for k in range(last + 1, n + 1):
                    for b in range(bands):
                        growth[k, b, region] *= np.float32(factor)
            last = n
