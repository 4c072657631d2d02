"""What each scene adds to the overpasses of a period, every band in its own pixels; and medians of that.

A band of 20 or 60 m has the same number in 4 or 36 pixels of a product of 10 m. Where they are usable on the same
days, their median is the same too, and is found once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidValueError
from landloom.imagery.composite import Composite, Observation, composite
from landloom.imagery.median import masked_median
from landloom.imagery.resample import repeat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one scene adds to an overpass on a grid.

    Example:
        >>> red, edge = np.full((2, 2), 400, np.uint16), np.full((1, 1), 900, np.uint16)
        >>> Layer(bands=(red, edge), valid=np.ones((2, 2), np.bool_)).factors
        (1, 2)
    """

    bands: tuple[NDArray[np.uint16], ...]
    """uint16 (y, x) of each band, reflectance × 10,000, in pixels that are whole times as large as the grid's."""
    valid: NDArray[np.bool_]
    """(y, x) on the grid, True = usable in every band, as of an `Observation`. Of the layers of one overpass, at most
    one has a pixel."""

    def __post_init__(self) -> None:
        wrong = [
            band.shape
            for band, factor in zip(self.bands, self.factors, strict=True)
            if not factor or (band.shape[0] * factor, band.shape[1] * factor) != self.valid.shape
        ]
        if wrong:
            raise InvalidValueError(f"got bands of {wrong}, expected whole parts of {self.valid.shape}")

    @property
    def factors(self) -> tuple[int, ...]:
        """For each band, the grid's pixels along a side of one of its own."""
        return tuple(self.valid.shape[0] // max(band.shape[0], 1) for band in self.bands)


def merged(layers: Sequence[Layer]) -> Observation:
    """The observation of an overpass.

    Args:
        layers: of its scenes, at least one.

    Example:
        >>> east = Layer(bands=(np.array([[7, 5]], np.uint16),), valid=np.array([[False, True]]))
        >>> west = Layer(bands=(np.array([[9, 9]], np.uint16),), valid=np.array([[True, False]]))
        >>> merged([east, west]).bands
        array([[[9, 5]]], dtype=uint16)
    """
    first, *others = layers
    bands = np.stack([repeat(band, factor) for band, factor in zip(first.bands, first.factors, strict=True)])
    valid = first.valid
    for layer in others:
        for whole, band, factor in zip(bands, layer.bands, layer.factors, strict=True):
            np.copyto(whole, repeat(band, factor), where=layer.valid)
        valid = valid | layer.valid
    return Observation(bands=bands, valid=valid)


def composite_layers(layers: Sequence[Layer], shape: tuple[int, int], bands: int) -> Composite:
    """The per-pixel median of all valid observations of a period, as `landloom.imagery.composite.composite` finds it.

    Args:
        layers: of all overpasses, in any order.
        shape: rows and columns of the grid.
        bands: number of bands.

    Example:
        >>> clear = np.array([[True, True], [True, False]])
        >>> days = [Layer(bands=(np.full((1, 1), n, np.uint16),), valid=clear) for n in (300, 900, 310)]
        >>> composite_layers(days, (2, 2), 1).bands
        array([[[310, 310],
                [310,   0]]], dtype=uint16)
    """
    if not layers:
        return composite([], shape, bands)
    valid = np.stack([layer.valid for layer in layers])
    made = Composite(
        bands=np.empty((bands, *shape), np.uint16),
        count=valid.sum(axis=0, dtype=np.uint8 if len(layers) <= 255 else np.uint16),
    )
    for factor, group in _by_factor(layers, bands).items():
        if factor == 1:
            for band in group:
                whole = (repeat(one.bands[band], one.factors[band]) for one in layers)
                made.bands[band] = masked_median(np.stack(list(whole)), valid)[0]
        else:
            _own_pixels(layers, group, factor, valid, made.bands)
    return made


def _by_factor(layers: Sequence[Layer], bands: int) -> dict[int, list[int]]:
    """Size of pixels that bands have in all layers → the bands; 1 where layers differ."""
    groups: dict[int, list[int]] = defaultdict(list)
    every = [layer.factors for layer in layers]
    for band in range(bands):
        sizes = {factors[band] for factors in every}
        groups[sizes.pop() if len(sizes) == 1 else 1].append(band)
    return groups


def _own_pixels(
    layers: Sequence[Layer], bands: Sequence[int], factor: int, valid: NDArray[np.bool_], out: NDArray[np.uint16]
) -> None:
    """Medians of bands in their own pixels; in the grid's where not all of one are usable on the same days."""
    stack = np.stack([[layer.bands[band] for band in bands] for layer in layers])
    every, mixed = _shared(valid, factor)
    medians, _ = masked_median(stack, every)
    height, width = medians.shape[1:]
    for band, median in zip(bands, medians, strict=True):
        out[band].reshape(height, factor, -1)[:] = median.repeat(factor, axis=1)[:, None]
    rows, columns = np.nonzero(mixed)
    if not rows.size:
        return
    single = valid.reshape(len(layers), height, factor, width, factor)[:, rows, :, columns, :]  # (pixel, time, y, x)
    single = np.ascontiguousarray(single.reshape(rows.size, len(layers), -1).swapaxes(0, 1))
    numbers = np.broadcast_to(stack[:, :, rows, columns, None], (*stack.shape[:2], *single.shape[1:]))
    medians, _ = masked_median(np.ascontiguousarray(numbers), single)
    for band, median in zip(bands, medians, strict=True):
        pixels = out[band].reshape(height, factor, width, factor)
        pixels[rows, :, columns, :] = median.reshape(-1, factor, factor)


def _shared(valid: NDArray[np.bool_], factor: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(time, y, x) larger pixels that are usable throughout; (y, x) those of which only a part is at any time."""
    times, height, width = valid.shape
    rows = valid.reshape(times, height // factor, factor, width)
    every, some = np.logical_and.reduce(rows, axis=2), np.logical_or.reduce(rows, axis=2)
    every, some = (one.reshape(*one.shape[:2], width // factor, factor) for one in (every, some))
    all_, any_ = every[..., 0].copy(), some[..., 0].copy()
    for column in range(1, factor):
        all_ &= every[..., column]
        any_ |= some[..., column]
    return all_, np.asarray((all_ != any_).any(axis=0))
