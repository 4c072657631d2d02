"""Detecting labels outside all samples: usually a wrong file, a wrong CRS or swapped axes."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np
import shapely

from landloom.engine.sources.cell_fractions import is_raster
from landloom.engine.units import NoteKind
from landloom.errors import InvalidInputError, counted
from landloom.model.grid import WGS84
from landloom.model.shapes import reproject_all
from landloom.store.raster import open_raster
from landloom.store.vector import Told, vector_extent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from landloom.engine.units import Outcome
    from landloom.model.grid import Bounds
    from landloom.model.recipe import LabelSource
    from landloom.model.sample import Sample


def unlabelled(outcomes: Iterable[Outcome]) -> int:
    """Number of cells of some units without any label."""
    notes = (note for outcome in outcomes for note in outcome.notes)
    return sum(note.count for note in notes if note.kind is NoteKind.UNLABELLED)


def require_labels(path: str, source: LabelSource, missing: int, cells: int, bounds: Bounds) -> None:
    """Refuse labels if none of them lies in a cell.

    Args:
        path: of the file.
        source: its section of the recipe.
        missing: cells without any label.
        cells: all cells.
        bounds: of the cells, in WGS84.

    Raises:
        InvalidInputError: no cell has a label, and the section does not allow that.
    """
    if missing < cells or source.allow_empty:
        return
    extent = _extent(path, source)
    there = "elsewhere" if extent is None else _shown(extent)
    raise InvalidInputError(
        f"{path}: no label lies in any of the {cells:,} cells; it reaches {there}, they lie {_shown(bounds)}: is its "
        "CRS right, or are its axes swapped? To continue anyway, set allow_empty"
    )


def label_notes(name: str, outcomes: Mapping[str, Outcome], cells: int) -> list[str]:
    """Lines on samples without labels, repaired rows, and overlapping polygons.

    Args:
        name: of the labels.
        outcomes: tile → result of its unit.
        cells: all samples.
    """
    missing = unlabelled(outcomes.values())
    lines = [f"{name}: {missing:,} of {cells:,} samples without any label"] if missing else []
    notes = [(tile, note) for tile, outcome in outcomes.items() for note in outcome.notes]
    repaired = dict.fromkeys(note.what for _, note in notes if note.kind is NoteKind.REPAIRED)
    lines += [f"{name}: {row}: repaired" for row in repaired]
    for tile in outcomes:
        count = sum(note.count for own, note in notes if own == tile and note.kind is NoteKind.OVERLAP)
        if count:
            pairs = counted(count, "overlapping pair")
            lines.append(f"{name}, {tile}: {pairs}; the ground goes to the smaller polygon")
    return lines


def bounds_of(samples: Sequence[Sample]) -> Bounds:
    """West, south, east, north of samples, in WGS84."""
    west, south, east, north = shapely.total_bounds(np.array([sample.footprint for sample in samples], dtype=object))
    return float(west), float(south), float(east), float(north)


def _extent(path: str, source: LabelSource) -> Bounds | None:
    if not is_raster(path):
        return vector_extent(path, source.layer, Told(encoding=source.encoding))
    with open_raster(path) as file:
        moved, refused = reproject_all([file.grid.outline()], file.grid.epsg, WGS84, tolerance=inf)
    return None if refused else moved[0].bounds


def _shown(bounds: Bounds) -> str:
    west, south, east, north = bounds
    return f"from {west:.4g} to {east:.4g} degrees east and from {south:.4g} to {north:.4g} degrees north"
