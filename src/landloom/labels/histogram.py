"""Counts of raster values per cell, for cells whose edges are edges of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def _count_values(raster: Any, rows: Any, columns: Any, height: int, width: int) -> Any:
    # Counting equal neighbours would stall on each other's counter update: four banks of counters avoid that.
    result = np.zeros((len(rows), 256), np.int32)
    banks = np.zeros((4, 256), np.int32)
    first, second, third, fourth = banks[0], banks[1], banks[2], banks[3]
    for cell in range(len(rows)):
        top, bottom = max(rows[cell], 0), min(rows[cell] + height, raster.shape[0])
        left, right = max(columns[cell], 0), min(columns[cell] + width, raster.shape[1])
        for row in range(top, bottom):
            line = raster[row]
            even = left + max(right - left, 0) // 4 * 4
            for column in range(left, even, 4):
                first[line[column]] += 1
                second[line[column + 1]] += 1
                third[line[column + 2]] += 1
                fourth[line[column + 3]] += 1
            for column in range(even, right):
                first[line[column]] += 1
        for value in range(256):
            result[cell, value] = first[value] + second[value] + third[value] + fourth[value]
        banks[:] = 0
    return result


def count_values(
    raster: NDArray[np.uint8], rows: NDArray[np.int64], columns: NDArray[np.int64], height: int, width: int
) -> NDArray[np.int32]:
    """Count how often each value occurs in each of many equal windows of a raster.

    Args:
        raster: (row, column) uint8, C-contiguous.
        rows: (cell,) first row of each window; parts outside the raster are not counted.
        columns: (cell,) first column of each window.
        height: rows of every window.
        width: columns of every window.

    Returns:
        (cell, 256) counts.

    Example:
        >>> raster = np.array([[1, 1, 2], [1, 3, 3]], np.uint8)
        >>> count_values(raster, np.array([0]), np.array([1]), 2, 2)[0, :4].tolist()
        [0, 1, 1, 2]
    """
    counts: NDArray[np.int32] = _count_values(
        np.ascontiguousarray(raster), np.asarray(rows, np.int64), np.asarray(columns, np.int64), height, width
    )
    return counts
