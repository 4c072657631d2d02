"""Composites: the per-pixel median of a period's valid observations, and checks of chips before publication."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.imagery.median import masked_median
from landloom.model.sensor import NODATA, SATURATED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

ENOUGH: Final = 64
"""Number of observed pixels of a band's own resolution from which one value in all of them is odd."""
CERTAIN: Final = 2
"""Number of bands with one value each from which it is certain that they show no surface."""
FLOOR: Final = 1
"""Value to which the processing offset clamps dark pixels: water may be that dark throughout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One overpass on a grid, the processing offset applied.

    Example:
        >>> bands = np.array([[[500, 0]]], dtype=np.uint16)
        >>> Observation(bands=bands, valid=np.array([[True, False]])).bands.shape
        (1, 1, 2)
    """

    bands: NDArray[np.uint16]
    """uint16 (band, y, x), reflectance × 10,000."""
    valid: NDArray[np.bool_]
    """(y, x), True = usable in every band: clear by the scene classification, and in no band nodata or saturated.
    One layer for all bands keeps a pixel's spectrum from one set of observations, and its count one number."""

    def __post_init__(self) -> None:
        if self.bands.dtype != np.uint16 or self.valid.dtype != np.bool_:
            raise InvalidValueError(
                f"got {self.bands.dtype} and {self.valid.dtype}, expected uint16 bands, bool validity"
            )
        if self.bands.ndim != 3 or self.bands.shape[1:] != self.valid.shape:
            raise InvalidValueError(
                f"got bands of {self.bands.shape} and validity of {self.valid.shape}, expected (band, y, x) and (y, x)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """The result of reducing a period to one raster."""

    bands: NDArray[np.uint16]
    """uint16 (band, y, x); 0 where the count is 0, never elsewhere."""
    count: NDArray[np.unsignedinteger]
    """(y, x), number of valid observations."""


def composite(
    observations: Sequence[Observation], shape: tuple[int, int] | None = None, bands: int | None = None
) -> Composite:
    """The per-pixel median of all valid observations of a period.

    Beyond the observations, memory is needed for one band of all of them: call it with strips of rows if a whole tile
    does not fit.

    Args:
        observations: one per overpass, on one grid, in any order.
        shape: rows and columns; needed if there may be no observation.
        bands: number of bands; likewise.

    Returns:
        Medians (floor of the mean of the middle two for an even number) and counts; nodata with count 0 if there is no
        observation.

    Raises:
        InvalidValueError: observations of different shapes, or none and no shape.

    Example:
        >>> red = [np.full((1, 1, 2), value, np.uint16) for value in (300, 900, 310)]
        >>> clear = [np.array([[True, False]]), np.array([[True, False]]), np.array([[True, False]])]
        >>> month = composite([Observation(bands=b, valid=v) for b, v in zip(red, clear)])
        >>> month.bands, month.count
        (array([[[310,   0]]], dtype=uint16), array([[3, 0]], dtype=uint8))
        >>> composite([], (1, 2), 1).count
        array([[0, 0]], dtype=uint8)
    """
    if shape is None or bands is None:
        if not observations:
            raise InvalidValueError("got no observations, expected at least one, or shape and bands")
        bands, *shape_found = observations[0].bands.shape
        shape = (shape_found[0], shape_found[1])
    wrong = [o.bands.shape for o in observations if o.bands.shape != (bands, *shape)]
    if wrong:
        raise InvalidValueError(f"got observations of {wrong}, expected {(bands, *shape)}")
    if not observations:
        return Composite(bands=np.full((bands, *shape), NODATA, np.uint16), count=np.zeros(shape, np.uint8))
    valid = np.stack([observation.valid for observation in observations])
    medians = []
    for band in range(bands):
        median, count = masked_median(np.stack([observation.bands[band] for observation in observations]), valid)
        medians.append(median)
    return Composite(bands=np.stack(medians), count=count)


def blank_reason(
    chip: NDArray[np.uint16], count: NDArray[np.unsignedinteger], shape: tuple[int, ...] | None = None
) -> str | None:
    """The reason why a chip must not be published, if there is one.

    A chip is rejected if it has the wrong shape, nodata where there were observations, or data where there were none.

    Args:
        chip: uint16 (band, y, x).
        count: (y, x), number of valid observations behind each pixel.
        shape: the expected shape of the chip, if known.

    Returns:
        The reason as text; None for a valid chip.

    Example:
        >>> blank_reason(np.zeros((1, 1, 2), np.uint16), np.array([[1, 0]], np.uint8))
        'band 1: nodata on all 1 observed pixels'
        >>> blank_reason(np.zeros((1, 1, 2), np.uint16), np.zeros((1, 2), np.uint8)) is None
        True
    """
    if chip.ndim != 3 or chip.shape[1:] != count.shape or (shape is not None and chip.shape != shape):
        return (
            f"got a chip of {chip.shape} with a count of {count.shape}, expected {shape or '(band, y, x) and (y, x)'}"
        )
    seen = count > 0
    if chip.all() if seen.all() else ((chip != NODATA) == seen).all():
        return None
    observed = int(np.count_nonzero(seen))
    for number, band in enumerate(chip, start=1):
        missing = int(np.count_nonzero((band == NODATA) & seen))
        if missing:
            share = "all" if missing == observed else f"{missing} of"
            return f"band {number}: nodata on {share} {observed} observed pixels"
        if np.any(band[~seen] != NODATA):
            return f"band {number}: data on pixels that were never observed"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatness:
    """The bands of a chip that have one value throughout.

    Example:
        >>> Flatness(judged=12, values={1: 342}).is_certain
        False
    """

    judged: int
    """Number of bands with at least `ENOUGH` observed pixels of their own resolution."""
    values: Mapping[int, int]
    """Number of a band, from 1 → its only value."""

    @property
    def is_certain(self) -> bool:
        """Whether no surface looks like this: all bands that can be judged are flat, and there are several."""
        return CERTAIN <= self.judged == len(self.values)

    def __str__(self) -> str:
        return ", ".join(f"band {number}: all observed pixels are {value}" for number, value in self.values.items())


def flatness(chip: NDArray[np.uint16], count: NDArray[np.unsignedinteger], pixels: Sequence[int] = ()) -> Flatness:
    """The bands of a chip that have one value in all observed pixels, above the floor of the processing offset.

    Dark water may be at the floor throughout, and a band of 60 m may honestly have one value in a few of its own
    pixels, so pixels are counted at the band's own resolution.

    Args:
        chip: uint16 (band, y, x).
        count: (y, x), number of valid observations behind each pixel.
        pixels: for each band, the chip's pixels along a side of one of its own; 1 for every band if empty.

    Returns:
        The flat bands, and how many bands could be judged.

    Example:
        >>> count = np.ones((60, 60), np.uint8)
        >>> flatness(np.full((2, 60, 60), 300, np.uint16), count, [1, 6])
        Flatness(judged=2, values={1: 300, 2: 300})
        >>> count[:, 20:] = 0  # leaves 10 x 4 pixels of 60 m
        >>> flatness(np.full((2, 60, 60), 300, np.uint16), count, [1, 6])
        Flatness(judged=1, values={1: 300})
    """
    seen = count > 0
    sizes = list(pixels) or [1] * len(chip)
    own = {size: _own_pixels(seen, size) for size in set(sizes)}
    judged = [number for number, size in enumerate(sizes) if own[size] >= ENOUGH]
    if not judged:
        return Flatness(judged=0, values={})
    first, last = (np.unravel_index(at, seen.shape) for at in np.flatnonzero(seen)[[0, -1]])
    if not (chip[:, *first] == chip[:, *last]).any():  # most chips are known from two pixels
        return Flatness(judged=len(judged), values={})
    every = seen.all()
    lowest = (chip if every else np.where(seen, chip, SATURATED)).min(axis=(1, 2))
    highest = (chip if every else np.where(seen, chip, NODATA)).max(axis=(1, 2))
    flat = (lowest == highest) & (lowest > FLOOR)
    return Flatness(judged=len(judged), values={number + 1: int(lowest[number]) for number in judged if flat[number]})


def _own_pixels(seen: NDArray[np.bool_], size: int) -> int:
    """How many pixels of `size` × `size` were seen in part."""
    if size == 1:
        return int(np.count_nonzero(seen))
    height, width = seen.shape
    if seen.all():
        return int(-(-height // size) * -(-width // size))
    padded = np.pad(seen, ((0, -height % size), (0, -width % size)))
    blocks = padded.reshape(padded.shape[0] // size, size, padded.shape[1] // size, size)
    return int(np.count_nonzero(blocks.any(axis=(1, 3))))
