"""Parcels of a corpus, prepared once for cutting label rasters: read, checked, reprojected and stored."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from landloom.corpus.manifest import FileEntry
from landloom.engine.sources.parcels import classes_file, read_parcels, rejected_csv
from landloom.engine.units import Note, NoteKind, Outcome, Unit, unit_digest
from landloom.labels.classes import ClassMapping, class_mapping
from landloom.labels.layers import LocatedParcels, blocks, layers_of_window, locate
from landloom.labels.parcel_table import LabelYear, Rejected
from landloom.labels.parcels import Parcels
from landloom.model.recipe import ParcelSource
from landloom.store.open import open_store
from landloom.store.vector import Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.context import BuildContext
    from landloom.engine.project import Project
    from landloom.labels.parcel_table import Period
    from landloom.model.grid import Bounds, Grid
    from landloom.model.time import Period as TimePeriod
    from landloom.store.protocol import Store

FOLDER: Final = ".landloom/parcels"
"""Key prefix of prepared parcels."""
_NOBODY: Final = b"nobody"
"""Key in the table's metadata: what stands for no parcel in rasters of ids."""
SIDE: Final = 1000
"""Pixels along a side of the blocks that are rasterised at a time."""


def label_times(section: ParcelSource, project: Project) -> dict[int | None, Period | LabelYear]:
    """Label year, or None for samples without one → the validity of the parcels to use.

    Args:
        section: of the recipe.
        project: the recipe in its folder.
    """
    seasons = project.seasons
    if seasons:
        return {year: LabelYear(year=year, season=_days(season)) for year, season in seasons.items()}
    if section.year is not None:
        return {None: LabelYear(year=section.year)}
    return {None: _days(project.recipe.period.value)}


def labels_period(section: ParcelSource, project: Project) -> Period:
    """First day of the labels, and the day after the last."""
    times = label_times(section, project).values()
    periods = [when.period if isinstance(when, LabelYear) else when for when in times]
    return min(start for start, _ in periods), max(end for _, end in periods)


def _days(period: TimePeriod) -> Period:
    return f"{period.start:%Y-%m-%d}", f"{period.end:%Y-%m-%d}"


def folder_of(year: int | None) -> str:
    """The key prefix of the parcels of a label year.

    Example:
        >>> folder_of(None), folder_of(2018)
        ('.landloom/parcels', '.landloom/parcels/2018')
    """
    return FOLDER if year is None else f"{FOLDER}/{year}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareTask:
    """Read, check and reproject the parcels of a corpus, and compute which windows they label."""

    store: str
    """Address of the corpus."""
    source: str
    section: ParcelSource
    classes: Mapping[Any, int] | None
    """Value → code, if given in the recipe or its file."""
    codes: Mapping[str, int]
    times: Mapping[int | None, Period | LabelYear]
    """From `label_times`."""
    grid: Grid
    """Pixels of the whole region; parcels that extend beyond it are marked."""
    windows: tuple[Grid, int, int] | None
    """Pixels of a window grid, and its rows and columns, if shares of labelled pixels are needed."""

    def run(self) -> Outcome:
        """Save parcels and, if needed, (row, column) shares of each label year; the one mapping; rejected ones."""
        found = {year: self._read(when) for year, when in self.times.items()}
        mapping = self._mapping(found)
        files, rejected = {"mapping.json": orjson.dumps(mapping_document(mapping))}, []
        everyone = {year: locate(_recoded(parcels, mapping), self.grid) for year, parcels in found.items()}
        nobody = min(located.nobody for located in everyone.values())
        for year, located in everyone.items():
            rejected.append(located.rejected)
            prefix = "" if year is None else f"{year}/"
            files[f"{prefix}table.parquet"] = _encode(located, nobody)
            if self.windows is not None:
                buffer = io.BytesIO()
                np.save(buffer, labelled_shares(located.parcels, *self.windows))
                files[f"{prefix}labelled.npy"] = buffer.getvalue()
        everywhere = _unused(rejected)
        files["rejected.csv"] = rejected_csv(everywhere, _distinct(one.repaired for one in found.values()))
        store = open_store(self.store)
        entries = []
        for name, data in files.items():
            store.put(f"{FOLDER}/{name}", data)
            entries.append(FileEntry.of(f"{FOLDER}/{name}", data))
        notes = [Note(kind=NoteKind.LEFT_OUT, what="parcels rejected", count=len(everywhere))] if everywhere else []
        return Outcome(files=tuple(entries), notes=tuple(notes))

    def _read(self, when: Period | LabelYear) -> Parcels:
        section = self.section
        return read_parcels(
            self.source,
            self.grid,
            layer=section.layer,
            told=Told(crs=section.epsg, encoding=section.encoding),
            columns=section.columns,
            classes=self.classes,
            codes=self.codes,
            unmapped=section.unmapped,
            period=when,
            invalid=section.invalid,
            regression=section.regression,
        )

    def _mapping(self, found: Mapping[int | None, Parcels]) -> ClassMapping | None:
        """One mapping for all label years, so that a code means the same in each; None for regression."""
        own = [parcels.mapping for parcels in found.values() if parcels.mapping is not None]
        if len(own) < 2:
            return own[0] if own else None
        values = {value for mapping in own for value in mapping.codes}
        return class_mapping(values, self.classes, unmapped=self.section.unmapped, **self.codes)


