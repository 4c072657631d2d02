"""The labels stage: class fractions of cells, from whatever source a recipe names, tile by tile."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.documents import label_geojson
from landloom.corpus.footprints import DECIMALS, rings
from landloom.corpus.manifest import FileEntry
from landloom.errors import InvalidInputError
from landloom.labels.fractions import fractions_from_polygons, fractions_from_raster, raster_window
from landloom.model.grid import WGS84, Grid
from landloom.model.taxonomy import taxonomy
from landloom.pipelines.units import Outcome, Unit, digest
from landloom.store.open import open_store
from landloom.store.raster import open_raster
from landloom.store.vector import read_vector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.labels.fractions import FractionTable
    from landloom.model.recipe import LabelSection
    from landloom.model.sample import Sample
    from landloom.pipelines.project import Project
    from landloom.store.protocol import Store

SAMPLES: Final = "samples"
"""Purpose of the label tables of chosen samples."""
MARGIN: Final = 0.02
"""Degrees around a tile's cells within which polygons are read."""
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
    cells: tuple[Grid, ...]
    labels: LabelFiles | None = None
    """What is published of them; None where the table is for the build alone."""

    def run(self) -> Outcome:
        """Read the source around the cells, compute, save."""
        table = self._raster() if Path(self.source).suffix.lower() in RASTERS else self._polygons()
        buffer = io.BytesIO()
        np.save(buffer, table.millionths.astype(np.int32))
        store = open_store(self.store)
        store.put(self.key, buffer.getvalue())
        files = [FileEntry.of(self.key, buffer.getvalue())]
        if self.labels is not None:
            files += self.labels.write(store, table.millionths)
        facts = {
            "problems": [str(problem) for problem in table.problems],
            "overlaps": [str(overlap) for overlap in table.overlaps],
        }
        return Outcome(files=tuple(files), facts=facts)

    def _polygons(self) -> FractionTable:
        if self.section.column is None:
            raise InvalidInputError(f"{self.source}: got no column, wanted the column of the code in the recipe")
        outlines = [cell.footprint().bounds for cell in self.cells]
        wests, souths, easts, norths = zip(*outlines, strict=True)
        box = (min(wests) - MARGIN, min(souths) - MARGIN, max(easts) + MARGIN, max(norths) + MARGIN)
        column = self.section.column
        frame = read_vector(self.source, layer=self.section.layer, columns=[column], bbox=box, bbox_epsg=WGS84)
        return fractions_from_polygons(
            frame.geometry.to_numpy(), frame[column].to_numpy(), self.cells, taxonomy(self.section.taxonomy),
            epsg=frame.crs.to_epsg(), invalid="repair",
        )  # fmt: skip

    def _raster(self) -> FractionTable:
        with open_raster(self.source) as file:
            part = raster_window(self.cells, file.grid)
            if part is None:
                raise InvalidInputError(f"{self.source}: reaches none of the cells")
            window = file.grid.window(*part)
            raster = file.read(window, fill=int(file.nodata or 0))
            nodata = file.nodata
        return fractions_from_raster(
            raster, window, self.cells, taxonomy(self.section.taxonomy), nodata=0 if nodata is None else nodata
        )


def cells_units(
    project: Project,
    name: str,
    cells: Mapping[str, Sequence[Grid]],
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
    for tile, grids in sorted(cells.items()):
        key = f".landloom/{purpose}/{name}/{tile}.npy"
        files = None if labels is None else labels[tile]
        task = CellsTask(store=store, key=key, source=source, section=section, cells=tuple(grids), labels=files)
        settings = section.model_dump(mode="json", exclude={"terms"})
        published = None if files is None else (files.prefix, files.layout.name, [str(s.id) for s in files.samples])
        decides = digest(identity, settings, [(g.epsg, g.bounds) for g in grids], published)
        units.append(Unit(id=f"{purpose}-{name}/{tile}", key=decides, memory=256 * 2**20, task=task))
    return units


def read_cells(store: str, name: str, tiles: Iterable[str], purpose: str) -> dict[str, NDArray[np.int32]]:
    """The tables that such units have saved: tile → (cell, class) millionths."""
    opened = open_store(store)
    return {
        tile: np.load(io.BytesIO(opened.get(f".landloom/{purpose}/{name}/{tile}.npy")), allow_pickle=False)
        for tile in tiles
    }
