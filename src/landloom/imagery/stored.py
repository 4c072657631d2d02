"""Numbers as files store them → 10,000 × reflectance in uint16, or classes; what was done is said, and no cast wraps.

A number stands for nothing where it is 0, not finite, declared as nodata by the file or by the archive, or where the
reflectance would lie below −0.2, which no surface has: fill values that nobody declares. Reflectance above 6.5534 is
saturated, and so never valid. Everything between is rounded to the nearest whole number, halves up, and never becomes
nodata.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.formats.raster_codes import marked
from landloom.imagery.valid import apply_offset, scaled_numbers
from landloom.model.sensor import NODATA, REFLECTANCE_SCALE, SATURATED, Conversion

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LOWEST: Final = -2_000
"""10,000 × reflectance below which a number is a fill value: Landsat's and HLS's valid range begins there."""
BRIGHTEST: Final = 7.0
"""Above every reflectance that fits into uint16 after × 10,000."""
BEYOND_PERCENT: Final = 200.0
"""Above every reflectance in percent."""
DAMAGED: Final = 255
"""Class of numbers that are none; never usable."""
_PLAIN: Final = np.dtype(np.uint16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How a file stores one band."""

    dtype: np.dtype[Any]
    """Type of its numbers."""
    nodata: tuple[float, ...] = ()
    """Numbers that stand for nothing, as the file and the archive declare them."""
    scaling: tuple[float, float] | None = None
    """Scale and offset that count: physical value = number · scale + offset; None if nobody declares any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRule:
    """How the stored numbers of a band become 10,000 × reflectance."""

    conversion: Conversion | None = None
    """To reflectance; None if numbers are 10,000 × reflectance already."""
    offset: int = 0
    """Added to numbers that are; see `landloom.imagery.valid.apply_offset`."""
    nodata: tuple[float, ...] = ()
    """Numbers other than 0 that stand for nothing."""
    plain: bool = True
    """Whether numbers are uint16 and nothing but the offset is applied."""
    said: str = ""
    """What is done beyond that, for the lineage: `int16, nodata -9999`."""

    def apply(self, numbers: NDArray[Any]) -> tuple[NDArray[np.uint16], int]:
        """Convert numbers.

        Args:
            numbers: any shape, of the type that the rule was made for.

        Returns:
            uint16, 0 where there is nothing, 65535 where saturated; and how many valid ones were clamped to 1.

        Example:
            >>> rule = number_rule(Storage(dtype=np.dtype("int16"), nodata=(-9999.0,)))
            >>> rule.apply(np.array([-9999, -5, 0, 2000, 32767], np.int16))
            (array([    0,     1,     0,  2000, 32767], dtype=uint16), 1)
        """
        if self.plain:
            return apply_offset(numbers, self.offset) if self.offset else (numbers, 0)
        missing = _missing(numbers, self.nodata)
        filled = np.where(missing, numbers.dtype.type(0), numbers)
        saturated = ~missing & (filled == SATURATED) if numbers.dtype == _PLAIN else np.zeros(numbers.shape, np.bool_)
        with np.errstate(over="ignore"):
            scaled = scaled_numbers(filled, self.conversion or Conversion(scale=1 / REFLECTANCE_SCALE)) + self.offset
        missing |= scaled < LOWEST
        saturated |= scaled >= SATURATED
        out = np.clip(scaled, 1, SATURATED - 1).astype(np.uint16)
        out[saturated] = SATURATED
        out[missing] = NODATA
        return out, int(np.count_nonzero((scaled < 1) & ~missing))


def number_rule(
    storage: Storage,
    *,
    conversion: Conversion | None = None,
    usual: Conversion | None = None,
    offset: int = 0,
    preview: Callable[[], NDArray[Any]] | None = None,
) -> NumberRule:
    """Decide how a band's numbers become 10,000 × reflectance.

    Args:
        storage: how the file stores them.
        conversion: that the archive or the sensor states; it goes before what the file declares.
        usual: the sensor's own, of which nothing is said.
        offset: to add to numbers that are 10,000 × reflectance.
        preview: gets a sample of the numbers, of floating ones without any declared scale: whether they are reflectance
            or 10,000 times that can only be seen.

    Raises:
        InvalidInputError: nothing says what the numbers are.

    Example:
        >>> number_rule(Storage(dtype=np.dtype("uint16"), nodata=(0.0,))).plain
        True
        >>> number_rule(Storage(dtype=np.dtype("uint16"), scaling=(0.0001, -0.1))).said
        'scale 0.0001, offset -0.1'
    """
    dtype = storage.dtype
    if dtype.kind not in "iuf":
        raise InvalidInputError(f"got {dtype} numbers, expected whole or floating ones")
    if abs(offset) >= SATURATED - 1:
        raise InvalidInputError(f"got an offset of {offset}, expected less than {SATURATED - 1} either way")
    nodata = _other(storage.nodata)
    said = [] if dtype == _PLAIN else [str(dtype)]
    if conversion is None and storage.scaling is not None:
        conversion = _declared(*storage.scaling)
        said += [] if conversion is None else [_words(conversion)]
    elif conversion is not None:
        said += [] if conversion == usual else [_words(conversion)]
    elif dtype.kind == "f":
        conversion = _seen(dtype, nodata, preview)
        said += [] if conversion is None else [f"x {REFLECTANCE_SCALE}"]
    elif dtype.itemsize == 1:
        raise InvalidInputError(
            f"got {dtype} numbers without a scale, expected 10,000 x reflectance or a declared scale"
        )
    said += [f"nodata {value:g}" for value in nodata]
    plain = dtype == _PLAIN and conversion is None and not nodata
    return NumberRule(conversion=conversion, offset=offset, nodata=nodata, plain=plain, said=", ".join(said))


def _words(conversion: Conversion) -> str:
    return f"scale {conversion.scale:g}, offset {conversion.offset:g}"


def _declared(scale: float, offset: float) -> Conversion | None:
    """What a declared scale asks for; None where numbers are 10,000 × reflectance already."""
    if not (math.isfinite(scale) and math.isfinite(offset)) or scale <= 0:
        raise InvalidInputError(f"got scale {scale:g} and offset {offset:g}, expected finite numbers, a scale above 0")
    if offset == 0 and math.isclose(scale * REFLECTANCE_SCALE, 1, rel_tol=1e-6):
        return None
    return Conversion(scale=scale, offset=offset)


def _seen(
    dtype: np.dtype[Any], nodata: tuple[float, ...], preview: Callable[[], NDArray[Any]] | None
) -> Conversion | None:
    """Whether floating numbers are reflectance, or 10,000 times that (None)."""
    numbers = np.zeros(0, dtype) if preview is None else preview()
    numbers = numbers[~_missing(numbers, nodata)].astype(np.float64)
    numbers = numbers[(numbers > 0) & (numbers <= SATURATED)]
    reflectance = Conversion(scale=1.0)
    if not numbers.size:
        return reflectance
    highest, middle = float(numbers.max()), float(np.median(numbers))
    if highest > BRIGHTEST and np.array_equal(numbers, np.floor(numbers)):
        return None
    if middle <= BRIGHTEST:
        return reflectance
    if highest > BEYOND_PERCENT:
        return None
    raise InvalidInputError(
        f"got {dtype} numbers around {middle:g} without a scale, expected reflectance or 10,000 x reflectance"
    )


def _other(nodata: tuple[float, ...]) -> tuple[float, ...]:
    """Declared numbers that do not stand for nothing anyway."""
    return tuple(dict.fromkeys(float(value) for value in nodata if value != 0 and not math.isnan(value)))


def _missing(numbers: NDArray[Any], nodata: tuple[float, ...]) -> NDArray[np.bool_]:
    """Where numbers stand for nothing, as zero does."""
    missing: NDArray[np.bool_] = (numbers == 0) | marked(numbers, nodata)
    return missing


def class_numbers(numbers: NDArray[Any], dtype: type[np.unsignedinteger], nodata: tuple[float, ...]) -> NDArray[Any]:
    """Classes or quality bits of any stored type, exactly.

    Args:
        numbers: any shape and type.
        dtype: uint8 for classes, uint16 for bits.
        nodata: numbers that stand for nothing, as the file declares them.

    Returns:
        Numbers of that type: 0 where there is nothing; of classes 255, of bits 0, where a number is none.

    Raises:
        InvalidInputError: not numbers at all.

    Example:
        >>> class_numbers(np.array([4.0, np.nan, 4.5, -1.0, 255.0], np.float32), np.uint8, (255.0,))
        array([  4,   0, 255, 255,   0], dtype=uint8)
    """
    other = _other(nodata)
    if numbers.dtype == dtype and not other:
        return numbers
    if numbers.dtype.kind not in "iuf":
        raise InvalidInputError(f"got {numbers.dtype} numbers, expected whole classes")
    missing = _missing(numbers, other)
    filled = np.where(missing, numbers.dtype.type(0), numbers)
    odd = (filled < 0) | (filled > np.iinfo(dtype).max) | (filled != np.floor(filled))
    out: NDArray[Any] = np.where(odd, numbers.dtype.type(0), filled).astype(dtype)
    if dtype is np.uint8:
        out[odd] = DAMAGED
    return out
