"""Label rasters: prepared parcels are rasterised for the samples in chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from landloom.corpus.manifest import FileEntry
from landloom.engine.pixels.blocks import blocks as sample_blocks
from landloom.engine.sources.prepared import SIDE, load_parcels
from landloom.engine.units import Observed, Outcome
from landloom.formats.chip_tags import classes_of
from landloom.formats.geotiff import encode_geotiff
from landloom.labels.layers import LocatedParcels, layers_of_window
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.model.grid import Bounds, Grid
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.store.protocol import Store

CHUNK: Final = 2048
"""Samples per unit."""
VERSION: Final = "1"
"""Version in the names of label rasters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersTask:
    """Write the label rasters of some samples."""

    store: str
    layout: Layout
    products: tuple[Product, ...]
    samples: tuple[Sample, ...]
    """Samples in id order."""
    grid: Grid
    """Grid of the whole region."""
    only: tuple[int, ...] | None
    """For each sample, the only parcel that it shows; None for all parcels."""
    year: int | None = None
    """Year of the labels, if samples have one."""

    def run(self) -> Outcome:
        """Rasterise block by block, cut, write."""
        store = open_store(self.store)
        files: list[FileEntry] = []
        west, south, east, north = _extent(self.samples)
        located = load_parcels(store, self.grid, (west, south, east, north), self.year)
        if self.only is not None:
            for sample, own in zip(self.samples, self.only, strict=True):
                near = np.flatnonzero(located.parcels.ids == own)
                files += self._cut(store, located, sample.grid(self._resolution), [sample], near)
            return self._outcome(files)
        tree = shapely.STRtree(located.parcels.geometries)
        for block in sample_blocks(self.samples, self._resolution, SIDE):
            members = [self.samples[place] for place in block.samples]
            near = np.sort(tree.query(shapely.box(*block.grid.bounds)))
            files += self._cut(store, located, block.grid, members, near)
        return self._outcome(files)

    def _outcome(self, files: list[FileEntry]) -> Outcome:
        there = np.ones((len(self.samples), 1), np.bool_)
        made = (Observed(product=product.key, timesteps=(), table=there) for product in self.products)
        return Outcome(files=tuple(files), observed=tuple(made))

    @property
    def _resolution(self) -> float:
        return float(self.products[0].resolution or 10)

    def _cut(
        self, store: Store, located: LocatedParcels, grid: Grid, samples: Sequence[Sample], near: NDArray[np.int64]
    ) -> list[FileEntry]:
        row, column = grid.offset_in(self.grid)
        layers = layers_of_window(located, (row, column, *grid.shape), near)
        files = []
        for sample in samples:
            own = sample.grid(self._resolution)
            top, left = own.offset_in(grid)
            window = np.s_[top : top + own.height, left : left + own.width]
            for item in self.products:
                array = getattr(layers, item.key)[window].astype(item.dtype, copy=False)
                nodata = float("nan") if array.dtype.kind == "f" and item.key != "ratios" else item.nodata
                classes = classes_of(item.bands)
                data = encode_geotiff(array[None], own, nodata=nodata, bands=[item.key], classes=classes)
                key = self.layout.raster_label(sample.id, item.prefix, VERSION)
                store.put(key, data)
                files.append(FileEntry.of(key, data))
        return files


def _extent(samples: Sequence[Sample]) -> Bounds:
    wests, souths, easts, norths = zip(*(sample.bounds for sample in samples), strict=True)
    return min(wests), min(souths), max(easts), max(norths)
