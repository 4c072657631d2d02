"""Labels that reach no sample: the wrong file, the wrong CRS or swapped axes, but hardly ever what was meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from landloom.engine.sources.cells import OVERLAPS, RASTERS, REPAIRED, UNLABELLED
from landloom.errors import InvalidInputError, counted
from landloom.model.grid import WGS84
from landloom.store.raster import open_raster
from landloom.store.vector import vector_extent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from landloom.engine.journal import Journal
    from landloom.engine.units import Unit
    from landloom.model.grid import Bounds
    from landloom.model.recipe import LabelSection
    from landloom.model.sample import Sample


def unlabelled(units: Iterable[Unit], journal: Journal) -> int:
    """How many cells of such units have no label anywhere; those of units that failed are not counted."""
    entries = (journal.get(unit.id) for unit in units)
    return sum(int(entry.outcome.facts.get(UNLABELLED, 0)) for entry in entries if entry is not None)


def demand_reach(source: str, section: LabelSection, found: int, cells: int, bounds: Bounds) -> None:
    """Refuse labels of which not one lies in a cell.

    Args:
        source: where the file lies.
        section: what the recipe says of it.
        found: cells without any label.
        cells: all cells.
        bounds: where they lie, in WGS84.

    Raises:
        InvalidInputError: no cell has a label, and the section does not allow it.
    """
    if found < cells or section.allow_empty:
        return
    raise InvalidInputError(
        f"{source}: no label lies in any of the {cells:,} cells; it reaches {_shown(_extent(source, section))}, they "
        f"lie {_shown(bounds)}: is its CRS right, or are its axes swapped? To go on all the same: allow_empty"
    )


def missing_note(name: str, missing: int, cells: int) -> list[str]:
    """A line on samples that labels say nothing of, if there are any.

    Example:
        >>> missing_note("clc", 1, 60), missing_note("clc", 0, 60)
        (['clc: 1 of 60 samples without any label'], [])
    """
    return [f"{name}: {missing:,} of {cells:,} samples without any label"] if missing else []


def repair_notes(name: str, units: Iterable[Unit], journal: Journal) -> list[str]:
    """A line on each row of a label source that was repaired, each once however many tiles it lies in."""
    entries = (journal.get(unit.id) for unit in units)
    rows = {row: None for entry in entries if entry is not None for row in entry.outcome.facts.get(REPAIRED, ())}
    return [f"{name}: {row}: repaired" for row in rows]


def overlap_notes(units: Iterable[Unit], journal: Journal) -> list[str]:
    """A line on each tile where polygons of a label source claim the same ground."""
    notes = []
    for unit in units:
        entry = journal.get(unit.id)
        count = 0 if entry is None else len(entry.outcome.facts.get(OVERLAPS, ()))
        if count:
            pairs = counted(count, "overlapping pair")
            notes.append(f"{unit.id.split('/')[1]}: {pairs}; the ground goes to the smaller polygon")
    return notes


def bounds_of(samples: Sequence[Sample]) -> Bounds:
    """West, south, east, north of samples, in WGS84."""
    import shapely

    west, south, east, north = shapely.total_bounds([sample.footprint for sample in samples])
    return float(west), float(south), float(east), float(north)


def _extent(source: str, section: LabelSection) -> Bounds:
    if Path(source).suffix.lower() not in RASTERS:
        return vector_extent(source, section.layer)
    from landloom.model.grid import reproject

    with open_raster(source) as file:
        bounds: Bounds = reproject(file.grid.outline(), file.grid.epsg, WGS84).bounds
    return bounds


def _shown(bounds: Bounds) -> str:
    west, south, east, north = bounds
    return f"from {west:.4g} to {east:.4g} degrees east and from {south:.4g} to {north:.4g} degrees north"
