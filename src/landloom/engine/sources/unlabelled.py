"""Labels that lie in no sample: the wrong file, the wrong CRS or swapped axes, but hardly ever what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from landloom.engine.sources.cell_fractions import is_raster
from landloom.engine.units import NoteKind
from landloom.errors import InvalidInputError, counted
from landloom.model.grid import WGS84, reproject
from landloom.store.raster import open_raster
from landloom.store.vector import vector_extent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from landloom.engine.units import Outcome
    from landloom.model.grid import Bounds
    from landloom.model.recipe import LabelSource
    from landloom.model.sample import Sample


def unlabelled(outcomes: Iterable[Outcome]) -> int:
    """How many cells of some units have no label anywhere."""
    notes = (note for outcome in outcomes for note in outcome.notes)
    return sum(note.count for note in notes if note.kind is NoteKind.UNLABELLED)


def require_labels(path: str, source: LabelSource, missing: int, cells: int, bounds: Bounds) -> None:
    """Refuse labels of which not one lies in a cell.

    Args:
        path: where the file lies.
        source: what the recipe says of it.
        missing: cells without any label.
        cells: all cells.
        bounds: where they lie, in WGS84.

    Raises:
        InvalidInputError: no cell has a label, and the section does not allow it.
    """
    if missing < cells or source.allow_empty:
        return
    raise InvalidInputError(
        f"{path}: no label lies in any of the {cells:,} cells; it reaches {_shown(_extent(path, source))}, they "
        f"lie {_shown(bounds)}: is its CRS right, or are its axes swapped? To go on all the same: allow_empty"
    )


def label_notes(name: str, outcomes: Mapping[str, Outcome], cells: int) -> list[str]:
    """Lines on samples without labels, rows that were repaired, and ground that polygons claim twice.

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
    west, south, east, north = shapely.total_bounds([sample.footprint for sample in samples])
    return float(west), float(south), float(east), float(north)


def _extent(path: str, source: LabelSource) -> Bounds:
    if not is_raster(path):
        return vector_extent(path, source.layer)
    with open_raster(path) as file:
        bounds: Bounds = reproject(file.grid.outline(), file.grid.epsg, WGS84).bounds
    return bounds


def _shown(bounds: Bounds) -> str:
    west, south, east, north = bounds
    return f"from {west:.4g} to {east:.4g} degrees east and from {south:.4g} to {north:.4g} degrees north"
