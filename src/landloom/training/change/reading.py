"""Series of the pixels of a corpus as observed, with the dates that a raster of it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.model.sensor import REFLECTANCE_SCALE
from landloom.query.pixel_series import SampleSeries
from landloom.training.change.series import DatedSeries
from landloom.training.datasets.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from landloom.query.corpus import Corpus
    from landloom.training.datasets.rasters import RasterReader

DATE: Final = "date"
"""Start of the names of the bands of dates: `date_1`, …"""
_EPOCH: Final = np.datetime64("1970-01-01", "D")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObservedImages:
    """The series of a sample without what was filled."""

    image: NDArray[np.float32]
    """(time, band, y, x) reflectance."""
    dates: NDArray[np.int64]
    """(time) days since 1970-01-01."""
    valid: NDArray[np.bool_]
    """(time, y, x) observed."""

    @classmethod
    def read(cls, corpus: Corpus, sample: str, product: str, bands: Sequence[str]) -> ObservedImages:
        """Read a sample; values that quality layers call synthetic are no observations.

        Raises:
            NotFoundError: no such sample or product.
            InvalidInputError: no series of reflectance, or one that lacks a band.
        """
        series = SampleSeries.read(corpus, sample, product)
        if series.values.dtype != np.uint16:
            raise InvalidInputError(f"{product}: got {series.values.dtype}, expected reflectance in uint16")
        lacking = [band for band in bands if band not in series.bands]
        if lacking:
            raise InvalidInputError(f"{product}: got the bands {', '.join(series.bands)}, expected {lacking[0]}")
        places = [series.bands.index(band) for band in bands]
        days = np.array([np.datetime64(time.replace(tzinfo=None), "D") for time in series.times])
        return cls(
            image=series.values[:, places].astype(np.float32) / np.float32(REFLECTANCE_SCALE),
            dates=(days - _EPOCH).astype(np.int64),
            valid=series.observed(places),
        )

    def series(self, chosen: NDArray[np.int64], event: NDArray[np.float64]) -> DatedSeries:
        """Series of some pixels.

        Args:
            chosen: (row,) pixels, row by row.
            event: (row, event) days on which they change.
        """
        image = self.image.reshape(*self.image.shape[:2], -1)[:, :, chosen]
        return DatedSeries(
            image=np.ascontiguousarray(np.moveaxis(image, -1, 0)),
            dates=np.tile(self.dates, (len(chosen), 1)),
            valid=np.ascontiguousarray(self.valid.reshape(len(self.valid), -1)[:, chosen].T),
            event=event,
        )


def read_dates(reader: RasterReader, number: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """(event, y, x) days since 1970-01-01 of a sample's changes; not a number where there is none.

    Args:
        reader: of a raster with bands `date_1`, …; its nodata, or 0, is no change.
        number: of the sample.
        shape: of its images.

    Raises:
        InvalidInputError: other pixels than those of the images.
    """
    west, south, east, north = reader.samples.bounds[number].tolist()
    stored = reader.read(number, Window(top=0.0, left=0.0, height=north - south, width=east - west))
    found = stored[[place for place, name in enumerate(reader.bands) if name.startswith(DATE)]].astype(np.float64)
    if found.shape[1:] != shape:
        raise InvalidInputError(f"{reader.name(number)}: got {found.shape[1:]} pixels, expected {shape} of the image")
    return np.where((found == 0) | (found == reader.nodata) | ~np.isfinite(found), np.nan, found)


def read_dated(
    corpus: Corpus,
    reader: RasterReader,
    product: str,
    bands: Sequence[str],
    *,
    pixels: int,
    seed: int,
    done: Callable[[str], None] = lambda _: None,
) -> DatedSeries:
    """Series of some pixels of samples with their dates.

    Args:
        corpus: the corpus.
        reader: of the raster of dates of the samples.
        product: key of the images.
        bands: of the images.
        pixels: of a sample, drawn at random, at most; those that were never seen are left out.
        seed: of the draw.
        done: is called with the id of each sample.

    Raises:
        InvalidInputError: no pixel was ever seen.
    """
    parts = []
    for number in range(len(reader.samples)):
        name = reader.samples.id(number)
        images = ObservedImages.read(corpus, name, product, bands)
        dates = read_dates(reader, number, (images.valid.shape[1], images.valid.shape[2]))
        places = np.flatnonzero(images.valid.any(axis=0))
        if len(places) > pixels:
            places = np.sort(np.random.default_rng((seed, number)).choice(places, pixels, replace=False))
        if len(places):
            parts.append(images.series(places, dates.reshape(len(dates), -1)[:, places].T))
        done(name)
    return DatedSeries.joined(parts)
