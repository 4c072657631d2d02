"""The index of a sample's pixels over time, from any series of images in a corpus, and its breaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError, counted
from landloom.imagery.change.breaks import BreakTest, find_breaks
from landloom.imagery.change.indices import index_bands, normalised_difference
from landloom.imagery.change.transition import FEWEST
from landloom.imagery.fusion.noise import noise_levels
from landloom.query.pixel_series import SampleSeries

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.imagery.change.breaks import Breaks
    from landloom.model.grid import Grid
    from landloom.query.corpus import Corpus

EPOCH: Final = np.datetime64("1970-01-01", "D")
"""Dates are days since then."""
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings:
    """What is looked for, in which product."""

    product: str
    """Key of a series of images: composite, series, filled or fused."""
    index: str = "ndvi"
    """Name in `landloom.imagery.change.indices.INDICES`."""
    test: BreakTest = field(default_factory=BreakTest)
    """Settings of the test."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IndexSeries:
    """An index over time, with the noise and validity of each value."""

    grid: Grid
    """Of the sample."""
    days: NDArray[np.float64]
    """(time) days since 1970-01-01."""
    values: NDArray[np.float32]
    """(time, y, x) index, -1 to 1."""
    variance: NDArray[np.float32]
    """(time, y, x) of its noise."""
    valid: NDArray[np.bool_]
    """(time, y, x) True = observed, not filled."""

    @classmethod
    def read(cls, corpus: Corpus, sample: str, settings: ChangeSettings) -> IndexSeries:
        """Read a sample.

        Values that quality layers call synthetic are not observations, and are left out.

        Raises:
            NotFoundError: no such sample or product.
            InvalidInputError: the product is no series of reflectance, lacks a band of the index, or has too few dates.
        """
        series = SampleSeries.read(corpus, sample, settings.product)
        if series.values.dtype != np.uint16:
            raise InvalidInputError(f"{settings.product}: got {series.values.dtype}, expected reflectance in uint16")
        if len(series.times) < FEWEST:
            steps = counted(len(series.times), "timestep")
            raise InvalidInputError(f"{settings.product}: got {steps} of {sample}, expected {FEWEST} or more")
        pair = index_bands(settings.index, series.bands)
        stack = np.ascontiguousarray(series.values)
        valid = series.observed(pair)
        values, variance = normalised_difference(stack, pair, noise_levels(stack, valid))
        days = np.array([np.datetime64(time.replace(tzinfo=None), "s") for time in series.times])
        return cls(
            grid=series.grid,
            days=(days - EPOCH).astype("timedelta64[s]").astype(np.float64) / 86_400.0,
            values=values,
            variance=variance,
            valid=valid,
        )

    def breaks(self, test: BreakTest) -> Breaks:
        """Breaks of each pixel."""
        return find_breaks(self.values, self.variance, self.valid, self.days, test)

    def mean(self) -> IndexSeries:
        """The series of the sample as a whole, as one pixel: its course beside the mean of each pixel.

        A date counts if half of the pixels are valid. Pixels are compared with their own mean, so that it does not
        matter which of them are clear.
        """
        count = self.valid.sum(axis=0)
        total = np.where(self.valid, self.values, 0.0).sum(axis=0, dtype=np.float64)
        own = total / np.maximum(count, 1)
        level = float(own[count > 0].mean()) if (count > 0).any() else 0.0
        seen = self.valid.sum(axis=(1, 2))
        usual = np.where(self.valid, self.values - own[None], 0.0).sum(axis=(1, 2)) / np.maximum(seen, 1)
        noise = np.where(self.valid, self.variance, 0.0).sum(axis=(1, 2)) / np.maximum(seen, 1) ** 2
        height, width = self.valid.shape[1:]
        return IndexSeries(
            grid=self.grid,
            days=self.days,
            values=(level + usual).astype(np.float32)[:, None, None],
            variance=np.maximum(noise, 1e-8).astype(np.float32)[:, None, None],
            valid=(seen >= _HALF * height * width)[:, None, None],
        )
