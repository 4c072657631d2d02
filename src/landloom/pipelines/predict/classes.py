"""Predicted classes: shares of samples, and maps of classes with their probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.info import ProductInfo
from landloom.formats.chip_tags import classes_of
from landloom.formats.geotiff import encode_geotiff
from landloom.model.apportion import apportion
from landloom.model.product import Product, product
from landloom.model.rendering.known import PERCENT, PROBABILITY
from landloom.model.rendering.palettes import class_colours, named_rendering
from landloom.model.sensor import Band
from landloom.model.taxonomy import LandClass, Taxonomy, taxonomies, taxonomy

if TYPE_CHECKING:
    from landloom.model.grid import Grid
    from landloom.model.rendering.values import Categorical
    from landloom.pipelines.predict.options import Release
    from landloom.training.fit.mapping import SampleMap

CLASSES: Final = "classes"
PROBABILITIES: Final = "probabilities"
SCALE: Final = 10_000
"""Stored number of a probability of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMaps:
    """Class shares of samples; of models of pixels and parcels also classes and their probabilities."""

    release: Release

    @property
    def is_map(self) -> bool:
        """Whether there are rasters."""
        return self.release.own.task != "lulc"

    @property
    def taxonomy(self) -> Taxonomy:
        """That of the classes: one of the corpus or of landloom by that name, else one of the model's classes."""
        named = self.release.own.taxonomy
        held = (item.taxonomy for item in self.release.info.products if item.taxonomy is not None)
        found = next((one for one in held if one.name == named["name"]), None)
        if found is None and named["name"] in taxonomies():
            found = taxonomy(named["name"])
        if found is not None:
            return found
        classes = [LandClass(code=str(one.code), name=one.name) for one in self.release.own.classes]
        nodata = LandClass(code=str(named["nodata"]), name="No data")
        return Taxonomy(
            name=named["name"], prefix=named["prefix"], classes=(*classes, nodata), nodata=str(named["nodata"])
        )

    @property
    def nodata(self) -> int:
        """Code of pixels that the model says nothing about."""
        return int(self.taxonomy.nodata)

    @property
    def dtype(self) -> str:
        """Of the class map."""
        return "uint8" if max(self.nodata, *(one.code for one in self.release.own.classes)) < 256 else "uint16"

    @property
    def layers(self) -> tuple[str, ...]:
        """Those of the maps."""
        return (CLASSES, PROBABILITIES) if self.is_map else ()

    @property
    def products(self) -> tuple[ProductInfo, ...]:
        """Class shares; of maps also the classes and their probabilities."""
        release, key = self.release, self.release.version.key()
        title = f"Predicted classes ({release.title})"
        shares = replace(product("labels"), key=key, collection=key, prefix=key, title=title)
        rows = [shares, *(self._rasters(release.title, release.resolution) if self.is_map else ())]
        return tuple(
            ProductInfo(
                product=row,
                terms=release.terms,
                taxonomy=None if row.key.endswith(f"_{PROBABILITIES}") else self.taxonomy,
                stated_period=release.images.period,
                label_version=str(release.version.number),
            )
            for row in rows
        )

    @property
    def _rendering(self) -> Categorical:
        """Of the class map."""
        colours = class_colours(self.taxonomy)
        return named_rendering((one.code, one.name, colours[str(one.code)]) for one in self.release.own.classes)

    def _rasters(self, title: str, resolution: float) -> tuple[Product, ...]:
        pair = (
            Band(name="class", description="Most probable class", resolution=resolution, rendering=self._rendering),
            Band(name="confidence", description="Its probability in percent", resolution=resolution, rendering=PERCENT),
        )
        each = tuple(
            Band(
                name=f"class_{one.code}",
                description=f"{SCALE:,} × probability of class {one.code}, {one.name}",
                resolution=resolution,
                rendering=PROBABILITY,
            )
            for one in self.release.own.classes
        )
        rows = ((CLASSES, pair, self.dtype, float(self.nodata)), (PROBABILITIES, each, "uint16", None))
        return tuple(
            Product(
                key=self.release.version.key(layer),
                folder=None,
                collection=self.release.version.collection,
                prefix=f"{self.release.wanted.name}_{layer}",
                title=f"Predicted {layer} ({title})",
                kind="raster-labels",
                bands=bands,
                dtype=dtype,
                nodata=nodata,
                resolution=resolution,
            )
            for layer, bands, dtype, nodata in rows
        )

    def fractions(self, one: SampleMap) -> list[int]:
        """Shares in the order of the taxonomy."""
        found = self.taxonomy
        weights = np.zeros(len(found.codes()))
        places = [found.index[str(item.code)] for item in self.release.own.classes]
        weights[[*places, found.index[found.nodata]]] = one.shares
        values: list[int] = apportion(weights).tolist()
        return values

    def rasters(self, one: SampleMap, grid: Grid) -> dict[str, bytes]:
        """Key of a raster → GeoTIFF."""
        if one.probabilities is None or one.known is None:
            return {}
        codes = np.array([item.code for item in self.release.own.classes], self.dtype)
        best = codes[one.probabilities.argmax(axis=0)]
        percent = np.floor(one.probabilities.max(axis=0) * 100 + 0.5).astype(self.dtype)
        classes = np.stack([np.where(one.known, best, self.nodata).astype(self.dtype), percent])
        chances = np.floor(one.probabilities.astype(np.float64) * SCALE + 0.5).astype(np.uint16)
        arrays: dict[str, Any] = {CLASSES: classes, PROBABILITIES: chances}
        rows = {item.key: item.product for item in self.products[1:]}
        return {
            key: encode_geotiff(
                arrays[key.rpartition("_")[2]],
                grid,
                nodata=row.nodata,
                bands=[band.name for band in row.bands],
                classes=classes_of(row.bands),
            )
            for key, row in rows.items()
        }
