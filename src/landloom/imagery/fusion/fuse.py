"""The fused series of a window: all steps in one, from clear observations to values, uncertainty and quality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import uniform_filter

from landloom.errors import InvalidValueError
from landloom.imagery.fusion.noise import noise_levels
from landloom.imagery.fusion.pixels import find_outliers, fit_gains, pixel_series, spread
from landloom.imagery.fusion.rates import rates
from landloom.imagery.fusion.regional import RegionSeries, find_spikes, region_series
from landloom.imagery.fusion.regions import Regions, find_regions, gather
from landloom.imagery.fusion.second import NEAR, NEAR_DAYS, Bandpass, fit_bandpass, second_series
from landloom.imagery.fusion.smoothing import Smoothed, calibration, smoothed
from landloom.imagery.whittaker import whittaker

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURE_STEP: Final = 15.0
"""Days between the features by which pixels are compared."""
FEATURE_NOISE: Final = 0.4
"""Noise of a feature relative to an observation's."""
HALO: Final = 32
"""Pixels around a window that its pixels' regions reach into."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sightings:
    """Observations of one sensor on the grid of the product.

    Example:
        >>> stack = np.full((3, 1, 8, 8), 1_000, np.uint16)
        >>> clear = np.ones((3, 8, 8), bool)
        >>> seen = Sightings(days=np.array([0.0, 5.0, 10.0]), stack=stack, valid=clear)
        >>> fuse(seen, np.array([0.0, 5.0, 10.0])).series[:, 0, 0, 0].tolist()
        [1000, 1000, 1000]
    """

    days: NDArray[np.float64]
    """(time) ascending."""
    stack: NDArray[np.uint16]
    """(time, band, y, x) 10,000 × reflectance."""
    valid: NDArray[np.bool_]
    """(time, y, x) True = clear in all bands."""
    footprint: int = 1
    """Pixels of the grid along a side of the sensor's own pixel."""

    def __post_init__(self) -> None:
        shape = self.stack.shape
        if self.stack.dtype != np.uint16 or self.stack.ndim != 4 or self.valid.shape != (shape[0], *shape[2:]):
            raise InvalidValueError(
                f"got a stack of {self.stack.dtype} {shape} and validity of {self.valid.shape}, "
                "expected uint16 (time, band, y, x) and (time, y, x)"
            )
        if self.days.shape != shape[:1] or (np.diff(self.days) < 0).any():
            raise InvalidValueError(f"got days {self.days} for {shape[0]} times, expected as many, ascending")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FusedSeries:
    """A complete series with its uncertainty."""

    series: NDArray[np.uint16]
    """(target, band, y, x) 10,000 × reflectance; 0 where a pixel was never observed."""
    sigma: NDArray[np.uint16]
    """(target, band, y, x) 1-σ uncertainty, in the same units; 0 likewise."""
    used: NDArray[np.bool_]
    """(time, y, x) observations of the first sensor that were used: clear and not outliers."""
    used_second: NDArray[np.bool_] | None
    """(time, y, x) likewise of the second sensor."""
    noise: NDArray[np.float32]
    """(band) standard deviation of an observation's noise."""
    bandpass: Bandpass | None
    """Adjustment of the second sensor to the first; None without one, or if the two are nowhere comparable."""
    outliers: int
    """Observations of the first sensor that were left out as outliers."""
    clipped: int
    """Values outside of the stored range."""


