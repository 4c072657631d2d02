"""The frame that the world is defined in: Lambert azimuthal equal area of Europe, shared by all UTM zones."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.model.grid import transformer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.grid import Grid

FRAME: Final = 3035
"""EPSG code of the world's frame (metres)."""
_NODE: Final = 600.0


@lru_cache(maxsize=4)
def positions(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """X and y in the frame of every pixel centre of a grid.

    The projection is evaluated on a lattice of 600 m anchored at the grid's own CRS and interpolated between its
    nodes (with an error below a millimetre), so that a window of a grid gets exactly the numbers of the whole.

    Args:
        grid: in any projected CRS with metres.

    Returns:
        Two (y, x) arrays, read-only.

    Example:
        >>> from landloom.model.grid import Grid
        >>> x, y = positions(Grid.of_bounds(32633, (300_000, 5_556_000, 300_600, 5_556_600), 10))
        >>> x.shape, round(float(x[0, 1] - x[0, 0]), 1)
        ((60, 60), 10.0)
    """
    centre_x = grid.west + (np.arange(grid.width) + 0.5) * grid.pixel_width
    centre_y = grid.north - (np.arange(grid.height) + 0.5) * grid.pixel_height
    column, a = _nodes(centre_x)
    row, b = _nodes(centre_y)
    node_x, node_y = np.meshgrid(
        np.arange(column.min(), column.max() + 2) * _NODE, np.arange(row.min(), row.max() + 2) * _NODE
    )
    projected = transformer(grid.epsg, FRAME).transform(node_x, node_y)
    column, row = column - column.min(), row - row.min()
    both = []
    for nodes in projected:
        along = nodes[:, column] * (1.0 - a) + nodes[:, column + 1] * a
        values = along[row] * (1.0 - b[:, None]) + along[row + 1] * b[:, None]
        values.flags.writeable = False
        both.append(values)
    return both[0], both[1]


def _nodes(centres: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    first = np.floor(centres / _NODE)
    return first.astype(np.int64), (centres / _NODE - first).astype(np.float64)
