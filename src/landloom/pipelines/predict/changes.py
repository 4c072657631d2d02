"""Predicted dates of changes: the layers of `landloom change`, with a probability in place of the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landloom.pipelines.change.layers import LAYERS, PROBABILITY, break_products, break_rasters
from landloom.training.change.mapping import MOST

if TYPE_CHECKING:
    from landloom.corpus.info import ProductInfo
    from landloom.model.grid import Grid
    from landloom.pipelines.predict.options import Release
    from landloom.training.change.mapping import SampleBreaks


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMaps:
    """Date, margin, magnitude and probability of the breaks of pixels."""

    release: Release

    @property
    def layers(self) -> tuple[str, ...]:
        """All but the date."""
        return (*(layer for layer in LAYERS if layer), PROBABILITY)

    @property
    def products(self) -> tuple[ProductInfo, ...]:
        """The date, and the layers beside it."""
        release = self.release
        index = str(release.own.target["index"]).upper()
        return break_products(
            release.version,
            release.terms,
            method=f"{index} of {release.own.product}, {release.title}",
            most=MOST,
            resolution=release.resolution,
            period=release.images.period,
            sure=PROBABILITY,
        )

    def fractions(self, one: SampleBreaks) -> None:
        """None: dates have no classes."""

    def rasters(self, one: SampleBreaks, grid: Grid) -> dict[str, bytes]:
        """Key of a product → GeoTIFF."""
        return break_rasters(one.breaks, grid, self.products)
