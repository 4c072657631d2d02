"""The fused series of a window: all steps in one, from clear observations to values, uncertainty and quality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.imagery.fusion.features import smoothed_pixels
from landloom.imagery.fusion.mixtures import expected, mixtures, regional_means
from landloom.imagery.fusion.noise import noise_levels
from landloom.imagery.fusion.pixels import find_outliers, fit_gains, pixel_series
from landloom.imagery.fusion.rates import rates
from landloom.imagery.fusion.regional import RegionSeries, find_spikes, region_series
from landloom.imagery.fusion.regions import Regions, find_regions, gather, without
from landloom.imagery.fusion.second import NEAR, NEAR_DAYS, Bandpass, fit_bandpass, second_series
from landloom.imagery.fusion.smoothing import calibration, smoothed
from landloom.imagery.whittaker import Knots
from landloom.model.sensor import SATURATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.imagery.fusion.sightings import Sightings

FEATURE_STEP: Final = 15.0
"""Days between the features by which pixels are compared."""
FEATURE_NOISE: Final = 0.4
"""Noise of a feature relative to an observation's."""
LIMITS: Final = (1, SATURATED - 1)
"""Smallest and largest value that can be stored."""
HALO: Final = 32
"""Pixels around a window that its pixels' regions reach into."""


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
    """Values outside of the limits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """Series of a window's regions."""

    regions: Regions
    at_dates: NDArray[np.float32]
    """(time, region, band) on the dates of the first sensor, in units of noise."""
    at_targets: NDArray[np.float32]
    """(target, band, region) likewise."""
    variance: NDArray[np.float32]
    """(target, band, region)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """All that the series of a window's pixels depend on, so that they can be made part by part."""

    first: Sightings
    second: Sightings | None
    targets: NDArray[np.float64]
    used: NDArray[np.bool_]
    """As of `FusedSeries`."""
    left_out: NDArray[np.bool_] | None
    """(time, region) observations of the second sensor that are not used; None without one."""
    noise: NDArray[np.float32]
    bandpass: Bandpass | None
    course: Course | None
    """None if nothing was observed: without the reference sensor there is nothing to bring a second one to."""

    def series(self, part: tuple[slice, slice], limits: tuple[int, int] = LIMITS) -> FusedSeries:
        """The series of a part of the window.

        Args:
            part: its rows and columns.
            limits: smallest and largest value, in stored numbers, at least 1.
        """
        stack = np.ascontiguousarray(self.first.stack[..., *part])
        valid = np.ascontiguousarray(self.used[..., *part])
        made = np.zeros((self.targets.size, *stack.shape[1:]), np.uint16)
        sigma, clipped, course = np.zeros_like(made), 0, self.course
        if course is not None:
            member, weight = (
                np.ascontiguousarray(one[:, *part]) for one in (course.regions.member, course.regions.weight)
            )
            gains = fit_gains(stack, valid, course.at_dates, member, weight, self.noise)
            known = (weight.sum(axis=0) > 0) & valid.any(axis=0)
            observed = (stack, valid, self.first.days, course.at_dates, known)
            both = (course.at_targets, course.variance, member, weight, *gains, self.noise)
            clipped = pixel_series(*observed, self.targets, *both, (float(limits[0]), float(limits[1])), made, sigma)
        return FusedSeries(
            series=made,
            sigma=sigma,
            used=valid,
            used_second=self._used_second(part),
            noise=self.noise,
            bandpass=self.bandpass,
            outliers=int(np.count_nonzero(self.first.valid[..., *part] & ~valid)),
            clipped=clipped,
        )

    def _used_second(self, part: tuple[slice, slice]) -> NDArray[np.bool_] | None:
        if self.second is None:
            return None
        clear = self.second.clear(part)
        if self.left_out is None or self.course is None:
            return np.zeros_like(clear)
        return clear & ~self.left_out[:, self.course.regions.member[0][part]]


