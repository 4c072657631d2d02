"""Observations of regions, and those among them that are spikes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.kernels import kernel

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
USUAL: Final = 0.75
"""Share of changes between observations whose pace counts as that of the season."""
RATE: Final = 1.0
"""Growth of variance per day that a spike is judged by, in units of the noise's variance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionSeries:
    """Observations of regions by one sensor, in units of the noise of a pixel's band."""

    days: NDArray[np.float64]
    """(time) ascending."""
    values: NDArray[np.float32]
    """(time, band, region)."""
    variance: NDArray[np.float32]
    """(time, band, region) of an observation; infinite where there is none."""
    reference: NDArray[np.bool_]
    """(time) True = of the reference sensor."""

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
        return replace(self, variance=variance)

    def joined(self, other: RegionSeries) -> RegionSeries:
        """Observations of two sensors in one series."""
        days = np.concatenate([self.days, other.days])
        order = np.argsort(days, kind="stable")
        return RegionSeries(
            days=days[order],
            values=np.concatenate([self.values, other.values])[order],
            variance=np.concatenate([self.variance, other.variance])[order],
            reference=np.concatenate([self.reference, other.reference])[order],
        )


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
    values = means / noise[None, :, None]
    return RegionSeries(days=days, values=values, variance=variance, reference=np.ones(days.size, np.bool_))


@kernel
def _excess(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    days: NDArray[np.float64],
    t: int,
    before: int,
    after: int,
    region: int,
    slope: NDArray[np.float64],
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
        spread = variance[t, b, region] + variance[before, b, region] + RATE * max(lag, 0.0) + (slope[b] * lag) ** 2
        if own > high:
            above += (own - high) * (own - high) / spread
        elif own < low:
            below += (low - own) * (low - own) / spread
    return np.sqrt(above / values.shape[1]), np.sqrt(below / values.shape[1])


@kernel
def _spikes(
    values: NDArray[np.float32],
    variance: NDArray[np.float32],
    days: NDArray[np.float64],
    slope: NDArray[np.float64],
    spikes: NDArray[np.bool_],
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
                above, below = _excess(values, variance, days, kept[k], before, after, region, slope)
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
    _spikes(series.values, series.variance, series.days, _slopes(series), spikes)
    return spikes


def _slopes(series: RegionSeries) -> NDArray[np.float64]:
    """(band) usual change per day between observations: what an extreme of the season may stand out by."""
    every = _paces(series.values, series.seen, series.days)
    return np.quantile(every, USUAL, axis=1) if every.size else np.zeros(series.values.shape[1])


@kernel
def _paces(values: NDArray[np.float32], seen: NDArray[np.bool_], days: NDArray[np.float64]) -> NDArray[np.float64]:
    """(band, change) sizes of changes per day between consecutive observations of regions."""
    times, bands, regions = values.shape
    last = np.full(regions, -1, np.int64)
    found = np.empty((bands, seen.sum()))
    count = 0
    for t in range(times):
        for region in range(regions):
            if seen[t, region]:
                before = last[region]
                last[region] = t
                if before >= 0 and days[t] > days[before]:
                    for b in range(bands):
                        change = abs(values[t, b, region] - values[before, b, region])
                        found[b, count] = change / (days[t] - days[before])
                    count += 1
    return found[:, :count]
