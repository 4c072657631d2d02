"""How much a place changed between two series, such as those of two years: what next year's annotators see first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.pipelines.annotation.series import ChipSeries

SEASONS: Final = 6
"""Parts of the year whose means are compared."""
CHANGED: Final = 3.0
"""Distance, in typical distances of the chip, at which a pixel has changed as likely as not."""
FLOOR: Final = 0.01
"""Least typical distance in reflectance: smaller differences are noise."""


def change(before: ChipSeries, after: ChipSeries) -> NDArray[np.float64]:
    """Probability that the land cover of each pixel changed between two series of one chip.

    Clear observations are averaged over parts of the year; the distance of a pixel is the median over these parts of
    its root-mean-square difference over all bands, so that one harvest or one missed cloud changes little. It is
    compared with the distance that is typical of the chip: weather and phenology change every pixel.

    Args:
        before: the earlier series.
        after: the later one, with the same bands and pixels.

    Returns:
        (y, x) 0 to 1; 0.5 where the two have no part of the year in common.

    Raises:
        InvalidInputError: different bands or pixels.
    """
    if before.reflectance.shape[1:] != after.reflectance.shape[1:]:
        raise InvalidInputError(
            f"got series of {before.reflectance.shape[1:]} and {after.reflectance.shape[1:]} (band, y, x), "
            "expected the same"
        )
    first, second = _seasons(before), _seasons(after)
    differences = np.sqrt(np.mean((first - second) ** 2, axis=1))
    both = np.isfinite(differences)
    distance = _median(differences, both)
    known = np.isfinite(distance)
    if not known.any():
        return np.full(distance.shape, 0.5)
    typical = max(float(np.median(distance[known])), FLOOR)
    ratio = np.where(known, distance, typical * CHANGED) / (typical * CHANGED)
    return ratio**4 / (1 + ratio**4)


def _seasons(series: ChipSeries) -> NDArray[np.float64]:
    """(season, band, y, x) mean reflectance of the clear observations in each part of the year; NaN without any."""
    part = _parts(series.times)
    bands, height, width = series.reflectance.shape[1:]
    result = np.full((SEASONS, bands, height, width), np.nan)
    for season in range(SEASONS):
        own = part == season
        count = series.valid[own].sum(axis=0)
        total = np.zeros((bands, height, width))
        for step in np.flatnonzero(own).tolist():
            total += np.where(series.valid[step], series.reflectance[step], 0)
        np.divide(total, 10_000.0 * count, out=result[season], where=np.broadcast_to(count > 0, total.shape))
    return result


def _parts(times: Sequence[datetime]) -> NDArray[np.int64]:
    """(time,) part of the year of each date."""
    days = np.array([time.timetuple().tm_yday - 1 for time in times], np.int64)
    return np.minimum(days * SEASONS // 365, SEASONS - 1)


def _median(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(y, x) median over known values along the first axis; NaN where there is none."""
    ordered = np.sort(np.where(known, values, np.inf), axis=0)
    count = known.sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, count[None] // 2 * (count > 0), axis=0)[0]
    high = np.where(count % 2 == 1, low, high)
    return np.where(count > 0, (low + high) / 2, np.nan)
