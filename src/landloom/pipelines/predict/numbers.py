"""Predicted numbers: a raster of pixels, or of one pixel for each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.info import ProductInfo
from landloom.errors import InvalidInputError
from landloom.formats.geotiff import encode_geotiff
from landloom.model.grid import Grid
from landloom.model.product import Product
from landloom.model.sensor import Band

if TYPE_CHECKING:
    from landloom.pipelines.predict.options import Release
    from landloom.training.fit.mapping import SampleNumbers

NODATA: Final = float(np.finfo(np.float32).min)
"""Stored where the model says nothing; no prediction can be mistaken for it."""
BAND: Final = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberMaps:
    """Numbers of the pixels of samples, or of samples as a whole: then a sample is one pixel."""

    release: Release
    side: float
    """Of the samples in metres."""

    @property
    def layers(self) -> tuple[str, ...]:
        """None: the numbers are the main product."""
        return ()

    @property
    def products(self) -> tuple[ProductInfo, ...]:
        """The numbers, as float32."""
        release, target = self.release, self.release.own.target
        size = self.side if release.own.task == "lulc" else release.resolution
        learnt = f"{target['product']} {target['band'] or ''}".strip()
        band = Band(name=BAND, description=f"Predicted {learnt}", resolution=size, unit=target.get("unit"))
        row = Product(
            key=release.version.key(),
            folder=None,
            collection=release.version.collection,
            prefix=release.version.name,
            title=f"Predicted {learnt} ({release.title})",
            kind="raster-labels",
            bands=(band,),
            dtype="float32",
            nodata=NODATA,
            resolution=size,
        )
        return (
            ProductInfo(
                product=row,
                terms=release.terms,
                stated_period=release.images.period,
                label_version=str(release.version.number),
            ),
        )

    def fractions(self, one: SampleNumbers) -> None:
        """None: numbers have no classes."""

    def rasters(self, one: SampleNumbers, grid: Grid) -> dict[str, bytes]:
        """Key → GeoTIFF.

        Args:
            one: what the model says.
            grid: pixels of the images.

        Raises:
            InvalidInputError: a number that float32 does not hold.
        """
        if np.isinf(one.numbers).any():
            raise InvalidInputError(f"{one.id}: got a prediction that is no finite number, expected one")
        (item,) = self.products
        stored = np.where(np.isnan(one.numbers), np.float32(NODATA), one.numbers)[None]
        place = grid if one.numbers.shape == grid.shape else Grid.of_bounds(grid.epsg, grid.bounds, self.side)
        (band,) = item.product.bands
        return {item.key: encode_geotiff(stored, place, nodata=NODATA, bands=[band.name], unit=band.unit)}
