"""Assets of STAC items: the files of a sample, and what a reader has to know of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.stac.bands import asset_bands
from landloom.corpus.stac.links import COG, CSV, GEOJSON, GEOTIFF, ZARR
from landloom.model.time import format_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.layout import SampleGap, TileKey
    from landloom.corpus.stac.links import Hrefs
    from landloom.model.sample import Sample
    from landloom.model.sensor import Band

    RasterGrid = Callable[[float], dict[str, Any]]
    """Resolution in metres → fields of the projection extension."""


_WITHOUT_OVERVIEWS: Final = 512
"""Pixels along a side up to which a GeoTIFF of strips is a Cloud-Optimised one, by rio-cogeo's rules."""


def raster_grid(sample: Sample, resolution: float) -> dict[str, Any]:
    """Shape and transform of a sample's rasters; the edges are slots, unless the rasters are wider than the sample.

    Args:
        sample: the sample.
        resolution: of its pixels, in metres.
    """
    grid = sample.grid(resolution)
    west, north = ("@@=WEST@@", "@@=NORTH@@") if is_filled(sample, resolution) else (grid.west, grid.north)
    return {"proj:shape": list(grid.shape), "proj:transform": [resolution, 0.0, west, 0.0, -resolution, north]}


def is_filled(sample: Sample, resolution: float) -> bool:
    """Whether pixels of that size fill a sample exactly."""
    return sample.grid(resolution).bounds == tuple(sample.bounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAssets:
    """The assets of the items of one tile."""

    info: CorpusInfo
    """The corpus."""
    tile: TileKey
    """The tile."""
    slot: SampleGap
    """Stands for any sample in paths."""
    hrefs: Hrefs
    """How hrefs are written."""

    def of(
        self,
        members: tuple[ProductInfo, ...],
        key: str,
        step: int | None,
        there: Mapping[str, NDArray[np.bool_]],
        grid: RasterGrid,
    ) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Key, path and fields of each asset of an item; by timestep, and within a timestep in product order.

        Args:
            members: products of the collection.
            key: of the item's document.
            step: index of its timestep; None for all of them.
            there: product → (timesteps,) existing files.
            grid: fields of the projection extension.
        """
        for item, position in _placed(members, step, there):
            yield from self._product_assets(item, position, key, grid)

    def places(
        self,
        members: tuple[ProductInfo, ...],
        step: int | None,
        there: Mapping[str, NDArray[np.bool_]],
        grid: RasterGrid,
    ) -> dict[str, list[tuple[str, int]]]:
        """Key of each asset that `of` yields → product and timesteps whose files it stands for."""
        found: dict[str, list[tuple[str, int]]] = {}
        for item, position in _placed(members, step, there):
            for asset, _, _ in self._product_assets(item, position, "", grid):
                found.setdefault(asset, []).append((item.key, position))
        return found

    def _product_assets(
        self, item: ProductInfo, position: int, key: str, grid: RasterGrid
    ) -> Iterator[tuple[str, str, dict[str, Any]]]:
        product, layout = item.product, self.info.layout
        title = product.title
        if product.kind == "labels":
            path = layout.label(self.slot, product.prefix)
            yield product.prefix, path, self._asset(key, path, GEOJSON, title, ["labels", "labels-vector"])
            return
        if product.kind == "raster-labels" and not item.timesteps:
            path = layout.raster_label(self.slot, product.prefix, item.label_version, product.suffix)
            if product.suffix == "csv":
                yield product.prefix, path, self._asset(key, path, CSV, title, ["metadata"])
                return
            roles = ["labels", "labels-raster"]
            yield product.prefix, path, self._raster(item, product.bands, key, path, title, roles, grid)
            return
        roles = [product.role]
        if "chips" not in self.info.layouts:
            path = layout.cube(self.tile, product)
            yield f"{product.prefix}_cube", path, self._asset(key, path, ZARR, title, roles)
            return
        timestep = item.timesteps[position] if item.timesteps else None
        name = None if timestep is None else timestep.name
        for asset, band in self._files(item, name):
            path = layout.chip(self.slot, product, name, None if band is None else band.name)
            own = ", ".join([title, *([] if name is None else [name]), *([] if band is None else [band.name])])
            fields = self._raster(item, product.bands if band is None else (band,), key, path, own, roles, grid)
            stamp = {} if timestep is None else {"datetime": format_instant(timestep.stamp)}
            yield asset, path, fields | stamp

    def _files(self, item: ProductInfo, timestep: str | None) -> list[tuple[str, Band | None]]:
        """Asset keys of a chip: one, or one per band."""
        product, patterns = item.product, self.info.layout.patterns
        if patterns.band_asset is None:
            own = None if patterns.dated_item else timestep
            return [(product.asset_key(own), None)]
        fields = {"prefix": product.prefix, "timestep": timestep}
        return [(patterns.band_asset.format(band=band.name, **fields), band) for band in product.bands]

    def _raster(
        self,
        item: ProductInfo,
        bands: tuple[Band, ...],
        key: str,
        path: str,
        title: str,
        roles: list[str],
        grid: RasterGrid,
    ) -> dict[str, Any]:
        size = None if item.product.resolution is None else grid(item.product.resolution)
        small = size is not None and max(size["proj:shape"]) <= _WITHOUT_OVERVIEWS
        media = COG if small and self.info.layout.patterns.by_date else GEOTIFF
        found = self._asset(key, path, media, title, roles)
        if bands:
            found |= asset_bands(item, bands)
        return found | (size or {})

    def _asset(self, key: str, path: str, media: str, title: str, roles: list[str]) -> dict[str, Any]:
        return {"href": self.hrefs.between(key, path), "type": media, "title": title, "roles": roles}


def _placed(
    members: tuple[ProductInfo, ...], step: int | None, there: Mapping[str, NDArray[np.bool_]]
) -> Iterator[tuple[ProductInfo, int]]:
    """Products and timesteps with files; by timestep, and within a timestep in product order."""
    for position in range(max(item.slots for item in members)) if step is None else [step]:
        for item in members:
            rows = there.get(item.key)
            if rows is not None and position < len(rows) and rows[position]:
                yield item, position
