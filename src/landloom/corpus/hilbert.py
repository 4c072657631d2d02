"""The Hilbert curve: an order in which neighbours in space stay close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ORDER: Final = 20
"""Bits per side: 2^20 steps of 10 m cover every UTM northing."""


def hilbert(x: ArrayLike, y: ArrayLike, order: int = ORDER) -> NDArray[np.int64]:
    """Distance along the Hilbert curve that fills a square of 2^order cells per side.

    Source of method: Hamilton's iteration from the highest bit, as J. Skilling, "Programming the Hilbert curve",
    AIP Conference Proceedings 707 (2004), describes for two dimensions.

    Args:
        x: column, 0 to 2^order − 1.
        y: row, 0 to 2^order − 1.
        order: bits per side, at most 31.

    Returns:
        int64 with the shape of x and y; a bijection onto 0 … 4^order − 1.

    Example:
        >>> hilbert([0, 0, 1, 1], [0, 1, 1, 0], order=1).tolist()
        [0, 1, 2, 3]
    """
    column, row = (np.array(value, dtype=np.int64) for value in np.broadcast_arrays(x, y))
    distance = np.zeros(column.shape, dtype=np.int64)
    for bit in range(order - 1, -1, -1):
        side = np.int64(1) << bit
        right, up = (column & side) > 0, (row & side) > 0
        distance += side * side * np.where(right, 3 - up.astype(np.int64), up.astype(np.int64))
        # Rotate the quadrant so that its curve starts and ends next to those of its neighbours.
        flip = right & ~up
        mask = side - 1
        column, row = (
            np.where(flip, mask - (column & mask), column & mask),
            np.where(flip, mask - (row & mask), row & mask),
        )
        column, row = np.where(up, column, row), np.where(up, row, column)
    return distance
