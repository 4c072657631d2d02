"""Usable pixels of a scene by a neural network, in cells of a fixed lattice, so that they depend on no window."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import ceil, floor
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.engine.pixels.windows import source_window
from landloom.imagery.masks.network import RESOLUTION, cloudless
from landloom.imagery.resample import to_grid
from landloom.model.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CELL: Final = 256
"""Pixels of a side of a cell."""
MARGIN: Final = 64
"""Pixels around a cell that the network sees too."""
NAME: Final = "csmask"
"""Name in lineage."""

Cells = dict[tuple[int, int], "NDArray[np.bool_]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudNetwork:
    """The network on the bands of a sensor; a value that is sent to workers."""

    bands: tuple[str, ...]
    """In the order of `landloom.imagery.masks.network.COLOURS`."""
    level: str
    """Processing level."""
    dilate: int = 0
    """Pixels of 30 m by which clouds and shadows grow."""

    def usable(
        self, band: Callable[[str, Grid], NDArray[np.uint16] | None], grid: Grid, target: Grid, cells: Cells
    ) -> NDArray[np.bool_] | None:
        """Usable pixels of a target; None outside the scene.

        Args:
            band: reads one band on a grid, 10,000 × reflectance; None outside the scene.
            grid: of the scene's files, in metres.
            target: any grid.
            cells: those known so far; more are added.
        """
        lattice = _lattice(grid)
        window = source_window(lattice, target)
        if window is None:
            return None
        row, column = window.offset_in(lattice)
        whole = np.zeros(window.shape, np.uint8)
        rows = range(max(row, 0) // CELL, ceil(min(row + window.height, lattice.height) / CELL))
        columns = range(max(column, 0) // CELL, ceil(min(column + window.width, lattice.width) / CELL))
        for cell in product(rows, columns):
            if cell not in cells:
                cells[cell] = self._cell(band, lattice.window(cell[0] * CELL, cell[1] * CELL, CELL, CELL))
            top, left = cell[0] * CELL - row, cell[1] * CELL - column
            inside = np.s_[max(top, 0) : top + CELL, max(left, 0) : left + CELL]
            part = whole[inside]
            part[:] = cells[cell][max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
        moved: NDArray[np.uint8] = to_grid(whole, window, target, nodata=0)
        return moved.astype(np.bool_)

    def _cell(self, band: Callable[[str, Grid], NDArray[np.uint16] | None], cell: Grid) -> NDArray[np.bool_]:
        side = CELL + 2 * MARGIN
        wide = cell.window(-MARGIN, -MARGIN, side, side)
        parts = [band(name, wide) for name in self.bands]
        stack = np.stack([np.zeros(wide.shape, np.uint16) if part is None else part for part in parts])
        if not stack.any():
            return np.zeros((CELL, CELL), np.bool_)
        return cloudless(stack, self.level, self.dilate)[MARGIN:-MARGIN, MARGIN:-MARGIN]


def _lattice(grid: Grid) -> Grid:
    """The pixels of whole cells around a scene; cells begin at multiples of their size."""
    size = CELL * RESOLUTION
    west, south = floor(grid.west / size) * size, floor(grid.south / size) * size
    east, north = ceil(grid.east / size) * size, ceil(grid.north / size) * size
    return Grid.of_bounds(grid.epsg, (west, south, east, north), RESOLUTION)