def fuse(
    first: Sightings,
    targets: NDArray[np.float64],
    second: Sightings | None = None,
    origin: tuple[int, int] = (0, 0),
) -> FusedSeries:
    """Fill and harmonise the series of a window.

    The seasonal course is that of a pixel's most similar neighbours, whose clear pixels are averaged, and which a
    second sensor complements between clear dates. A pixel follows it with a brightness of its own, and is drawn to its
    own observations where they differ lastingly. Windows that overlap agree except within `HALO` pixels of their edges.

    Clouds are taken to be bright: of two observations that stand against each other, the brighter one is left out as a
    missed cloud unless the darker one stands out far more (`regional.DARK`). Give indices that clouds lower, such as
    NDVI, with their sign reversed.

    Where a region differs on the two sides of a gap, it may have changed at any time between: values go in a straight
    line from one to the other, and σ says that the day is not known.

    Args:
        first: the reference sensor.
        targets: days wanted, ascending.
        second: another sensor, if there is one.
        origin: row and column of the window on the raster of its zone, so that windows get the same regions.

    Raises:
        InvalidValueError: inconsistent shapes.
    """
    shape = first.stack.shape
    if second is not None and second.stack.shape[1:] != shape[1:]:
        raise InvalidValueError(f"got a second sensor of {second.stack.shape}, expected (time, {shape[1:]})")
    if not first.valid.any():
        return _blank(first, targets, second)
    noise = noise_levels(first.stack, first.valid)
    regions = _regions(first, targets, noise, origin)
    valid = first.valid.copy()
    series, gain, _ = _first_pass(first, valid, regions, noise)
    regions = _seen_only(regions, series)
    bandpass, used_second = None, None
    if second is not None:
        added, bandpass, used_second = _second(second, series, regions, gain, noise)
        series = series if added is None else series.joined(added)
    return _finished(first, valid, targets, regions, noise, series, (bandpass, used_second))


def _blank(first: Sightings, targets: NDArray[np.float64], second: Sightings | None) -> FusedSeries:
    """Nothing but nodata: without the reference sensor there is nothing to bring a second one to."""
    made = np.zeros((targets.size, *first.stack.shape[1:]), np.uint16)
    return FusedSeries(
        series=made,
        sigma=made.copy(),
        used=np.zeros_like(first.valid),
        used_second=None if second is None else np.zeros_like(second.valid),
        noise=np.ones(first.stack.shape[1], np.float32),
        bandpass=None,
        outliers=0,
        clipped=0,
    )


def _regions(
    first: Sightings, targets: NDArray[np.float64], noise: NDArray[np.float32], origin: tuple[int, int]
) -> Regions:
    """Regions by the smoothed seasonal course."""
    last = max(targets[-1], targets[0] + FEATURE_STEP)
    knots = np.arange(targets[0], last + FEATURE_STEP / 2, FEATURE_STEP)
    course = whittaker(first.stack, first.valid, first.days, knots, 1.0)
    features = course.astype(np.float32)
    features /= (FEATURE_NOISE * noise)[None, :, None, None]
    return find_regions(features.reshape(-1, *features.shape[2:]), origin)


def _seen_only(regions: Regions, series: RegionSeries) -> Regions:
    """Memberships without regions that were never observed; the weights of a pixel that has no other are 0."""
    seen = np.asarray(series.seen.any(axis=0), np.float32)
    weight = regions.weight * seen[regions.member]
    total = weight.sum(axis=0)
    return replace(regions, weight=np.asarray(weight / np.where(total > 0, total, 1.0), np.float32))


def _gathered(first: Sightings, valid: NDArray[np.bool_], regions: Regions, noise: NDArray[np.float32]) -> RegionSeries:
    means, mass = gather(first.stack, valid, regions.member, regions.weight, regions.count)
    return region_series(first.days, means, mass, noise)


def _first_pass(
    first: Sightings, valid: NDArray[np.bool_], regions: Regions, noise: NDArray[np.float32]
) -> tuple[RegionSeries, NDArray[np.float32], NDArray[np.float32]]:
    """Series of regions without spikes, brightness of pixels; outliers are taken out of `valid`."""
    series = _gathered(first, valid, regions, noise)
    spikes = find_spikes(series)
    valid &= ~spikes[:, regions.member[0]]
    series = series.without(spikes)
    at_dates = smoothed(series, rates(series), first.days)
    gain, _ = fit_gains(first.stack, valid, at_dates.mean, regions.member, regions.weight, noise)
    where = (regions.member, regions.weight)
    valid &= ~find_outliers(first.stack, valid, at_dates.mean, at_dates.variance, *where, gain, noise)
    series = _gathered(first, valid, regions, noise).without(spikes)
    at_dates = smoothed(series, rates(series), first.days)
    return series, *fit_gains(first.stack, valid, at_dates.mean, *where, noise)


