"""Cells grouped into lattices, so that one sweep of a block serves all its cells."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError
from landloom.model.crs import crs_of, name_of, world_span
from landloom.model.grid import Grid, transformer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.model.crs_key import CrsKey

BLOCK: Final = 40
"""Cells along a side of a block: a 24 km tile of 600 m cells is one block."""
_ROUNDING: Final = 6
"""Decimals to which cell sizes and offsets must agree to share a lattice: a micrometre."""
_MOST_SEGMENTS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CellBlock:
    """Neighbouring cells of one lattice."""

    grid: Grid
    """The block; its pixels are cells."""
    places: NDArray[np.int64]
    """(cell,) index of each in the input sequence."""
    pixels: NDArray[np.int64]
    """(cell,) row * columns + column of each in `grid`."""


def as_cells(cells: Grid | Sequence[Grid]) -> list[Grid]:
    """The cells one by one; for a single grid, each pixel is a cell, row by row."""
    if not isinstance(cells, Grid):
        return list(cells)
    return [cells.window(row, column, 1, 1) for row in range(cells.height) for column in range(cells.width)]


def blocks_of(cells: Sequence[Grid]) -> Iterator[CellBlock]:
    """Group cells into blocks of lattices; the block of a cell depends on the cell alone.

    Args:
        cells: grids whose bounds are the cells; they may overlap, repeat and mix CRSs and sizes.

    Yields:
        Blocks, each cell in exactly one of them.

    Example:
        >>> cells = [Grid.of_bounds(32633, (x, 0, x + 600, 600), 10) for x in (600, 0, 300)]
        >>> [(block.places.tolist(), block.grid.west) for block in blocks_of(cells)]
        [([0, 1], 0.0), ([2], 300.0)]
    """
    groups: dict[tuple[Any, ...], list[tuple[int, int, int]]] = {}
    for place, cell in enumerate(cells):
        width, height = cell.east - cell.west, cell.north - cell.south
        column, row = floor(cell.west / width + 1e-9), floor(-cell.north / height + 1e-9)
        shift = round(cell.west - column * width, _ROUNDING), round(-cell.north - row * height, _ROUNDING)
        key = (cell.epsg, round(width, _ROUNDING), round(height, _ROUNDING), *shift, row // BLOCK, column // BLOCK)
        groups.setdefault(key, []).append((place, row % BLOCK, column % BLOCK))
    for (epsg, width, height, dx, dy, block_row, block_column), members in groups.items():
        table = np.array(members, dtype=np.int64)
        grid = Grid(
            epsg=epsg,
            west=block_column * BLOCK * width + dx,
            north=-(block_row * BLOCK * height + dy),
            pixel_width=width,
            pixel_height=height,
            width=BLOCK,
            height=BLOCK,
        )
        yield CellBlock(grid=grid, places=table[:, 0], pixels=table[:, 1] * BLOCK + table[:, 2])


def outlines_in(cells: Sequence[Grid], epsg: CrsKey, tolerance: float = 1e-10) -> NDArray[Any]:
    """Outlines of cells in another CRS, vertex by vertex, with enough vertices for curved sides.

    Args:
        cells: grids of any CRS.
        epsg: CRS of the result; where cells cross its edge at 180°, they and those beside them go on beyond it.
        tolerance: largest error from replacing curved sides by chords, as a share of a cell's area.

    Returns:
        (cell,) shapely polygons.
    """
    result = np.empty(len(cells), dtype=object)
    sources = np.array([cell.epsg for cell in cells])
    bounds = np.array([cell.bounds for cell in cells], dtype=np.float64).reshape(-1, 4)
    for source in np.unique(sources):
        some = np.flatnonzero(sources == source)
        count = 1 if source == epsg else _segments(bounds[some], int(source), epsg, tolerance)
        x, y = _perimeters(bounds[some], count)
        if source != epsg:
            x, y = _moved(x, y, int(source), epsg)
        result[some] = shapely.polygons(np.stack((x, y), axis=-1))
    return result


def _moved(
    x: NDArray[np.float64], y: NDArray[np.float64], source: CrsKey, target: CrsKey
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(cell, vertex) outlines in another CRS; where one crosses 180°, what lies west of it goes on beyond the map.

    Raises:
        InvalidInputError: a cell crosses 180° and the target shows its halves at places that do not meet again.
    """
    there = transformer(source, target).transform(x.ravel(), y.ravel())
    x, y = (np.reshape(one, x.shape) for one in there)
    span = world_span(crs_of(target))
    if span is not None:
        across = np.ptp(x, axis=1) > (span[1] - span[0]) / 2
        if across.any():
            x = np.where(x < (span[0] + span[1]) / 2, x + span[1] - span[0], x)
    elif len(x) and not np.isfinite(x).all():
        raise InvalidInputError(f"got cells where {name_of(crs_of(target))} has no place")
    return x, y


def _perimeters(bounds: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Closed outlines (cell, 4 * count + 1), counter-clockwise from the south-west corner."""
    step = np.arange(count) / count
    zero, one = np.zeros(count), np.ones(count)
    across = np.concatenate((step, one, 1 - step, zero, [0.0]))
    up = np.concatenate((zero, step, one, 1 - step, [0.0]))
    west, south, east, north = (bounds[:, i : i + 1] for i in range(4))
    return west + across * (east - west), south + up * (north - south)


def _segments(bounds: NDArray[np.float64], source: CrsKey, target: CrsKey, tolerance: float) -> int:
    """Segments per side: the sagitta between chord and arc falls with the square of their number."""
    x, y = _moved(*_perimeters(bounds, 2), source, target)
    ring = np.stack((x, y), axis=-1).reshape(len(bounds), 9, 2)
    chords = ring[:, 2::2] - ring[:, :-2:2]
    lengths = np.hypot(chords[..., 0], chords[..., 1])
    off = ring[:, 1::2] - ring[:, :-2:2]
    sagitta = np.abs(chords[..., 0] * off[..., 1] - chords[..., 1] * off[..., 0]) / lengths
    # Area between an arc and its chord: two thirds of chord times sagitta; four sides of a cell of about lengths².
    worst = float((4 * (2 / 3) * sagitta / lengths).max())
    return int(min(max(np.ceil(np.sqrt(worst / tolerance)), 1), _MOST_SEGMENTS))
