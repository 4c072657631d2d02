"""Displacements of the scenes behind a fused series.

They are surveyed before scenes are read, if they are to be corrected; else measured in the pixels that are read anyway,
apart from that between the sensors, which needs finer pieces of one band.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from landloom.engine.pixels.registration import (
    WINDOWS,
    Register,
    Registration,
    Sensed,
    survey,
    survey_between,
)
from landloom.imagery.registration.shifts import Shift, ShiftMeter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.engine.pixels.blocks import Block
    from landloom.model.grid import Grid
    from landloom.model.sample import Sample
    from landloom.products.fused.sightings import Source
    from landloom.products.fused.staging import Staged


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


def measured(sensors: Sequence[Staged | None], samples: Sequence[Sample], resolution: float) -> Registration:
    """Displacements of overpasses in what has been read of them; the scenes of one share it.

    Those of a second sensor contain its displacement against the first one, where that can be measured.

    Args:
        sensors: what each has seen, the reference first.
        samples: of the tile.
        resolution: metres of a pixel of the product.

    Raises:
        TransientFaultError: a file is temporarily unreadable.
    """
    made = Registration(rule=Register.MEASURE)
    seen = [staged for staged in sensors if staged is not None and staged.source.passes]
    for staged in seen:
        found = replace(made, shifts=_of_sensor(staged, resolution), told=())
        if staged is not seen[0]:
            first, second = _sensed(seen[0].source), _sensed(staged.source)
            found = survey_between(first, second, found, samples=samples, resolution=resolution)
        made = _joined(made, found)
    return made


def _of_sensor(staged: Staged, resolution: float) -> dict[str, Shift | None]:
    source = staged.source
    meter = ShiftMeter(days=source.days, pixel=resolution * source.footprint)
    for stack, valid in staged.watched:
        meter.add(stack, valid)
    pairs = zip(source.passes, meter.shifts(), strict=True)
    return {scene.id: shift for group, shift in pairs for scene in group}


def places_of(
    blocks: Sequence[Block], grids: Sequence[Grid], samples: Sequence[Sample], resolution: float
) -> list[tuple[tuple[int, int], ...]]:
    """Where displacements are measured: rows and columns of samples spread over a tile, in the window of each block.

    Args:
        blocks: of the tile.
        grids: of their windows.
        samples: of the tile.
        resolution: metres of a pixel of the product.
    """
    homes = [(number, position) for number, block in enumerate(blocks) for position in block.samples]
    found: list[list[tuple[int, int]]] = [[] for _ in blocks]
    for number, position in (homes[one] for one in sorted({round(n) for n in np.linspace(0, len(homes) - 1, WINDOWS)})):
        own = samples[position].grid(resolution)
        row, column = own.offset_in(grids[number])
        found[number].append((row + own.height // 2, column + own.width // 2))
    return [tuple(one) for one in found]
