"""Parcels of a corpus, prepared once: read, checked, reprojected and kept, so that label rasters are cut from them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.manifest import FileEntry
from landloom.labels.classes import ClassMapping
from landloom.labels.layers import LocatedParcels, blocks, layers_of_window, locate
from landloom.labels.parcels import LabelYear, Parcels
from landloom.pipelines.cells import file_identity
from landloom.pipelines.parcels import classes_file, read_parcels, rejected_csv
from landloom.pipelines.units import Outcome, Unit, digest
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.labels.parcels import Period
    from landloom.model.grid import Bounds, Grid
    from landloom.model.recipe import ParcelsSection
    from landloom.model.time import Period as TimePeriod
    from landloom.pipelines.project import Project
    from landloom.store.protocol import Store

FOLDER: Final = ".landloom/parcels"
"""Where prepared parcels are kept."""
SIDE: Final = 1000
"""Pixels along a side of the blocks that are rasterised at a time."""


def parcel_period(section: ParcelsSection, project: Project) -> Period | LabelYear:
    """The year that parcels must be of, or else the period that they must be valid in."""
    if section.year is not None:
        return LabelYear(year=section.year)
    return _days(project.recipe.period.value)


def _days(period: TimePeriod) -> Period:
    return f"{period.start:%Y-%m-%d}", f"{period.end:%Y-%m-%d}"


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
    period: Period | LabelYear
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
