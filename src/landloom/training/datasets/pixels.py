"""Stored numbers → the image and validity of a sample, in one pass that writes straight into the batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from landloom.kernels import kernel

Image = NDArray[np.float32]
Valid = NDArray[np.bool_]


@kernel(error_model="numpy")
def fill_image(
    numbers: NDArray[Any],
    steps: NDArray[np.int64],
    bands: NDArray[np.int64],
    corner: tuple[int, int],
    marks: tuple[float, float],
    gain: Image,
    shift: Image,
    image: Image,
    valid: Valid,
) -> None:
    """Write one sample's image and validity.

    A pixel is valid at a timestep if every chosen band has data there and none is saturated; all its bands are 0 where
    it is not.

    Args:
        numbers: (stored step, stored band, y, x) as stored.
        steps: (step,) places in the numbers, −1 without a file.
        bands: (band,) places in the numbers.
        corner: first row and column.
        marks: numbers that stand for nothing: nodata and saturated; NaN for none.
        gain: (band,) factor of stored numbers.
        shift: (band,) added after it.
        image: (step, band, y, x) float32, written.
        valid: (step, y, x), written.
    """
    height, width = valid.shape[1:]
    nodata, saturated = np.float32(marks[0]), np.float32(marks[1])
    for step in range(len(steps)):
        place = steps[step]
        if place < 0:
            image[step] = np.float32(0)
            valid[step] = False
            continue
        for row in range(height):
            usable = valid[step, row]
            usable[:] = True
            for band in range(len(bands)):
                line = numbers[place, bands[band], corner[0] + row, corner[1] : corner[1] + width]
                out = image[step, band, row]
                factor, added = gain[band], shift[band]
                for column in range(width):
                    value = np.float32(line[column])
                    usable[column] &= (value != nodata) & (value != saturated) & (value == value)  # noqa: PLR0124
                    out[column] = value * factor + added
            for band in range(len(bands)):
                out = image[step, band, row]
                for column in range(width):
                    if not usable[column]:
                        out[column] = np.float32(0)
