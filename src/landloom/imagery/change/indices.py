"""Normalised differences of two bands, with the variance that the noise of the bands gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

INDICES: Final = {
    "ndvi": (("B08", "NIR", "B8A"), ("B04", "RED")),
    "nbr": (("B08", "NIR", "B8A"), ("B12", "SWIR2")),
    "ndmi": (("B08", "NIR", "B8A"), ("B11", "SWIR1")),
    "ndwi": (("B03", "GREEN"), ("B08", "NIR", "B8A")),
}
"""Index → names of its first band and of its second: greenness, burns, moisture and open water."""


def index_bands(index: str, bands: Sequence[str]) -> tuple[int, int]:
    """Positions of an index's two bands among those of a product.

    Args:
        index: a name in `INDICES`.
        bands: names of the product's bands, in order; capitals do not matter.

    Raises:
        NotFoundError: no such index.
        InvalidInputError: the product lacks a band.

    Example:
        >>> index_bands("ndvi", ["blue", "green", "red", "nir"])
        (3, 2)
    """
    if index not in INDICES:
        raise NotFoundError.of("index", index, INDICES)
    names = [band.upper() for band in bands]
    found = []
    for wanted in INDICES[index]:
        there = next((names.index(name) for name in wanted if name in names), None)
        if there is None:
            raise InvalidInputError(f"index {index}: got the bands {', '.join(bands)}, expected {' or '.join(wanted)}")
        found.append(there)
    return found[0], found[1]


def normalised_difference(
    stack: NDArray[np.uint16], pair: tuple[int, int], noise: NDArray[np.floating]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(a - b) / (a + b) of two bands, and its variance to first order.

    Args:
        stack: uint16 (time, band, y, x).
        pair: positions of a and b.
        noise: (band) standard deviation of a value, in stored numbers.

    Returns:
        Two (time, y, x) float32: index in -1 to 1, and variance; 0 and infinite where both bands are 0.

    Raises:
        InvalidValueError: inconsistent shapes.

    Example:
        >>> stack = np.array([3_000, 1_000], np.uint16).reshape(1, 2, 1, 1)
        >>> value, variance = normalised_difference(stack, (0, 1), np.array([40.0, 40.0]))
        >>> float(value[0, 0, 0]), round(float(variance[0, 0, 0]) ** 0.5, 4)
        (0.5, 0.0158)
    """
    if stack.ndim != 4 or noise.shape != stack.shape[1:2]:
        raise InvalidValueError(
            f"got a stack of {stack.shape} and noise of {noise.shape}, expected (time, band, y, x) and (band)"
        )
    first, second = (stack[:, band].astype(np.float32) for band in pair)
    total = first + second
    known = total > 0
    total = np.where(known, total, np.float32(1.0))
    value = np.where(known, (first - second) / total, np.float32(0.0))
    slope = np.float32(2.0) / (total * total)
    a, b = (np.float32(noise[band]) for band in pair)
    variance = slope * slope * ((second * a) ** 2 + (first * b) ** 2)
    return value, np.where(known, variance, np.float32(np.inf))