def fuse(
    first: Sightings,
    targets: NDArray[np.float64],
    second: Sightings | None = None,
    origin: tuple[int, int] = (0, 0),
) -> FusedSeries:
    """Fill and harmonise the series of a window; see `prepare`.

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
    return prepare(first, targets, second, origin).series(np.s_[:, :])


def prepare(
    first: Sightings,
    targets: NDArray[np.float64],
    second: Sightings | None = None,
    origin: tuple[int, int] = (0, 0),
) -> Prepared:
    """All that the series of a window's pixels depend on.

    The seasonal course is that of a pixel's most similar neighbours, whose clear pixels are averaged, and which a
    second sensor complements between clear dates. A pixel follows it with a brightness of its own, and is drawn to its
    own observations where they differ lastingly. Windows that overlap agree except within `HALO` pixels of their edges.

    Args:
        first: as of `fuse`.
        targets: as of `fuse`.
        second: as of `fuse`.
        origin: as of `fuse`.

    Raises:
        InvalidValueError: inconsistent shapes.
    """
    shape = first.stack.shape
    if second is not None and (second.stack.shape[1], second.shape) != (shape[1], shape[2:]):
        raise InvalidValueError(
            f"got a second sensor of {second.stack.shape[1]} bands on a grid of {second.shape}, "
            f"expected {shape[1]} on {shape[2:]}"
        )
    if not first.valid.any():
        return Prepared(
            first=first,
            second=second,
            targets=targets,
            used=np.zeros_like(first.valid),
            left_out=None,
            noise=np.ones(shape[1], np.float32),
            bandpass=None,
            course=None,
        )
    noise = noise_levels(first.stack, first.valid)
    regions = _regions(first, targets, noise, origin)
    valid = first.valid.copy()
    series, gain = _first_pass(first, valid, regions, noise)
    regions = _seen_only(regions, series)
    bandpass, left_out = None, None
    if second is not None:
        series, bandpass, left_out = _second(second, series, regions, gain * noise[:, None, None], noise)
    return Prepared(
        first=first,
        second=second,
        targets=targets,
        used=valid,
        left_out=left_out,
        noise=noise,
        bandpass=bandpass,
        course=_course(series, first.days, targets, regions),
    )


def _regions(
    first: Sightings, targets: NDArray[np.float64], noise: NDArray[np.float32], origin: tuple[int, int]
) -> Regions:
    """Regions by the smoothed seasonal course."""
    last = max(targets[-1], targets[0] + FEATURE_STEP)
    knots = np.arange(targets[0], last + FEATURE_STEP / 2, FEATURE_STEP)
    times, bands, height, width = first.stack.shape
    features = np.empty((height, width, knots.size * bands), np.uint16)
    seen: NDArray[np.bool_] = np.asarray(first.valid.any(axis=0))
    where = Knots.of(first.days, knots)
    smoothed_pixels(
        first.stack.reshape(times, bands, -1),
        first.valid.reshape(times, -1),
        np.flatnonzero(seen),
        where.index,
        where.share,
        (where.count, where.first),
        1.0,
        features.reshape(height * width, -1),
    )
    return find_regions(features, np.tile(np.float32(FEATURE_NOISE) * noise, knots.size), origin, seen=seen)


def _seen_only(regions: Regions, series: RegionSeries) -> Regions:
    """Memberships without regions that were never observed; the weights of a pixel that has no other are 0."""
    seen = np.asarray(series.seen.any(axis=0), np.float32)
    weight = regions.weight * seen[regions.member]
    total = weight.sum(axis=0)
    return replace(regions, weight=np.asarray(weight / np.where(total > 0, total, 1.0), np.float32))


def _first_pass(
    first: Sightings, valid: NDArray[np.bool_], regions: Regions, noise: NDArray[np.float32]
) -> tuple[RegionSeries, NDArray[np.float32]]:
    """Series of regions without spikes, and the brightness of pixels; outliers are taken out of `valid`."""
    where = (regions.member, regions.weight)
    means, mass = gather(first.stack, valid, *where, regions.count)
    series = region_series(first.days, means, mass, noise)
    spikes = find_spikes(series)
    for t in np.flatnonzero(spikes.any(axis=1)):
        valid[t] &= ~spikes[t, regions.member[0]]
    series = series.without(spikes)
    at_dates = smoothed(series, rates(series), first.days)
    mean = at_dates.by_region()
    gain, _ = fit_gains(first.stack, valid, mean, *where, noise)
    valid &= ~find_outliers(first.stack, valid, mean, at_dates.variance, *where, gain, noise)
    gone = gather(first.stack, first.valid & ~valid, *where, regions.count)
    return region_series(first.days, *without((means, mass), gone), noise).without(spikes), gain


def _second(
    second: Sightings, series: RegionSeries, regions: Regions, level: NDArray[np.float32], noise: NDArray[np.float32]
) -> tuple[RegionSeries, Bandpass | None, NDArray[np.bool_]]:
    """Series with those of the second sensor, if it can be compared with the first; and which of these are left out."""
    made = smoothed(series, rates(series), second.days)
    sure = (made.variance.max(axis=1) < NEAR) | series.seen_within(second.days, NEAR_DAYS)
    mixed = mixtures(second, regions, level)
    usable = second.valid & sure[:, mixed.middle]
    differ = expected(made.by_region(), second.valid, mixed.start, mixed.region, mixed.bright)
    step = second.footprint if second.rows is None else 1
    some = np.s_[:, :, step // 2 :: step, step // 2 :: step]
    bandpass = fit_bandpass(second.stack[some], differ[some], usable[:, *some[2:]])
    if not np.isfinite(bandpass.scatter).all():
        return series, None, np.ones_like(sure)
    for t in range(second.days.size):
        differ[t] = bandpass.apply(second.stack[t : t + 1].astype(np.float32))[0] - differ[t]
    where = (mixed.start, mixed.region, mixed.share, regions.count)
    means, uneven, mass = regional_means(differ, second.valid, *where)
    added = second_series(second.days, made.mean, means, uneven, mass, sure, bandpass.scatter, noise)
    both = series.joined(added)
    spikes = find_spikes(both) & ~both.reference[:, None]
    return both.without(spikes), bandpass, spikes[~both.reference]


def _course(series: RegionSeries, days: NDArray[np.float64], targets: NDArray[np.float64], regions: Regions) -> Course:
    """Smoothed series of regions; uncertainty is calibrated on withheld dates first."""
    rate = rates(series)
    at_dates, at_targets = smoothed(series, rate, days), smoothed(series, rate, targets)
    return Course(
        regions=regions,
        at_dates=at_dates.by_region(),
        at_targets=at_targets.mean,
        variance=_real(at_targets.variance, calibration(series, rate)),
    )


def _real(variance: NDArray[np.float32], factor: NDArray[np.float64]) -> NDArray[np.float32]:
    """Calibrated variances of regions (target, band, region); 0 for those never observed, which no pixel follows."""
    predicted = np.where(np.isfinite(variance), variance, 0.0)
    real = np.exp(2.0 * factor[:, 0])[None, :, None] * predicted ** factor[:, 1][None, :, None]
    return np.asarray(real, np.float32)
