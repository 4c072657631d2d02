"""The labels stage: class fractions of cells, from whatever source a recipe names, tile by tile."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from landloom.corpus.documents import label_geojson
from landloom.corpus.footprints import DECIMALS, rings
from landloom.corpus.manifest import FileEntry
from landloom.engine.units import Outcome, Unit, digest
from landloom.errors import InvalidInputError
from landloom.labels.fractions import fractions_from_polygons, fractions_from_raster, raster_window
from landloom.model.apportion import MILLION
from landloom.model.grid import WGS84, reproject
from landloom.model.ids import CELL_SIZE, SampleId
from landloom.model.taxonomy import taxonomy
from landloom.store.open import open_store
from landloom.store.raster import open_raster
from landloom.store.vector import epsg_of, read_vector, row_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.project import Project
    from landloom.labels.fractions import FractionTable
    from landloom.model.grid import Grid
    from landloom.model.ids import TileId
    from landloom.model.recipe import LabelSection
    from landloom.model.sample import Sample
    from landloom.store.protocol import Readable, Store

SAMPLES: Final = "samples"
"""Purpose of the label tables of chosen samples."""
MARGIN: Final = 0.02
"""Degrees around a tile's cells within which polygons are read."""
REPAIRED: Final = "problems"
"""Fact of such a unit: rows of the source that were repaired, and why."""
OVERLAPS: Final = "overlaps"
"""Fact of such a unit: pairs of polygons that claim the same ground, a millionth of a cell or more."""
UNLABELLED: Final = "unlabelled"
"""Fact of a unit: how many of its cells have no label anywhere."""
RASTERS: Final = frozenset({".tif", ".tiff", ".vrt", ".img", ".jp2"})
"""Suffixes of label sources that are rasters."""


def file_identity(path: str) -> str:
    """Identity of an input file: its sha256; its address alone where it is remote.

    Raises:
        InvalidInputError: no such file.
    """
    if "://" in path:
        return path
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror}") from error


