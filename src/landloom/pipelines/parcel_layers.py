"""Label rasters of a corpus: parcels are prepared once, then laid on the samples in chunks."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.manifest import FileEntry
from landloom.formats.geotiff import encode_geotiff
from landloom.labels.classes import ClassMapping
from landloom.labels.layers import LocatedParcels, blocks, layers_of_window, locate
from landloom.labels.parcels import Parcels
from landloom.model.product import Product, product
from landloom.pipelines.blocks import blocks as sample_blocks
from landloom.pipelines.cells import file_identity
from landloom.pipelines.parcels import classes_csv, classes_file, csv_bytes, read_parcels, rejected_csv
from landloom.pipelines.units import Outcome, Unit, digest
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.model.grid import Bounds, Grid
    from landloom.model.recipe import ParcelsSection
    from landloom.model.sample import Sample
    from landloom.pipelines.project import Project
    from landloom.store.protocol import Store

FOLDER: Final = ".landloom/parcels"
"""Where prepared parcels are kept."""
UNIT: Final = "layers"
"""Start of the ids of units that write label rasters."""
CHUNK: Final = 2048
"""Samples of a unit."""
SIDE: Final = 1000
"""Pixels along a side of the blocks that are rasterised at a time."""
VERSION: Final = "1"
"""Version in the names of label rasters."""


def parcel_period(section: ParcelsSection, project: Project) -> tuple[str, str]:
    """First day and the day after the last that parcels must be valid in."""
    if section.year is not None:
        return f"{section.year:04d}-01-01", f"{section.year + 1:04d}-01-01"
    period = project.recipe.period.value
    return f"{period.start:%Y-%m-%d}", f"{period.end:%Y-%m-%d}"


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
class PrepareTask:
    """Read, check and reproject the parcels of a corpus, and say which windows they label."""

    store: str
    """Where the corpus is built."""
    source: str
    section: ParcelsSection
    classes: Mapping[Any, int] | None
    """Value → code, where the recipe or its file says."""
    codes: Mapping[str, int]
    period: tuple[str, str]
    grid: Grid
    """Pixels of the whole region; parcels that reach beyond it are marked."""
    windows: tuple[Grid, int, int] | None
    """Pixels of a window grid, and its rows and columns, where shares of labelled pixels are wanted."""

    def run(self) -> Outcome:
        """Save parcels, mapping, rejected ones and, if wanted, (row, column) shares."""
        section = self.section
        parcels = read_parcels(
            self.source, self.grid, layer=section.layer, default_epsg=section.epsg, columns=section.columns,
            classes=self.classes, codes=self.codes, unmapped=section.unmapped, period=self.period,
            invalid=section.invalid, regression=section.regression,
        )  # fmt: skip
        located = locate(parcels, self.grid)
        files = {
            "table.parquet": _encode(located),
            "mapping.json": orjson.dumps(mapping_document(parcels.mapping)),
            "rejected.csv": rejected_csv(located.rejected, parcels.repaired),
        }
        if self.windows is not None:
            buffer = io.BytesIO()
            np.save(buffer, labelled_shares(located.parcels, *self.windows))
            files["labelled.npy"] = buffer.getvalue()
        store = open_store(self.store)
        entries = []
        for name, data in files.items():
            store.put(f"{FOLDER}/{name}", data)
            entries.append(FileEntry.of(f"{FOLDER}/{name}", data))
        return Outcome(files=tuple(entries), facts={"parcels": len(located.parcels), "rejected": len(located.rejected)})


def prepare_unit(
    project: Project, store: str, grid: Grid, windows: tuple[Grid, int, int] | None
) -> tuple[Unit, PrepareTask]:
    """The unit that prepares the parcels of a recipe, and its task.

    Args:
        project: the recipe in its folder; it names parcels.
        store: where the corpus is built.
        grid: pixels of the whole region.
        windows: as in `PrepareTask`.

    Raises:
        InvalidInputError: the parcels, or the file of their classes, are not there.
    """
    section = project.recipe.parcels
    if section is None:
        raise TypeError("the recipe names no parcels")
    classes: Mapping[Any, int] | None
    codes = {str(role): code for role, code in section.codes.items()}
    if isinstance(section.classes, str):
        classes, special = classes_file(project.path(section.classes))
        codes = special | codes
    else:
        classes = section.classes
    task = PrepareTask(
        store=store, source=project.path(section.file), section=section, classes=classes, codes=codes,
        period=parcel_period(section, project), grid=grid, windows=windows,
    )  # fmt: skip
    asked = section.model_dump(mode="json", exclude={"terms", "layers", "file"})
    extent = None if windows is None else (windows[0].bounds, windows[1:])
    decides = digest(file_identity(task.source), asked, classes, codes, task.period, grid.bounds, grid.epsg, extent)
    return Unit(id="parcels/all", key=decides, memory=2**30, task=task), task


def labelled_shares(parcels: Parcels, grid: Grid, rows: int, columns: int) -> NDArray[np.float32]:
    """Share of each window's pixels whose class is one: neither background nor to be ignored.

    Args:
        parcels: in the grid's CRS.
        grid: pixels of all windows.
        rows: of windows.
        columns: of windows.

    Returns:
        (row, column).
    """
    import shapely

    located = LocatedParcels(grid=grid, parcels=parcels, clipped=np.zeros(len(parcels), np.bool_))
    high, wide = grid.height // rows, grid.width // columns
    shares = np.zeros((rows, columns), np.float32)
    tree = shapely.STRtree(parcels.geometries)
    for down, along, height, width in blocks(grid, max(SIDE // high, 1) * high):
        near = np.sort(tree.query(shapely.box(*grid.window(down, along, height, width).bounds)))
        if not len(near):
            continue
        layers = layers_of_window(located, (down, along, height, width), near)
        marked = layers.ids > 0
        if parcels.mapping is not None:
            marked &= (layers.classes != parcels.mapping.background) & (layers.classes != parcels.mapping.ignore)
        part = marked.reshape(height // high, high, width // wide, wide).mean(axis=(1, 3))
        shares[down // high : (down + height) // high, along // wide : (along + width) // wide] = part
    return shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The prepared parcels of a corpus: where they are kept, and what is known of them."""

    key: str
    """Digest of all that they follow from."""
    grid: Grid
    """Pixels of the whole region."""
    mapping: ClassMapping | None
    """None for regression."""
    parcels: Mapping[str, int]
    """Sample → the parcel that it is about, where windows are centred on parcels."""
    alone: bool = False
    """Whether a sample shows the parcel that it is about and no other."""
    outlines: bytes = b""
    """CSV of the parcels that windows are centred on."""
    left_out: tuple[tuple[int, str], ...] = ()
    """Parcels without a window, with reasons."""

    def rows(self) -> list[dict[str, str | int]]:
        """The whole class mapping, as documents state it."""
        return [] if self.mapping is None else self.mapping.rows()


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

    def run(self) -> Outcome:
        """Rasterise block by block, cut, write."""
        store = open_store(self.store)
        files: list[FileEntry] = []
        west, south, east, north = _extent(self.samples)
        located = load_parcels(store, self.grid, (west, south, east, north))
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
    for tile, samples in tiles.items():
        for number, start in enumerate(range(0, len(samples), CHUNK)):
            part = samples[start : start + CHUNK]
            only = tuple(prepared.parcels[str(sample.id)] for sample in part) if prepared.alone else None
            task = LayersTask(
                store=store, layout=layout, products=products, samples=part, grid=prepared.grid, only=only
            )
            settings = [[row.key, row.dtype, row.resolution] for row in products]
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
    files = [(f"resources/{name}_rejected_parcels.csv", rejected)]
    if prepared.mapping is not None:
        files.append((f"resources/{name}_classes.csv", classes_csv(prepared.rows())))
    if prepared.outlines:
        files.append((f"resources/{name}_parcel_windows.csv", prepared.outlines))
    return files