def _recoded(parcels: Parcels, mapping: ClassMapping | None) -> Parcels:
    """The same parcels under a mapping with additional values."""
    if mapping is None or parcels.mapping is None or parcels.mapping == mapping:
        return parcels
    new = {code: mapping.codes[value] for value, code in parcels.mapping.codes.items()}
    values = np.array([new[code] for code in parcels.values.tolist()], np.int64)
    return replace(parcels, values=values, mapping=mapping)


def _unused(years: Sequence[Sequence[Rejected]]) -> list[Rejected]:
    """Parcels that no label year uses: invalid ones, or those of none of the years."""
    if len(years) == 1:
        return list(years[0])
    mistimed = Counter((row.id, row.ground_truth, row.when) for rows in years for row in set(rows) if row.when)
    rows = _distinct(years)
    missed = {key for key, count in mistimed.items() if count == len(years)}
    kept = [row for row in rows if not row.when]
    return kept + [
        Rejected(id=name, ground_truth=value, reason=f"{when}, in no season") for name, value, when in sorted(missed)
    ]


def _distinct(groups: Iterable[Iterable[Rejected]]) -> list[Rejected]:
    return list(dict.fromkeys(row for rows in groups for row in rows))


def prepare_unit(
    project: Project, section: ParcelSource, context: BuildContext, grid: Grid, windows: tuple[Grid, int, int] | None
) -> Unit:
    """The unit that prepares the parcels of a recipe.

    Args:
        project: the recipe in its folder.
        section: its section on parcels.
        context: of the build.
        grid: pixels of the whole region.
        windows: as in `PrepareTask`.

    Raises:
        InvalidInputError: the parcels, or the file of their classes, do not exist.
    """
    classes: Mapping[Any, int] | None
    codes = {str(role): code for role, code in section.codes.items()}
    if isinstance(section.classes, str):
        classes, special = classes_file(project.path(section.classes))
        codes = special | codes
    else:
        classes = section.classes
    task = PrepareTask(
        store=context.uri,
        source=project.path(section.file),
        section=section,
        classes=classes,
        codes=codes,
        times=label_times(section, project),
        grid=grid,
        windows=windows,
    )
    asked = section.model_dump(mode="json", include=set(ParcelSource.model_fields) - {"file"})
    extent = None if windows is None else (windows[0].bounds, windows[1:])
    times = [[year, str(when)] for year, when in task.times.items()]
    decides = unit_digest(context.identity(task.source), asked, classes, codes, times, grid.bounds, grid.epsg, extent)
    return Unit(kind="prepare", product="parcels", tile="all", key=decides, memory=2**30, task=task)


