"""Strips of rows of a granule, and the drawn pixels in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from landloom.model.grid import Grid

ROWS: Final = 768
"""Rows of 10 m that are read at a time; a multiple of 6."""


def strips(area: Grid, rows: int = ROWS) -> Iterator[tuple[int, Grid]]:
    """Cut an area into strips of whole rows: first row and grid of each.

    Example:
        >>> from landloom.model.grid import Grid
        >>> [strip.height for _, strip in strips(Grid.of_bounds(32633, (0, 0, 600, 20_000), 10))]
        [768, 768, 464]
    """
    for row in range(0, area.height, rows):
        yield row, area.window(row, 0, min(rows, area.height - row), area.width)


def drawn_by_strip(
    area: Grid, picked: NDArray[np.int64]
) -> Iterator[tuple[slice, Grid, NDArray[np.int64], NDArray[np.int64]]]:
    """Cut an area into strips, without those that have no drawn pixels.

    Args:
        area: grid of the pixels.
        picked: positions in the flattened area, ascending.

    Yields:
        Indices of the positions in the strip, its grid, and the rows and columns of these pixels in it.

    Example:
        >>> from landloom.model.grid import Grid
        >>> area = Grid.of_bounds(32633, (0, 0, 600, 20_000), 10)
        >>> [(own, rows.tolist()) for own, _, rows, _ in drawn_by_strip(area, np.array([61, 119_999]))]
        [(slice(0, 1, None), [1]), (slice(1, 2, None), [463])]
    """
    for row, strip in strips(area):
        first, last = np.searchsorted(picked, (row * area.width, (row + strip.height) * area.width)).tolist()
        if first < last:
            rows, columns = np.divmod(picked[first:last] - row * area.width, area.width)
            yield slice(first, last), strip, rows, columns


def native(strip: Grid, source: Grid) -> Grid:
    """A strip in the pixel grid of a file, if they nest; else the strip itself.

    Example:
        >>> from landloom.model.grid import Grid
        >>> strip = Grid.of_bounds(32633, (0, 0, 600, 600), 10)
        >>> native(strip, Grid.of_bounds(32633, (0, 0, 6_000, 6_000), 20)).shape
        (30, 30)
        >>> native(strip, Grid.of_bounds(32633, (5, 5, 6_005, 6_005), 20)).shape
        (60, 60)
    """
    if strip.width * strip.pixel_width % source.pixel_width or strip.height * strip.pixel_height % source.pixel_height:
        return strip
    coarse = strip.at(source.pixel_width)
    try:
        coarse.offset_in(source)
    except InvalidValueError:
        return strip
    return coarse if coarse.height <= strip.height else strip


def around(chip: Grid, area: Grid, buffer: int) -> tuple[slice, slice]:
    """Rows and columns of an area that are covered by a chip and its buffer.

    Example:
        >>> from landloom.model.grid import Grid
        >>> area = Grid.of_bounds(32633, (0, 0, 1_000, 1_000), 10)
        >>> around(area.window(10, 90, 10, 10), area, 5)
        (slice(5, 25, None), slice(85, 105, None))
    """
    row, column = chip.offset_in(area)
    return (
        slice(max(row - buffer, 0), max(row + chip.height + buffer, 0)),
        slice(max(column - buffer, 0), max(column + chip.width + buffer, 0)),
    )
