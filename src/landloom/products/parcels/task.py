"""Label rasters of a corpus: prepared parcels are laid on the samples in chunks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.manifest import FileEntry
from landloom.engine.blocks import blocks as sample_blocks
from landloom.engine.sources.parcels import classes_csv, csv_bytes
from landloom.engine.sources.prepared import FOLDER, SIDE, load_parcels
from landloom.engine.units import Outcome, Unit, digest
from landloom.formats.geotiff import encode_geotiff
from landloom.labels.layers import LocatedParcels, layers_of_window
from landloom.model.product import Product, product
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.project import Project
    from landloom.engine.sources.prepared import Prepared
    from landloom.labels.classes import ClassMapping
    from landloom.model.grid import Bounds, Grid
    from landloom.model.recipe import ParcelsSection
    from landloom.model.sample import Sample
    from landloom.store.protocol import Store

UNIT: Final = "layers"
"""Start of the ids of units that write label rasters."""
CHUNK: Final = 2048
"""Samples of a unit."""
_TABLES: Final = ("rejected_parcels", "classes", "parcel_windows")
VERSION: Final = "1"
"""Version in the names of label rasters."""


def layer_products(section: ParcelsSection, mapping: ClassMapping | None) -> list[Product]:
    """The raster-label products of a recipe, in its order.

    Args:
        section: of the recipe.
        mapping: gives the type of the class map; None for regression, or where it is not known yet.
    """
    rows = []
    for name in section.layers:
        row = replace(product(name), resolution=section.resolution)
        if name == "classes":
            row = replace(row, dtype="float32" if mapping is None else mapping.dtype.name)
        rows.append(row)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersTask:
    """Write the label rasters of some samples."""

    store: str
    layout: Layout
    products: tuple[Product, ...]
    samples: tuple[Sample, ...]
    """In id order."""
    grid: Grid
    """Pixels of the whole region."""
    only: tuple[int, ...] | None
    """For each sample, the one parcel that it shows; None for all of them."""
    year: int | None = None
    """Of the labels, where samples have one."""

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
            return Outcome(files=tuple(files))
        import shapely

        tree = shapely.STRtree(located.parcels.geometries)
        for block in sample_blocks(self.samples, self._resolution, SIDE):
            members = [self.samples[place] for place in block.samples]
            near = np.sort(tree.query(shapely.box(*block.grid.bounds)))
            files += self._cut(store, located, block.grid, members, near)
        return Outcome(files=tuple(files))

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
                nodata = float("nan") if array.dtype.kind == "f" and item.key != "ratios" else None
                data = encode_geotiff(array[None], own, nodata=nodata, bands=[item.key])
                key = self.layout.raster_label(sample.id, item.prefix, VERSION)
                store.put(key, data)
                files.append(FileEntry.of(key, data))
        return files


def layers_units(
    project: Project, prepared: Prepared, tiles: Mapping[str, tuple[Sample, ...]], layout: Layout, store: str
) -> list[Unit]:
    """Units that write the label rasters, some thousand samples each.

    Args:
        project: the recipe in its folder.
        prepared: its parcels.
        tiles: tile → samples, in id order.
        layout: keys of the corpus.
        store: where it is built.
    """
    section = project.recipe.parcels
    if section is None:
        return []
    products = tuple(layer_products(section, prepared.mapping))
    units = []
    settings = [[row.key, row.dtype, row.resolution] for row in products]
    for tile, samples in tiles.items():
        years = {year: [one for one in samples if getattr(one.id, "year", None) == year] for year in prepared.years}
        parts = [
            (year, tuple(own[start : start + CHUNK]))
            for year, own in years.items()
            for start in range(0, len(own), CHUNK)
        ]
        for number, (year, part) in enumerate(parts):
            only = tuple(prepared.parcels[str(sample.id)] for sample in part) if prepared.alone else None
            task = LayersTask(
                store=store, layout=layout, products=products, samples=part, grid=prepared.grid, only=only, year=year
            )
            decides = digest(prepared.key, settings, only, [(str(one.id), one.bounds) for one in part], layout.name)
            units.append(Unit(id=f"{UNIT}-{number:05d}/{tile}", key=decides, memory=2**29, task=task))
    return units


def layers_exist(exists: dict[str, NDArray[np.bool_]], unit: Unit, samples: Sequence[Sample], *, done: bool) -> None:
    """Note which samples of a tile have the rasters of a unit.

    Args:
        exists: product → (sample, 1); filled.
        unit: one that writes label rasters.
        samples: of the tile.
        done: whether the unit is.
    """
    task = unit.task
    if not isinstance(task, LayersTask):
        raise TypeError(f"got {type(task).__name__}, wanted a task that writes label rasters")
    own = {sample.id for sample in task.samples}
    rows = np.array([sample.id in own for sample in samples])
    for item in task.products:
        there = exists.setdefault(item.key, np.zeros((len(samples), 1), np.bool_))
        there[rows] = done


def parcel_files(name: str, prepared: Prepared, store: Store) -> list[tuple[str, bytes]]:
    """Key and bytes of the tables that explain label rasters: the whole class mapping, and what was left out.

    Args:
        name: of the corpus.
        prepared: its parcels.
        store: where it is built.
    """
    rejected = store.get(f"{FOLDER}/rejected.csv")
    rejected += csv_bytes((), ((own, "", "without a window", why) for own, why in prepared.left_out)).lstrip(b"\n")
    rejected_key, classes_key, windows_key = parcel_tables(name)
    files = [(rejected_key, rejected)]
    if prepared.mapping is not None:
        files.append((classes_key, classes_csv(prepared.rows())))
    if prepared.outlines:
        files.append((windows_key, prepared.outlines))
    return files


def parcel_tables(name: str) -> tuple[str, str, str]:
    """Keys of the tables about parcels: those rejected, their classes, and those that windows are about.

    Example:
        >>> parcel_tables("x")[0]
        'resources/x_rejected_parcels.csv'
    """
    rejected, classes, windows = (f"resources/{name}_{what}.csv" for what in _TABLES)
    return rejected, classes, windows


def _extent(samples: Sequence[Sample]) -> Bounds:
    wests, souths, easts, norths = zip(*(sample.bounds for sample in samples), strict=True)
    return min(wests), min(souths), max(easts), max(norths)