def _second(
    second: Sightings, series: RegionSeries, regions: Regions, gain: NDArray[np.float32], noise: NDArray[np.float32]
) -> tuple[RegionSeries | None, Bandpass | None, NDArray[np.bool_]]:
    """Observations of regions by the second sensor, if it can be compared with the first."""
    made = smoothed(series, rates(series), second.days)
    sure = (made.variance.max(axis=1) < NEAR) | series.seen_within(second.days, NEAR_DAYS)
    usable = second.valid & sure[:, regions.member[0]]
    some = np.s_[:, :, second.footprint // 2 :: second.footprint, second.footprint // 2 :: second.footprint]
    expected = _expected(made, regions, gain, noise, second.footprint)
    values = second.stack.astype(np.float32)
    bandpass = fit_bandpass(values[some], expected[some], usable[:, *some[2:]])
    if not np.isfinite(bandpass.scatter).all():
        return None, None, np.zeros_like(second.valid)
    difference = bandpass.apply(values) - expected
    where = (regions.member, regions.weight, regions.count)
    means, mass = gather(difference, second.valid, *where)
    np.square(difference, out=difference)
    uneven = np.maximum(gather(difference, second.valid, *where)[0] - means**2, 0.0)
    added = second_series(second.days, made.mean, means, uneven, mass, sure, bandpass.scatter, noise)
    spikes = find_spikes(series.joined(added))
    order = np.argsort(np.argsort(np.concatenate([series.days, added.days]), kind="stable"), kind="stable")
    mine = spikes[order[series.days.size :]]
    return added.without(mine), bandpass, second.valid & ~mine[:, regions.member[0]]


def _expected(
    made: Smoothed, regions: Regions, gain: NDArray[np.float32], noise: NDArray[np.float32], footprint: int
) -> NDArray[np.float32]:
    """The first sensor's series as a coarser sensor would see it, in stored numbers."""
    out = np.empty((*made.mean.shape[:2], *gain.shape[1:]), dtype=np.float32)
    spread(np.nan_to_num(made.mean), regions.member, regions.weight, out)
    out *= gain[None] * noise[None, :, None, None]
    return out if footprint == 1 else uniform_filter(out, size=(1, 1, footprint, footprint), mode="nearest")


def _finished(
    first: Sightings,
    valid: NDArray[np.bool_],
    targets: NDArray[np.float64],
    regions: Regions,
    noise: NDArray[np.float32],
    series: RegionSeries,
    second: tuple[Bandpass | None, NDArray[np.bool_] | None],
) -> FusedSeries:
    """From the joined series of regions to pixels; uncertainty is calibrated on withheld dates first."""
    rate = rates(series)
    at_dates, at_targets = smoothed(series, rate, first.days), smoothed(series, rate, targets)
    where = (regions.member, regions.weight)
    gains = fit_gains(first.stack, valid, at_dates.mean, *where, noise)
    made = np.zeros((targets.size, *first.stack.shape[1:]), np.uint16)
    sigma = np.zeros_like(made)
    both = (at_targets.mean, _real(at_targets.variance, calibration(series, rate)))
    observed = (first.stack, valid, first.days, at_dates.mean)
    clipped = pixel_series(*observed, targets, *both, *where, *gains, noise, made, sigma)
    never = regions.weight.sum(axis=0) == 0
    made[:, :, never], sigma[:, :, never] = 0, 0
    bandpass, used_second = second
    return FusedSeries(
        series=made,
        sigma=sigma,
        used=valid,
        used_second=used_second,
        noise=noise,
        bandpass=bandpass,
        outliers=int(np.count_nonzero(first.valid & ~valid)),
        clipped=clipped,
    )


def _real(variance: NDArray[np.float32], factor: NDArray[np.float64]) -> NDArray[np.float32]:
    """Calibrated variances of regions (target, band, region); 0 for those never observed, which no pixel follows."""
    predicted = np.where(np.isfinite(variance), variance, 0.0)
    real = np.exp(2.0 * factor[:, 0])[None, :, None] * predicted ** factor[:, 1][None, :, None]
    return np.asarray(real, np.float32)
