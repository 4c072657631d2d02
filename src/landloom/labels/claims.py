"""Claims: which parcel covers how much of which pixel, and which parcel wins the pixel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.kernels import kernel
from landloom.labels.coverage import TOUCH, Coverage, Rings, coverage_of_rings

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_PARCEL: Final = -1
"""Winner of pixels that no parcel touches."""
_PER_TIE: Final = 2.0**30
"""Coverages that agree to 2^-30 (about 1e-9) tie."""


class Ambiguity(IntFlag):
    """Reasons why the label of a pixel is uncertain; 0 means certain."""

    PARTIAL = 1
    """A parcel of another class also touches the pixel."""
    FULL = 2
    """Two or more parcels, of whatever class, each cover the whole pixel: a geocoding error."""
    SAME_CLASS = 4
    """Another parcel of the winner's class touches the pixel: the id is uncertain, the class is not."""
    EDGE = 8
    """The parcel extends beyond the region and was cut: extent and shape are not those of the whole parcel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The outcome of claims for every pixel of a window; arrays are (row, column)."""

    winner: NDArray[np.int64]
    """Index of the parcel that covers most; ties go to the smaller index. `NO_PARCEL` if none touches the pixel."""
    ratio: NDArray[np.float64]
    """Share of the pixel that the winner covers; 0 if no parcel touches it."""
    mask: NDArray[np.uint8]
    """The published mask: 2 where two or more parcels of different class each cover the whole pixel, else 1 where two
    or more of different class touch it, else 0."""
    ambiguity: NDArray[np.uint8]
    """`Ambiguity` bits PARTIAL, FULL and SAME_CLASS."""


def claims_on(rings: Rings, window: tuple[int, int, int, int]) -> Coverage:
    """Claims of parcels on a window (row, column, height, width); coverage up to 1e-9 is not a claim."""
    claims = coverage_of_rings(rings, window)
    touching = claims.coverage > TOUCH
    if touching.all():
        return claims
    return Coverage(
        polygon=claims.polygon[touching],
        pixel=claims.pixel[touching],
        coverage=claims.coverage[touching],
        shape=claims.shape,
    )


def assign(claims: Coverage, kinds: NDArray[np.int64]) -> Assignment:
    """Assign each pixel to the parcel that covers most of it.

    Args:
        claims: of parcels in the order of their ids, so that ties go to the smaller id.
        kinds: (parcel,) equal for parcels of one class.

    Example:
        >>> claims = Coverage(
        ...     polygon=np.array([0, 1, 1]), pixel=np.array([0, 0, 1]), coverage=np.array([0.5, 0.5, 1.0]), shape=(1, 2)
        ... )
        >>> given = assign(claims, np.array([7, 8]))
        >>> given.winner.tolist(), given.ratio.tolist(), given.mask.tolist()
        ([[0, 1]], [[0.5, 1.0]], [[1, 0]])
    """
    size = claims.shape[0] * claims.shape[1]
    winner, ratio = _win(claims.polygon, claims.pixel, claims.coverage, size)
    mask, bits = _doubt(claims.polygon, claims.pixel, claims.coverage, winner, kinds)
    shape = claims.shape
    return Assignment(
        winner=winner.reshape(shape),
        ratio=ratio.reshape(shape),
        mask=mask.reshape(shape),
        ambiguity=bits.reshape(shape),
    )


@kernel
def _win(parcel: Any, pixel: Any, coverage: Any, size: int) -> Any:
    winner = np.full(size, NO_PARCEL, np.int64)
    ratio = np.zeros(size)
    for i in range(len(pixel)):
        best = ratio[pixel[i]]
        # Claims come in parcel order and only a larger coverage replaces the winner: ties go to the smaller id.
        if coverage[i] > best and np.rint(coverage[i] * _PER_TIE) > np.rint(best * _PER_TIE):
            winner[pixel[i]], ratio[pixel[i]] = parcel[i], coverage[i]
    return winner, ratio


@kernel
def _doubt(parcel: Any, pixel: Any, coverage: Any, winner: Any, kinds: Any) -> Any:
    mask = np.zeros(len(winner), np.uint8)
    bits = np.zeros(len(winner), np.uint8)
    for i in range(len(pixel)):
        place, first = pixel[i], winner[pixel[i]]
        if parcel[i] == first:
            continue
        # If a loser covers the whole pixel, so does the winner, which covers no less.
        full = coverage[i] >= 1.0 - TOUCH
        if full:
            bits[place] |= np.uint8(2)
        if kinds[parcel[i]] == kinds[first]:
            bits[place] |= np.uint8(4)
        else:
            bits[place] |= np.uint8(1)
            mask[place] = max(mask[place], np.uint8(2 if full else 1))
    return mask, bits
