"""Which values of a mask layer are usable, for classes and for bits; values that it does not define are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.formats.raster_codes import marked
from landloom.imagery.dilation import dilated
from landloom.imagery.stored import class_numbers
from landloom.imagery.valid import bits_valid, scl_valid
from landloom.model.sensor import SEEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.sensor import Classification

_VALUES: Final = SEEN - 1
CLEAR: Final = "clear"
"""Word of a bit that never makes a pixel unusable."""
MOST_NAMED: Final = 8
"""Unknown values that a message lists."""


def layer_numbers(numbers: NDArray[Any], layer: Classification, nodata: tuple[float, ...]) -> NDArray[Any]:
    """Values of a mask layer in one form, whatever type they are stored as: 0 is always no data.

    Args:
        numbers: as stored, any shape.
        layer: their meaning.
        nodata: numbers that stand for nothing, as the file and the archive declare them.

    Returns:
        Classes in uint8 or bits in uint16; of layers in which 0 is a value uint32, with the bit `SEEN` where there is
        one.

    Raises:
        InvalidInputError: not numbers at all.

    Example:
        >>> from landloom.model.sensor import HLS_S30
        >>> layer_numbers(np.array([0, 2, 255], np.uint8), HLS_S30.classification, ()).tolist()
        [65536, 65538, 0]
    """
    if not layer.zero:
        return class_numbers(numbers, np.uint16 if layer.blocked else np.uint8, nodata)
    if numbers.dtype.kind not in "iuf":
        raise InvalidInputError(f"got {numbers.dtype} numbers, expected whole classes")
    declared = nodata if layer.nodata is None else (*nodata, float(layer.nodata))
    missing = marked(numbers, dict.fromkeys(declared))
    filled = np.where(missing, numbers.dtype.type(0), numbers)
    odd = (filled < 0) | (filled > _VALUES) | (filled != np.floor(filled))
    values = np.where(odd, numbers.dtype.type(0), filled).astype(np.uint32)
    values[odd] = _VALUES
    values |= np.uint32(SEEN)
    values[missing] = 0
    return values


def plain_values(numbers: NDArray[Any]) -> NDArray[Any]:
    """The layer's own values of `layer_numbers`, without the bit `SEEN`.

    Example:
        >>> plain_values(np.array([0, SEEN | 2], np.uint32)).tolist()
        [0, 2]
    """
    return numbers & numbers.dtype.type(_VALUES) if numbers.dtype.itemsize > 2 else numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskRule:
    """Which values of a layer are usable, and how far unusable areas grow."""

    layer: Classification
    clear: frozenset[int] | None = None
    """Usable classes, or bits that leave a pixel usable; by default those of the layer."""
    dilate: int = 0
    """Pixels of the layer by which unusable areas grow, as a square; pixels without data do not grow."""

    def usable(self, numbers: NDArray[Any]) -> NDArray[np.bool_]:
        """The usable pixels.

        Args:
            numbers: (y, x) of `layer_numbers`.

        Example:
            >>> from landloom.model.sensor import HLS_S30
            >>> rule = MaskRule(layer=HLS_S30.classification)
            >>> rule.usable(np.array([[0, SEEN, SEEN | 2, SEEN | 16]], np.uint32)).astype(int)
            array([[0, 1, 0, 1]])
        """
        layer = self.layer
        if layer.blocked:
            return bits_valid(numbers, self.blocked, dilate=self.dilate, nodata=0 if layer.zero else layer.nodata or 0)
        clear = layer.clear if self.clear is None else self.clear
        if layer.is_sen2cor and not layer.zero:
            return scl_valid(numbers, clear=clear, dilate=self.dilate)
        seen = numbers != 0
        valid: NDArray[np.bool_] = seen & np.isin(plain_values(numbers), sorted(clear))
        if self.dilate:
            valid &= ~dilated(~valid & seen, self.dilate)
        return valid

    @property
    def blocked(self) -> int:
        """Bits that make a pixel unusable."""
        if self.clear is None:
            return self.layer.blocked
        blocking = (bit for bit, word in self.layer.words.items() if word != CLEAR and bit not in self.clear)
        return sum(1 << bit for bit in blocking)

    def unknown(self, numbers: NDArray[Any]) -> tuple[int, ...]:
        """Values that the layer does not define, ascending; of layers that define none nothing is unknown.

        Example:
            >>> from landloom.model.sensor import SENTINEL_2_L2A
            >>> MaskRule(layer=SENTINEL_2_L2A.classification).unknown(np.array([[4, 0, 77, 12]], np.uint8))
            (12, 77)
        """
        words = self.layer.words
        if self.layer.blocked or not words or not numbers.size:
            return ()
        if len(words) == max(words) + 1 and int(numbers.max()) <= max(words):
            return ()
        counts = np.bincount(plain_values(numbers).ravel(), weights=(numbers != 0).ravel())
        return tuple(code for code in np.flatnonzero(counts).tolist() if code not in self.layer.words)

    @property
    def said(self) -> str:
        """How it is used, for the lineage: `clear 4 5 6, dilated by 1`."""
        layer = self.layer
        if layer.blocked:
            bits = [bit for bit in range(self.blocked.bit_length()) if self.blocked >> bit & 1]
            told = "without " + " ".join(layer.words.get(bit, f"bit {bit}") for bit in bits)
        else:
            told = "clear " + " ".join(map(str, sorted(layer.clear if self.clear is None else self.clear)))
        return told if not self.dilate else f"{told}, dilated by {self.dilate}"


def named_values(values: tuple[int, ...]) -> str:
    """Values for a message, the first few of many.

    Example:
        >>> named_values((12, 77))
        '12, 77'
    """
    told = ", ".join(map(str, values[:MOST_NAMED]))
    return told if len(values) <= MOST_NAMED else f"{told} and {len(values) - MOST_NAMED} more"
