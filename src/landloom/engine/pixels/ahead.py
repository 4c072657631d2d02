"""Reading ahead: what the windows of a timestep need of all its files is requested at once, before it is read.

Masks are opened and fetched first, many at a time; then the bands, of those windows alone in which a mask leaves a
pixel usable. What is read later than planned, or not at all, costs time, and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.store.rasters.fetching import BUDGET
from landloom.store.rasters.plan import ReadPlan, remote_spans

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from landloom.engine.pixels.reading import SceneReader
    from landloom.model.grid import Grid

_MOST: Final = BUDGET - 16 * 2**20
"""Bytes that windows which are read ahead together may need."""


def read_ahead(
    passes: Sequence[Sequence[SceneReader]], targets: Sequence[Sequence[Grid]]
) -> Generator[int, None, None]:
    """Plan the observation of targets by all scenes, in their order, and fetch what it needs.

    Args:
        passes: readers of the scenes of each overpass; of pixels that several show, the first one's count.
        targets: grids of what is processed at once.

    Yields:
        The number of what is to be processed now; the generator has to be closed.

    Raises:
        SceneFaultError: a mask's file is missing, broken, or lacks a band: the scene is unusable.
        TransientFaultError: a file is temporarily unreadable.
    """
    readers = [reader for group in passes for reader in group]
    try:
        shown = _shown(passes, targets)
        for run in _runs(readers, targets, shown):
            with ReadPlan(
                file.planned(window, band, number)
                for number in run
                for grid in targets[number]
                for reader in readers
                if (id(reader), grid) in shown
                for file, window, band in reader.bands_of(grid)
            ):
                yield from run
    finally:
        for reader in readers:
            reader.forget()


def _shown(passes: Sequence[Sequence[SceneReader]], targets: Sequence[Sequence[Grid]]) -> set[tuple[int, Grid]]:
    """The scenes, by identity, and the grids of which their masks leave anything that no other scene shows."""
    readers = [reader for group in passes for reader in group]
    for reader in readers:
        reader.open_ahead(reader.masks)
    grids = [grid for group in targets for grid in group]
    planned = (
        file.planned(window, band, at)
        for at, reader in enumerate(readers)
        for grid in grids
        for file, window, band in reader.masks_of(grid)
    )
    with ReadPlan(planned):
        shown = {key for group in passes for key in _added(group, grids)}
    for reader in readers:
        if any((id(reader), grid) in shown for grid in grids):
            reader.open_ahead(reader.bands)
    return shown


def _added(group: Sequence[SceneReader], grids: Sequence[Grid]) -> Iterator[tuple[int, Grid]]:
    """The scenes of an overpass, by identity, and the grids to which they add a pixel."""
    seen: dict[Grid, NDArray[np.bool_]] = {}
    for reader in group:
        for grid in grids:
            added = reader.shows(grid, seen.get(grid))
            if added is not None:
                yield id(reader), grid
                seen[grid] = seen[grid] | added if grid in seen else added


def _runs(
    readers: Sequence[SceneReader], targets: Sequence[Sequence[Grid]], shown: set[tuple[int, Grid]]
) -> Iterator[range]:
    """Runs of targets that are fetched together, because memory holds what they need."""
    if not any(reader.is_remote for reader in readers):
        yield range(len(targets))
        return
    start, held = 0, set[tuple[int, int, int]]()
    for number, grids in enumerate(targets):
        own = remote_spans(
            file.planned(window, band, number)
            for grid in grids
            for reader in readers
            if (id(reader), grid) in shown
            for file, window, band in reader.bands_of(grid)
        )
        if number > start and sum(stop - first for _, first, stop in held | own) > _MOST:
            yield range(start, number)
            start, held = number, set()
        held |= own
    yield range(start, len(targets))
