"""Displacements of the scenes behind a fused series.

They are surveyed before scenes are read, if they are to be corrected; else measured in the pixels that are read anyway,
apart from that between the sensors, which needs finer pieces of one band.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.engine.pixels.registration import (
    SIDE,
    WINDOWS,
    Register,
    Registration,
    Sensed,
    survey,
    survey_band,
    survey_between,
)
from landloom.imagery.registration.shifts import LEAST_SIDE, Shift, ShiftMeter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landloom.engine.pixels.blocks import Block
    from landloom.model.grid import Grid
    from landloom.model.sample import Sample
    from landloom.products.fused.sightings import Source, Staged

_STEPS: Final = 2
"""Windows start at multiples of so many pixels of a sensor."""


def surveyed(
    rule: Register, sources: Sequence[Source | None], samples: Sequence[Sample], resolution: float
) -> Registration:
    """Displacements before anything is read; none, unless they are to be corrected.

    Args:
        rule: of the recipe.
        sources: sensors, the reference first; each is compared with itself, and the others with the reference.
        samples: of the tile.
        resolution: metres of a pixel of the product.

    Raises:
        TransientFaultError: a file is temporarily unreadable.
    """
    made = Registration(rule=rule)
    seen: list[Sensed] = []
    for source in sources if rule is Register.CORRECT else ():
        if source is None:
            continue
        own = _sensed(source)
        found = survey(rule, own.passes, bands=own.bands, mask=own.mask, samples=samples, resolution=resolution)
        seen.append(own)
        if len(seen) > 1:
            found = survey_between(seen[0], own, found, samples=samples, resolution=resolution)
        made = _joined(made, found)
    return made


def _sensed(source: Source) -> Sensed:
    return Sensed(passes=source.passes, bands=source.bands, mask=source.mask)


def _joined(one: Registration, other: Registration) -> Registration:
    return replace(one, shifts={**one.shifts, **other.shifts}, told=(*one.told, *other.told))


def measured(
    sensors: Sequence[Staged | None], blocks: Sequence[Block], samples: Sequence[Sample], resolution: float
) -> Registration:
    """Displacements of overpasses in what has been read of them; the scenes of one share it.

    Those of a second sensor contain its displacement against the first one, where that can be measured.

    Args:
        sensors: what each has seen, the reference first.
        blocks: of the tile, in the order of their windows.
        samples: of the tile.
        resolution: metres of a pixel of the product.

    Raises:
        TransientFaultError: a file is temporarily unreadable.
    """
    made = Registration(rule=Register.MEASURE)
    seen = [staged for staged in sensors if staged is not None and staged.source.passes]
    for staged in seen:
        found = replace(made, shifts=_of_sensor(staged, blocks, samples, resolution), told=())
        if staged is not seen[0]:
            first, second = _sensed(seen[0].source), _sensed(staged.source)
            found = survey_between(first, second, found, samples=samples, resolution=resolution)
        made = _joined(made, found)
    return made


def _of_sensor(
    staged: Staged, blocks: Sequence[Block], samples: Sequence[Sample], resolution: float
) -> dict[str, Shift | None]:
    source = staged.source
    band = source.bands.index(survey_band(source.bands, source.passes[0][0]))
    size = source.footprint
    meter = ShiftMeter(days=source.days, pixel=resolution * size)
    for number, rows, columns in _windows(staged.grids, blocks, samples, resolution, size):
        stack = np.asarray(staged.arrays[f"stack {number}"][:, band, rows, columns])
        valid = np.asarray(staged.arrays[f"valid {number}"][:, rows, columns])
        meter.add(np.ascontiguousarray(stack), np.ascontiguousarray(valid))
        staged.release(number)
    pairs = zip(source.passes, meter.shifts(), strict=True)
    return {scene.id: shift for group, shift in pairs for scene in group}


def _windows(
    grids: Sequence[Grid], blocks: Sequence[Block], samples: Sequence[Sample], resolution: float, size: int
) -> Iterator[tuple[int, slice, slice]]:
    """Windows about samples spread over a tile, as parts of its blocks' grids, one pixel of the sensor each."""
    homes = [(number, position) for number, block in enumerate(blocks) for position in block.samples]
    some = sorted({round(one) for one in np.linspace(0, len(homes) - 1, WINDOWS)})
    seen = set()
    for number, position in (homes[one] for one in some):
        own, grid = samples[position].grid(resolution), grids[number]
        row, column = own.offset_in(grid)
        rows = _span(row + own.height // 2, grid.height, size)
        columns = _span(column + own.width // 2, grid.width, size)
        if rows is None or columns is None or (number, rows.start, columns.start) in seen:
            continue
        seen.add((number, rows.start, columns.start))
        yield number, rows, columns


def _span(middle: int, length: int, size: int) -> slice | None:
    """`SIDE` pixels of a sensor around the middle of a sample, as far as the grid reaches; None if it is too small."""
    side = min(SIDE, length // size // _STEPS * _STEPS)
    if side < LEAST_SIDE:
        return None
    start = min(max(middle - side * size // 2, 0), length - side * size)
    return slice(start + size // 2, start + side * size, size)