def labelled_shares(parcels: Parcels, grid: Grid, rows: int, columns: int) -> NDArray[np.float32]:
    """Share of each window's pixels with a class: neither background nor ignored.

    Args:
        parcels: in the grid's CRS.
        grid: pixels of all windows.
        rows: number of rows of windows.
        columns: number of columns of windows.

    Returns:
        (row, column).
    """
    located = LocatedParcels(grid=grid, parcels=parcels, clipped=np.zeros(len(parcels), np.bool_))
    high, wide = grid.height // rows, grid.width // columns
    shares = np.zeros((rows, columns), np.float32)
    tree = shapely.STRtree(parcels.geometries)
    for down, along, height, width in blocks(grid, max(SIDE // high, 1) * high):
        near = np.sort(tree.query(shapely.box(*grid.window(down, along, height, width).bounds)))
        if not len(near):
            continue
        layers = layers_of_window(located, (down, along, height, width), near)
        marked = layers.ids != layers.nobody
        if parcels.mapping is not None:
            marked &= (layers.classes != parcels.mapping.background) & (layers.classes != parcels.mapping.ignore)
        part = marked.reshape(height // high, high, width // wide, wide).mean(axis=(1, 3))
        shares[down // high : (down + height) // high, along // wide : (along + width) // wide] = part
    return shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The prepared parcels of a corpus: their keys and properties."""

    key: str
    """Digest of all inputs."""
    grid: Grid
    """Pixels of the whole region."""
    mapping: ClassMapping | None
    """None for regression."""
    parcels: Mapping[str, int]
    """Sample → its parcel, for windows centred on parcels."""
    alone: bool = False
    """Whether a sample shows its own parcel and no other."""
    outlines: bytes = b""
    """CSV of the parcels that windows are centred on."""
    left_out: tuple[tuple[int, str], ...] = ()
    """Parcels without a window, with reasons."""
    nobody: int = 0
    """What stands for no parcel in rasters of ids: 0, or -1 where 0 is the id of one."""
    years: tuple[int | None, ...] = (None,)
    """Label years with prepared parcels; None for samples without one."""

    def rows(self) -> list[dict[str, str | int]]:
        """The complete class mapping, as written to documents."""
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


def _encode(located: LocatedParcels, nobody: int) -> bytes:
    parcels = located.parcels
    bounds = shapely.bounds(parcels.geometries).reshape(-1, 4)
    columns = {
        "id": pa.array(parcels.ids),
        "value": pa.array(parcels.values),
        "clipped": pa.array(located.clipped),
        "name": pa.array(list(parcels.names) or [""] * len(parcels), pa.string()),
        **{name: pa.array(bounds[:, position]) for position, name in enumerate(("west", "south", "east", "north"))},
        "geometry": pa.array(shapely.to_wkb(parcels.geometries).tolist(), pa.binary()),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata({_NOBODY: str(nobody)}), buffer, compression="zstd")
    return buffer.getvalue()


def read_nobody(store: Store, year: int | None = None) -> int:
    """What stands for no parcel in rasters of ids, in all label years alike."""
    schema = pq.read_schema(io.BytesIO(store.get(f"{folder_of(year)}/table.parquet")))
    return int(schema.metadata[_NOBODY])


def load_parcels(store: Store, grid: Grid, box: Bounds | None = None, year: int | None = None) -> LocatedParcels:
    """Read prepared parcels.

    Args:
        store: of the corpus.
        grid: pixels of the whole region.
        box: only parcels whose bounds intersect it; by default all.
        year: of the labels, for samples with one.
    """
    table: pa.Table = pq.read_table(io.BytesIO(store.get(f"{folder_of(year)}/table.parquet")), use_threads=False)
    if box is not None:
        meets = (
            (pc.field("west") < box[2])
            & (pc.field("east") > box[0])
            & (pc.field("south") < box[3])
            & (pc.field("north") > box[1])
        )
        table = table.filter(meets)
    names = table.column("name").to_pylist()
    parcels = Parcels(
        ids=table.column("id").to_numpy(),
        names=tuple(names) if any(names) else (),
        values=table.column("value").to_numpy(),
        geometries=np.array(shapely.from_wkb(table.column("geometry").to_pylist()), dtype=object),
        crs=np.full(len(table), grid.epsg, dtype=object),
        mapping=read_mapping(store),
    )
    clipped = table.column("clipped").to_numpy(zero_copy_only=False)
    return LocatedParcels(grid=grid, parcels=parcels, clipped=clipped, nobody=int(table.schema.metadata[_NOBODY]))