class Cells(Protocol):
    """Cells of one tile, small enough to travel to a worker."""

    def grids(self) -> tuple[Grid, ...]:
        """Each cell as a grid."""
        ...

    def identity(self) -> object:
        """JSON values that tell these cells from others."""
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
        """The tile, and where its cells lie in it."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFiles:
    """The published label of each sample: a GeoJSON Feature."""

    layout: Layout
    """Keys of the corpus."""
    prefix: str
    """Start of the file names: `labels`."""
    columns: tuple[str, ...]
    """Names of the properties, in the order of the taxonomy's codes."""
    samples: tuple[Sample, ...]
    """In the order of the cells."""

    def write(self, store: Store, millionths: NDArray[np.int64]) -> list[FileEntry]:
        """Put a file for every sample."""
        epsg = np.array([sample.epsg for sample in self.samples], np.int32)
        outlines = rings(epsg, np.array([sample.bounds for sample in self.samples], np.float64))
        files = []
        for sample, ring, row in zip(self.samples, np.round(outlines, DECIMALS).tolist(), millionths, strict=True):
            key = self.layout.label(sample.id, self.prefix)
            data = label_geojson(sample.id, ring, self.columns, row.tolist())
            store.put(key, data)
            files.append(FileEntry.of(key, data))
        return files


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsTask:
    """Fractions of some cells, saved as (cell, class) millionths under a key of build state."""

    store: str
    """Where the corpus lies."""
    key: str
    """Where the table goes."""
    source: str
    """Vector file or raster."""
    section: LabelSection
    cells: Cells
    labels: LabelFiles | None = None
    """What is published of them; None where the table is for the build alone."""

    def run(self) -> Outcome:
        """Read the source around the cells, compute, save."""
        cells = self.cells.grids()
        is_raster = Path(self.source).suffix.lower() in RASTERS
        table = self._raster(cells) if is_raster else self._polygons(cells)
        buffer = io.BytesIO()
        np.save(buffer, table.millionths.astype(np.int32))
        store = open_store(self.store)
        store.put(self.key, buffer.getvalue())
        files = [FileEntry.of(self.key, buffer.getvalue())]
        if self.labels is not None:
            files += self.labels.write(store, table.millionths)
        facts = {
            REPAIRED: [str(problem) for problem in table.problems],
            OVERLAPS: [str(overlap) for overlap in table.overlaps],
            UNLABELLED: int((table.of(table.taxonomy.nodata) == MILLION).sum()),
        }
        return Outcome(files=tuple(files), facts=facts)

    def _polygons(self, cells: tuple[Grid, ...]) -> FractionTable:
        if self.section.column is None:
            raise InvalidInputError(f"{self.source}: got no column, wanted the column of the code in the recipe")
        outlines = [cell.footprint().bounds for cell in cells]
        wests, souths, easts, norths = zip(*outlines, strict=True)
        box = (min(wests) - MARGIN, min(souths) - MARGIN, max(easts) + MARGIN, max(norths) + MARGIN)
        column = self.section.column
        frame = read_vector(
            self.source, layer=self.section.layer, columns=[column], bbox=box, bbox_epsg=WGS84, numbered=True
        )
        try:
            epsg = epsg_of(frame)
            table = fractions_from_polygons(
                frame.geometry.to_numpy(), frame[column].to_numpy(), cells, taxonomy(self.section.taxonomy),
                epsg=epsg, invalid=self.section.invalid, rows=row_names(frame),
            )  # fmt: skip
        except InvalidInputError as error:
            raise InvalidInputError(f"{self.source}: {error}") from error
        least = reproject(cells[0].outline(), cells[0].epsg, epsg).area / MILLION
        return replace(table, overlaps=tuple(one for one in table.overlaps if one.area >= least))

    def _raster(self, cells: tuple[Grid, ...]) -> FractionTable:
        with open_raster(self.source) as file:
            part = raster_window(cells, file.grid)
            if part is None:
                return fractions_from_polygons([], [], cells, taxonomy(self.section.taxonomy), epsg=file.grid.epsg)
            window = file.grid.window(*part)
            raster = file.read(window, fill=int(file.nodata or 0))
            nodata = file.nodata
        return fractions_from_raster(
            raster, window, cells, taxonomy(self.section.taxonomy), nodata=0 if nodata is None else nodata
        )


def cells_units(
    project: Project,
    name: str,
    cells: Mapping[str, Cells],
    store: str,
    purpose: str,
    labels: Mapping[str, LabelFiles] | None = None,
) -> list[Unit]:
    """Units that compute the fractions of cells, one a tile.

    Args:
        project: the recipe in its folder.
        name: which label product.
        cells: tile → its cells.
        store: where the corpus lies.
        purpose: sets these apart from units of the same tiles for another purpose: `candidates` or `samples`.
        labels: tile → what is published of its cells.
    """
    section = project.recipe.labels[name]
    source = project.path(section.file)
    identity = file_identity(source)
    units = []
    for tile, own in sorted(cells.items()):
        key = f".landloom/{purpose}/{name}/{tile}.npy"
        files = None if labels is None else labels[tile]
        task = CellsTask(store=store, key=key, source=source, section=section, cells=own, labels=files)
        settings = section.model_dump(mode="json", exclude={"terms", "allow_empty"})
        published = None if files is None else (files.prefix, files.layout.name, [str(s.id) for s in files.samples])
        decides = digest(identity, settings, own.identity(), published)
        units.append(Unit(id=f"{purpose}-{name}/{tile}", key=decides, memory=256 * 2**20, task=task))
    return units


def read_cells(store: Readable, name: str, tile: str, purpose: str) -> NDArray[np.int32]:
    """The table that such a unit has saved: (cell, class) millionths."""
    data = store.get(f".landloom/{purpose}/{name}/{tile}.npy")
    table: NDArray[np.int32] = np.load(io.BytesIO(data), allow_pickle=False)
    return table
