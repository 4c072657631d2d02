"""Numbers of a label raster → whole numbers, whatever type they are stored in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOTHING: Final = -(2**31)
"""Stands for no label where a raster has no whole number for it."""
_MOST: Final = 2**31


def as_codes(raster: NDArray[Any], nodata: float | None) -> tuple[NDArray[Any], int | None]:
    """Codes of a raster, and the one that stands for no label.

    Args:
        raster: (row, column) numbers; not finite ones are no label.
        nodata: number that stands for no label, of any value; None where none does.

    Returns:
        The raster itself where it holds whole numbers, else the same as int32.

    Raises:
        InvalidInputError: numbers that are not whole, or no real numbers at all.

    Example:
        >>> codes, nothing = as_codes(np.array([[311.0, np.nan]], np.float32), float("nan"))
        >>> codes.tolist() == [[311, NOTHING]], nothing == NOTHING
        (True, True)
    """
    if np.issubdtype(raster.dtype, np.integer):
        whole = nodata is not None and float(nodata).is_integer()
        return raster, int(nodata) if whole and nodata is not None else None
    if not np.issubdtype(raster.dtype, np.floating):
        raise InvalidInputError(f"got a raster of {raster.dtype}, expected whole numbers")
    missing = ~np.isfinite(raster)
    if nodata is not None and np.isfinite(nodata):
        missing |= raster == raster.dtype.type(nodata)
    values = np.where(missing, 0, raster)
    wrong = (values != np.rint(values)) | (np.abs(values) >= _MOST)
    if wrong.any():
        some = ", ".join(f"{value:g}" for value in np.unique(values[wrong])[:5].tolist())
        raise InvalidInputError(f"got raster values {some}, expected whole numbers")
    return np.where(missing, NOTHING, values).astype(np.int32), NOTHING
