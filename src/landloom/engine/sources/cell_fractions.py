"""Class fractions of cells, from any label source of a recipe, tile by tile."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

import numpy as np
import shapely

from landloom.corpus.manifest import FileEntry
from landloom.engine.units import Note, NoteKind, Observed, Outcome
from landloom.errors import InvalidInputError
from landloom.formats.raster_codes import as_codes
from landloom.labels.fractions import fractions_from_polygons, fractions_from_raster, raster_window
from landloom.model.address import is_remote, shown
from landloom.model.apportion import MILLION
from landloom.model.crs import crs_of, world_span
from landloom.model.grid import WGS84
from landloom.model.ids import CELL_SIZE, SampleId
from landloom.model.recipe import LabelSource
from landloom.model.shapes import neighbourhood, reproject
from landloom.model.taxonomy import taxonomy
from landloom.store.open import open_store
from landloom.store.raster import open_raster
from landloom.store.vector import Form, Told, form_of, frame_crs, head_of, read_vector, row_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from landloom.engine.sources.label_files import LabelFiles
    from landloom.labels.fractions import FractionTable
    from landloom.model.grid import Grid
    from landloom.model.ids import TileId
    from landloom.model.sample import Sample
    from landloom.store.protocol import Readable
    from landloom.store.raster import RasterFile

MARGIN: Final = 0.02
"""Degrees around a tile's cells within which polygons are read."""
RASTERS: Final = frozenset({".tif", ".tiff", ".vrt", ".img", ".jp2"})
"""Suffixes of label sources that are rasters."""


PIXEL_MISFIT: Final = 1e-3
"""Pixels by which the two edges of a world map may miss each other at 180°."""


def is_named_as_raster(path: str) -> bool:
    """Whether the name of a file, or the path of its URL, ends as rasters' do."""
    where = urlsplit(path).path if is_remote(path) else path
    return PurePosixPath(where).suffix.lower() in RASTERS


def is_raster(path: str) -> bool:
    """Whether a source of labels is a raster of codes; its first bytes tell where its name does not.

    Raises:
        LandloomError: it cannot be read.
    """
    return is_named_as_raster(path) or (not Path(path).is_dir() and form_of(head_of(path), path) is Form.RASTER)


