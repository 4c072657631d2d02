"""Windows of a tile in the pixels that a sensor is kept in, and the boxes in which they are read."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from landloom.engine.pixels.registration import SIDE
from landloom.imagery.registration.shifts import LEAST_SIDE
from landloom.imagery.resample import nearest_indices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.model.grid import Grid

MOST: Final = 2**20
"""Pixels of a box that is read for several windows, at most."""
_STEPS: Final = 2
"""Windows that displacements are measured in start at multiples of so many pixels of a sensor."""
_TINY: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """A window of a tile, on the grid of the product."""

    grid: Grid
    near: NDArray[np.bool_]
    """(y, x) pixels wanted; nothing is kept of the others."""
    inside: NDArray[np.bool_] | None = None
    """(y, x) pixels whose cloud masks are wanted; None for none."""
    places: tuple[tuple[int, int], ...] = ()
    """Rows and columns about which displacements are measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnWindow:
    """A window in the pixels that a sensor is kept in."""

    grid: Grid
    rows: NDArray[np.int64] | None
    """As of `Sightings`."""
    columns: NDArray[np.int64] | None
    near: NDArray[np.bool_]
    inside: NDArray[np.int64] | None
    """Flat indices of the pixels whose cloud masks are wanted."""
    position: NDArray[np.int32]
    """(y, x) on the grid of the product: where the cloud mask of each pixel lies among these."""
    places: tuple[tuple[slice, slice], ...]
    """Rows and columns in which displacements are measured."""

    @classmethod
    def of(cls, window: Window, lattice: Grid | None, size: int) -> Self:
        """A window in the pixels of the product, or in those of a lattice that its grid is a part of.

        Args:
            window: of the tile.
            lattice: grid of any file of the sensor; None for the pixels of the product.
            size: pixels of the product along a side of the sensor's.
        """
        if lattice is None:
            own, rows, columns, near, inside = window.grid, None, None, window.near, window.inside
            middles = list(window.places)
        else:
            own = _covering(window.grid, lattice)
            rows, columns = nearest_indices(own, window.grid)
            near = _any(window.near, rows, columns, own.shape)
            inside = None if window.inside is None else _any(window.inside, rows, columns, own.shape)
            middles, size = [(int(rows[row]), int(columns[column])) for row, column in window.places], 1
        wanted = None if inside is None else np.flatnonzero(inside)
        position = np.zeros(own.shape, np.int32)
        if wanted is not None:
            position.ravel()[wanted] = np.arange(wanted.size)
        if rows is not None and columns is not None:
            position = position[rows][:, columns]
        spans = [(_span(row, own.height, size), _span(column, own.width, size)) for row, column in middles]
        places = dict.fromkeys((a.start, a.stop, a.step, b.start, b.stop, b.step) for a, b in spans if a and b)
        return cls(
            grid=own,
            rows=rows,
            columns=columns,
            near=near,
            inside=wanted,
            position=position,
            places=tuple((slice(*one[:3]), slice(*one[3:])) for one in places),
        )


def _covering(grid: Grid, lattice: Grid) -> Grid:
    """The pixels of a lattice that cover a grid."""
    width, height = lattice.pixel_width, lattice.pixel_height
    top = floor((lattice.north - grid.north) / height + _TINY)
    left = floor((grid.west - lattice.west) / width + _TINY)
    bottom = ceil((lattice.north - grid.south) / height - _TINY)
    right = ceil((grid.east - lattice.west) / width - _TINY)
    return lattice.window(top, left, bottom - top, right - left)


def _any(
    wanted: NDArray[np.bool_], rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """(y, x) coarse pixels that hold any wanted pixel."""
    found = np.zeros(shape, np.bool_)
    y, x = np.nonzero(wanted)
    found[rows[y], columns[x]] = True
    return found


def _span(middle: int, length: int, size: int) -> slice | None:
    """`SIDE` pixels of a sensor around a place, as far as the grid reaches; None if it is too small."""
    side = min(SIDE, length // size // _STEPS * _STEPS)
    if side < LEAST_SIDE:
        return None
    start = min(max(middle - side * size // 2, 0), length - side * size)
    return slice(start + size // 2, start + side * size, size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Box:
    """What is read at once, for the windows in it."""

    grid: Grid
    near: NDArray[np.bool_]
    """(y, x) pixels that any window wants."""
    windows: tuple[tuple[int, tuple[slice, slice]], ...]
    """Number of each window, and its rows and columns."""


def boxes(windows: Sequence[OwnWindow]) -> list[Box]:
    """Boxes around windows that lie so close that what they share is more than what lies between them.

    Args:
        windows: on one lattice.
    """
    groups = [(one.grid, [number]) for number, one in enumerate(windows)]
    joined = True
    while joined:
        joined = False
        for k in range(len(groups) - 1):
            (one, some), (other, more) = groups[k : k + 2]
            grid = _around(one, other)
            if grid.height * grid.width <= min(one.height * one.width + other.height * other.width, MOST):
                groups[k : k + 2] = [(grid, some + more)]
                joined = True
                break
    return [_box(grid, numbers, windows) for grid, numbers in groups]


def _around(one: Grid, other: Grid) -> Grid:
    row, column = other.offset_in(one)
    top, left = min(row, 0), min(column, 0)
    bottom, right = max(row + other.height, one.height), max(column + other.width, one.width)
    return one.window(top, left, bottom - top, right - left)


def _box(grid: Grid, numbers: Sequence[int], windows: Sequence[OwnWindow]) -> Box:
    near, placed = np.zeros(grid.shape, np.bool_), []
    for number in numbers:
        own = windows[number]
        row, column = own.grid.offset_in(grid)
        part = slice(row, row + own.grid.height), slice(column, column + own.grid.width)
        near[part] |= own.near
        placed.append((number, part))
    return Box(grid=grid, near=near, windows=tuple(placed))