def mapping_document(mapping: ClassMapping | None) -> dict[str, Any] | None:
    """A mapping as JSON values; None for regression."""
    if mapping is None:
        return None
    special = {name: getattr(mapping, name) for name in ("background", "ignore", "unknown")}
    return {"codes": dict(mapping.codes), **special, "dtype": mapping.dtype.name}


def read_mapping(store: Store) -> ClassMapping | None:
    """The mapping of prepared parcels."""
    document = orjson.loads(store.get(f"{FOLDER}/mapping.json"))
    return None if document is None else ClassMapping(**document | {"dtype": np.dtype(document["dtype"])})


def _extent(samples: Sequence[Sample]) -> Bounds:
    wests, souths, easts, norths = zip(*(sample.bounds for sample in samples), strict=True)
    return min(wests), min(souths), max(easts), max(norths)


def _encode(located: LocatedParcels) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import shapely

    parcels = located.parcels
    bounds = shapely.bounds(parcels.geometries).reshape(-1, 4)
    columns = {
        "id": pa.array(parcels.ids), "value": pa.array(parcels.values), "clipped": pa.array(located.clipped),
        "name": pa.array(list(parcels.names) or [""] * len(parcels), pa.string()),
        **{name: pa.array(bounds[:, place]) for place, name in enumerate(("west", "south", "east", "north"))},
        "geometry": pa.array(shapely.to_wkb(parcels.geometries).tolist(), pa.binary()),
    }  # fmt: skip
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


def load_parcels(store: Store, grid: Grid, box: Bounds | None = None) -> LocatedParcels:
    """Read prepared parcels.

    Args:
        store: where the corpus is built.
        grid: pixels of the whole region.
        box: only those whose bounds meet it; all unless told.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    import shapely

    table: pa.Table = pq.read_table(io.BytesIO(store.get(f"{FOLDER}/table.parquet")))
    if box is not None:
        meets = (
            (pc.field("west") < box[2]) & (pc.field("east") > box[0])
            & (pc.field("south") < box[3]) & (pc.field("north") > box[1])
        )  # fmt: skip
        table = table.filter(meets)
    names = table.column("name").to_pylist()
    parcels = Parcels(
        ids=table.column("id").to_numpy(), names=tuple(names) if any(names) else (),
        values=table.column("value").to_numpy(),
        geometries=np.array(shapely.from_wkb(table.column("geometry").to_pylist()), dtype=object),
        epsg=np.full(len(table), grid.epsg, np.int64), mapping=read_mapping(store),
    )  # fmt: skip
    return LocatedParcels(grid=grid, parcels=parcels, clipped=table.column("clipped").to_numpy(zero_copy_only=False))
