"""Numbers of a raster of codes → whole numbers, whatever type they are stored in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

NOTHING: Final = -(2**62)
"""Stands for no label where a raster has no whole number for it; no number that a float holds exactly as a code."""
_WHOLE: Final = 2.0**53
"""Whole numbers up to so much are exact in every type."""


def marked(numbers: NDArray[Any], nodata: Iterable[float]) -> NDArray[np.bool_]:
    """Where numbers are not finite, or nodata, which is compared in their own precision.

    Example:
        >>> marked(np.array([0.1, np.nan, 1], np.float32), [0.1]).tolist()
        [True, True, False]
    """
    found: NDArray[np.bool_] = ~np.isfinite(numbers)
    for value in nodata:
        if numbers.dtype.kind == "f":
            with np.errstate(over="ignore"):
                found |= numbers == np.float64(value).astype(numbers.dtype)
        elif float(value).is_integer() and np.iinfo(numbers.dtype).min <= value <= np.iinfo(numbers.dtype).max:
            found |= numbers == int(value)
    return found


def code_numbers(numbers: NDArray[Any], nodata: float | None, nothing: int) -> NDArray[np.int64]:
    """Codes of a map, of any stored type, as whole numbers.

    Args:
        numbers: any shape and type.
        nodata: number that stands for nothing, as the file declares it.
        nothing: code that such pixels get, and those that are not finite.

    Raises:
        InvalidInputError: numbers that are no whole ones; some are named.

    Example:
        >>> code_numbers(np.array([311.0, np.nan, -9999.0], np.float32), -9999.0, 999)
        array([311, 999, 999])
    """
    if numbers.dtype.kind not in "iuf":
        raise InvalidInputError(f"got {numbers.dtype} numbers, expected whole numbers as codes")
    missing = marked(numbers, () if nodata is None else (nodata,))
    filled = np.where(missing, numbers.dtype.type(0), numbers)
    odd = (filled != np.floor(filled)) | (filled > _WHOLE) | (filled < -_WHOLE)
    if odd.any():
        some = ", ".join(f"{value:g}" for value in np.unique(filled[odd])[:5].tolist())
        raise InvalidInputError(f"got the values {some}, expected whole numbers as codes")
    out: NDArray[np.int64] = filled.astype(np.int64)
    out[missing] = nothing
    return out


def as_codes(raster: NDArray[Any], nodata: float | None) -> tuple[NDArray[Any], int | None]:
    """Codes of a raster, and the one that stands for no label.

    Args:
        raster: (row, column) numbers; not finite ones are no label.
        nodata: number that stands for no label, of any value; None where none does.

    Returns:
        The raster itself where it holds whole numbers, else the same as `code_numbers`.

    Raises:
        InvalidInputError: numbers that are not whole, or no real numbers at all.

    Example:
        >>> codes, nothing = as_codes(np.array([[311.0, np.nan]], np.float32), float("nan"))
        >>> codes.tolist() == [[311, NOTHING]], nothing == NOTHING
        (True, True)
    """
    if raster.dtype.kind in "iu":
        whole = nodata is not None and float(nodata).is_integer()
        return raster, int(nodata) if whole and nodata is not None else None
    return code_numbers(raster, nodata, NOTHING), NOTHING