class Cells(Protocol):
    """Cells of one tile, small enough to send to a worker."""

    def grids(self) -> tuple[Grid, ...]:
        """Each cell as a grid."""
        ...

    def identity(self) -> object:
        """JSON values that identify these cells."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TileCells:
    """600 m cells of a 24 km tile, two bytes each: there may be sixteen million of them."""

    tile: TileId
    rows: bytes
    """Row of each cell, from 1."""
    columns: bytes
    """Column of each cell, from 1."""

    def grids(self) -> tuple[Grid, ...]:
        """Each cell as a grid."""
        pairs = zip(self.rows, self.columns, strict=True)
        return tuple(SampleId(self.tile, row, column).grid(CELL_SIZE) for row, column in pairs)

    def identity(self) -> object:
        """The tile, and the positions of its cells."""
        return str(self.tile), self.rows.hex(), self.columns.hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCells:
    """The footprints of samples of any scheme."""

    samples: tuple[Sample, ...]

    def grids(self) -> tuple[Grid, ...]:
        """Each sample as a grid of one pixel."""
        return tuple(sample.grid(sample.side) for sample in self.samples)

    def identity(self) -> object:
        """CRS and bounds of each."""
        return [(sample.epsg, sample.bounds) for sample in self.samples]


def cell_fractions(path: str, source: LabelSource, cells: tuple[Grid, ...]) -> FractionTable:
    """Read a source around some cells and compute the share of each class in each of them.

    Args:
        path: of the source.
        source: its section of the recipe.
        cells: as grids, in one CRS.

    Raises:
        InvalidInputError: no column, bad geometries, or codes outside its taxonomy; the message names the rows.
    """
    return _of_raster(path, source, cells) if is_raster(path) else _of_polygons(path, source, cells)


def _of_polygons(path: str, source: LabelSource, cells: tuple[Grid, ...]) -> FractionTable:
    if source.column is None:
        raise InvalidInputError(f"{shown(path)}: got no column, expected the column of the code in the recipe")
    frame = _read_around(path, source, cells)
    try:
        epsg = frame_crs(frame)
        table = fractions_from_polygons(
            frame.geometry.to_numpy(),
            frame[source.column].to_numpy(),
            cells,
            taxonomy(source.taxonomy),
            epsg=epsg,
            invalid=source.invalid,
            rows=row_names(frame),
        )
    except InvalidInputError as error:
        raise InvalidInputError(f"{shown(path)}: {error}") from error
    least = reproject(cells[0].outline(), cells[0].epsg, epsg).area / MILLION
    return replace(table, overlaps=tuple(one for one in table.overlaps if one.area >= least))


def _read_around(path: str, source: LabelSource, cells: tuple[Grid, ...]) -> GeoDataFrame:
    """The rows around some cells; on both sides of 180° where they lie there, each row once."""
    import pandas as pd
    from geopandas import GeoDataFrame

    around = shapely.union_all([shapely.box(*box) for cell in cells for box in neighbourhood(cell.footprint())])
    frames = [
        read_vector(
            path,
            layer=source.layer,
            columns=[str(source.column)],
            told=Told(encoding=source.encoding),
            bbox=(west - MARGIN, south - MARGIN, east + MARGIN, north + MARGIN),
            bbox_crs=WGS84,
            numbered=True,
        )
        for west, south, east, north in neighbourhood(around)
    ]
    if len(frames) == 1:
        return frames[0]
    joined = pd.concat([frames[0], frames[1][~frames[1].index.isin(frames[0].index)]]).sort_index()
    return GeoDataFrame(joined, geometry=frames[0].geometry.name, crs=frames[0].crs)


def _of_raster(path: str, source: LabelSource, cells: tuple[Grid, ...]) -> FractionTable:
    with open_raster(path) as file:
        found = _raster_around(file, cells)
        nodata = file.nodata
        if found is None:
            return fractions_from_polygons([], [], cells, taxonomy(source.taxonomy), epsg=file.grid.epsg)
    raster, window = found
    try:
        codes, nothing = as_codes(raster, nodata)
        return fractions_from_raster(
            codes, window, cells, taxonomy(source.taxonomy), nodata=0 if nodata is None and nothing is None else nothing
        )
    except InvalidInputError as error:
        raise InvalidInputError(f"{shown(path)}: {error}") from error


def _raster_around(file: RasterFile, cells: tuple[Grid, ...]) -> tuple[NDArray[Any], Grid] | None:
    """The part of a raster that some cells need, and its grid; on both sides of 180° where they lie there."""
    fill = file.nodata if file.nodata is not None and np.isfinite(file.nodata) else 0
    span = world_span(crs_of(file.grid.epsg))
    turn = 0.0 if span is None else span[1] - span[0]
    parts: list[tuple[NDArray[Any], Grid]] = []
    for grid in (file.grid, replace(file.grid, west=file.grid.west + turn))[: 2 if turn else 1]:
        window = raster_window(cells, grid)
        if window is not None:
            parts.append((file.read(file.grid.window(*window), fill=fill), grid.window(*window)))
    if len(parts) < 2:
        return parts[0] if parts else None
    (west, first), (east, second) = parts
    gap = (second.west - first.east) / first.pixel_width
    if abs(gap - round(gap)) > PIXEL_MISFIT:
        raise InvalidInputError(
            f"{file.href}: got pixels of {first.pixel_width:g} around 180 degrees, of which no whole number goes round "
            "the world, expected some that meet there"
        )
    between = np.full((first.height, max(round(gap), 0)), fill, west.dtype)
    joined = np.concatenate([west, between, east], axis=1)
    return joined, replace(first, width=joined.shape[1])


def fraction_notes(table: FractionTable) -> Iterator[Note]:
    """Notes for the user on a table: rows repaired, overlaps, cells without any label."""
    for problem in table.problems:
        yield Note(kind=NoteKind.REPAIRED, what=str(problem))
    for overlap in table.overlaps:
        yield Note(kind=NoteKind.OVERLAP, what=str(overlap))
    unlabelled = int((table.of(table.taxonomy.nodata) == MILLION).sum())
    if unlabelled:
        yield Note(kind=NoteKind.UNLABELLED, what="cells without any label", count=unlabelled)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsTask:
    """Fractions of some cells, saved as (cell, class) millionths under a key of build state."""

    store: str
    """Address of the corpus."""
    key: str
    """Key of the table."""
    path: str
    """Vector file or raster."""
    source: LabelSource
    cells: Cells
    labels: LabelFiles | None = None
    """Label files to publish; None if the table is for the build alone."""

    def run(self) -> Outcome:
        """Read the source around the cells, compute, save."""
        table = cell_fractions(self.path, self.source, self.cells.grids())
        data, store = encode_millionths(table.millionths), open_store(self.store)
        store.put(self.key, data)
        files, notes = (FileEntry.of(self.key, data),), tuple(fraction_notes(table))
        if self.labels is None:
            return Outcome(files=files, notes=notes)
        made = self.labels.write(store, table.millionths)
        there = np.ones((len(self.labels.samples), 1), np.bool_)
        observed = Observed(product=self.labels.product.key, timesteps=(), table=there)
        return Outcome(files=(*files, *made), observed=(observed,), notes=notes)


def source_settings(source: LabelSource) -> dict[str, Any]:
    """Settings of a source that affect its fractions, besides the bytes of its file."""
    return source.model_dump(mode="json", include=set(LabelSource.model_fields) - {"allow_empty"})


def encode_millionths(millionths: NDArray[np.int64]) -> bytes:
    """Encode a table (cell, class) as build state."""
    buffer = io.BytesIO()
    np.save(buffer, millionths.astype(np.int32))
    return buffer.getvalue()


def read_millionths(store: Readable, key: str) -> NDArray[np.int32]:
    """The table under a key of build state: (cell, class) millionths."""
    table: NDArray[np.int32] = np.load(io.BytesIO(store.get(key)), allow_pickle=False)
    return table
