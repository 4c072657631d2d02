"""Observations of a second, coarser sensor, brought to the first one's bandpasses and regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.fusion.regional import RegionSeries
from landloom.imagery.fusion.smoothing import spread_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR: Final = 0.5
"""Variance of the first sensor's series, in units of its noise's, up to which it serves as reference."""
SHARED: Final = 2.0
"""Factor on the scatter of differences for that of an observation: those of neighbouring dates err together."""
UNEVEN: Final = 0.2
"""Share of the variance of differences among a region's pixels that their mean has."""
NEAR_DAYS: Final = 3.5
"""Days from an observation of the first sensor within which it does, too."""
MOST_PIXELS: Final = 50_000
"""Pixels of all dates that bandpasses are fitted to: of more, every so many."""
_COEFFICIENT: Final = 0.15
_OFFSET: Final = 100.0
_ROUNDS: Final = 6
_PER_DATE: Final = 50
_LEAST_PIXELS: Final = 4.0
_OFTEN: Final = 3
"""Sure observations from which a region has a scatter of its own."""
_TAIL: Final = 16.0
_DRAWN: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bandpass:
    """Linear adjustment of a sensor's bands to another's."""

    offset: NDArray[np.float64]
    """(band), in stored numbers."""
    coefficient: NDArray[np.float64]
    """(band, source band)."""
    scatter: NDArray[np.float64]
    """(band) standard deviation of a pixel about it; includes differences in footprint and noise."""
    dates: int
    """Dates of the second sensor that the adjustment is fitted to."""

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(time, band, y, x) → the same in the first sensor's bandpasses."""
        made = np.einsum("bs,tsyx->tbyx", self.coefficient.astype(np.float32), values)
        adjusted: NDArray[np.float32] = made + self.offset.astype(np.float32)[None, :, None, None]
        return adjusted


def fit_bandpass(values: NDArray[Any], target: NDArray[np.float32], usable: NDArray[np.bool_]) -> Bandpass:
    """Fit one sensor's bands to the other's, robustly and drawn to identity: every date counts as one, not its pixels.

    Dates with few usable pixels are left out: most of these are clouds that a mask has missed.

    Args:
        values: (time, band, y, x) of the second sensor.
        target: (time, band, y, x) of the first, at the same times and pixels.
        usable: (time, y, x).
    """
    bands = values.shape[1]
    per_date = usable.sum(axis=(1, 2))
    often = per_date >= _PER_DATE
    places = np.flatnonzero(usable & often[:, None, None])
    step = -(-places.size // MOST_PIXELS)
    times, y, along = np.unravel_index(places[:: max(step, 1)], usable.shape)
    x, z = values[times, :, y, along].astype(np.float64), target[times, :, y, along].astype(np.float64)
    share = 1.0 / np.maximum(np.bincount(times, minlength=len(usable)), 1)[times]
    made = np.zeros((bands, bands + 1))
    scatter = np.full(bands, np.inf)
    design = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    for b in range(bands):
        prior = np.zeros(bands + 1)
        prior[b + 1] = 1.0
        made[b] = prior
        if not len(x):
            continue
        for _ in range(_ROUNDS):
            left = z[:, b] - design @ made[b]
            spread = max(1.4826 * float(np.median(np.abs(left))), 1.0)
            weight = share / (1.0 + (left / spread) ** 2 / 4.0) ** 2
            ridge = np.diag(np.array([_OFFSET**-2] + [_COEFFICIENT**-2] * bands) * spread**2)
            weighted = design * weight[:, None]
            miss = z[:, b] - design @ prior
            made[b] = prior + np.linalg.solve(weighted.T @ design + ridge, weighted.T @ miss)
        scatter[b] = spread
    return Bandpass(offset=made[:, 0], coefficient=made[:, 1:], scatter=scatter, dates=int(np.count_nonzero(often)))


def second_series(
    days: NDArray[np.float64],
    mean: NDArray[np.float32],
    difference: NDArray[np.float32],
    uneven: NDArray[np.float32],
    mass: NDArray[np.float32],
    sure: NDArray[np.bool_],
    scatter: NDArray[np.float64],
    noise: NDArray[np.float32],
) -> RegionSeries:
    """Observations of regions by the second sensor.

    Its pixels show several regions at once, so that what counts is the difference from the first sensor's series
    averaged over the same pixels. The part of it that lasts is a region's own, from its edges and its spectrum, and is
    taken out. A region whose pixels differ unequally has changed in a part, or a neighbour has: it counts for less.

    Args:
        days: (time) of the second sensor.
        mean: (time, band, region) first sensor's series on these days, in units of noise.
        difference: (time, band, region) mean difference of the second sensor from it, in stored numbers.
        uneven: (time, band, region) variance of that difference among the pixels of a region.
        mass: (time, region) fine pixels behind it.
        sure: (time, region) where the first sensor's series serves as reference.
        scatter: (band) of `Bandpass`.
        noise: (band) of the first sensor's pixels.
    """
    seen = mass > _LEAST_PIXELS
    miss = difference / noise[None, :, None]
    variance = np.full_like(miss, np.inf)
    for b in range(miss.shape[1]):
        lasting, own = _lasting(miss[:, b], seen & sure, float((scatter[b] / noise[b]) ** 2))
        miss[:, b] -= lasting
        whole = own + UNEVEN * uneven[:, b] / noise[b] ** 2
        variance[:, b] = np.where(seen & np.isfinite(whole), whole, np.float32(np.inf))
    return RegionSeries(days=days, values=mean + miss, variance=variance, reference=np.zeros(days.size, np.bool_))


def _lasting(
    miss: NDArray[np.float32], usable: NDArray[np.bool_], usual: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(region) lasting difference of each region, and the variance of an observation that is rid of it.

    Args:
        miss: (time, region) differences, in units of noise.
        usable: (time, region) those to learn from.
        usual: variance about a lasting difference where there are too few to estimate it.
    """
    number = usable.sum(axis=0)
    total = np.where(usable, miss, 0.0).sum(axis=0)
    level = total / np.maximum(number, 1)
    often = number >= _OFTEN
    left = np.where(usable & often, miss - level, 0.0) ** 2 * (number / np.maximum(number - 1, 1))
    found = left[usable & often]
    within = spread_of(np.sqrt(found)) ** 2 if found.size >= _PER_DATE else usual
    between = float(np.maximum(level[often] ** 2 - within / number[often], 0.0).mean()) if often.any() else 0.0
    drawn = number + within / max(between, 1e-3 * within)
    scattered = (np.minimum(left, _TAIL * within).sum(axis=0) + _DRAWN * within) / (np.where(often, number, 0) + _DRAWN)
    return (total / drawn).astype(np.float32), (SHARED**2 * scattered + within / drawn).astype(np.float32)
