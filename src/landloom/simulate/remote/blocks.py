"""A few encoded blocks that the files of an archive repeat: land with texture and noise, and clouds as in Sen2Cor.

They differ by place and by overpass, so that reading, decoding, masking and reducing cost what they cost with real
scenes. The noise is strong enough for them to compress like real ones: a block of 1,024 pixels is 1.4 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.formats.tiff import framed_block
from landloom.formats.tiles import encode_tile
from landloom.model.sensor import Scl
from landloom.simulate.noise import fractal, normal, quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SIDE: Final = 1024
"""Side of a block in pixels: that of the Cloud-Optimised GeoTIFFs of Earth Search."""
GROUNDS: Final = 3
"""Different pieces of land."""
DAYS: Final = 3
"""Different overpasses of each."""
COVERS: Final = (0.0, 0.3, 0.55, 0.75, 0.95)
"""Cloud cover of each sky; every fifth overpass of an orbit is clear."""
_NOISE: Final = 95.0
"""Standard deviation of the noise, in stored numbers: blocks shrink to 0.7 of their size, as real ones do."""
_LEVEL: Final = 6
_THUMBNAIL: Final = 16
"""Pixels from one of a thumbnail to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """The blocks of one kind of file."""

    data: tuple[bytes, ...]
    """Each with its frame, as it lies in a file; the first is without data."""
    dtype: str
    """Of its pixels."""
    thumbnails: tuple[NDArray[np.uint8], ...] = ()
    """Of the classification: few pixels of each block."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Bytes of each without its frame."""
        return tuple(len(one) - 8 for one in self.data)


@cache
def reflectance_blocks(side: int = SIDE) -> Blocks:
    """Blocks of any band: nothing, then `DAYS` of each of `GROUNDS`."""
    layers = [np.zeros((side, side), np.uint16)]
    for ground in range(GROUNDS):
        land = 400 + 2600 * _field(side, 4000.0, 6, ground)
        for day in range(DAYS):
            seen = land * (0.95 + 0.05 * day) + _NOISE * normal(0, 0, (side, side), 100 * ground + day)
            layers.append(np.clip(seen, 1, 10_000).astype(np.uint16))
    return Blocks(data=_encoded(layers), dtype="<u2")


@cache
def classification_blocks(side: int = SIDE) -> Blocks:
    """Blocks of the scene classification: nothing, then one for each of `COVERS`."""
    layers = [np.zeros((side, side), np.uint8)]
    for number, cover in enumerate(COVERS):
        sky = _field(side, 3500.0, 5, 1000 + 10 * number)
        scl = np.full((side, side), Scl.VEGETATION, np.uint8)
        scl[_field(side, 900.0, 3, 7) > 0.55] = Scl.BARE
        scl[np.roll(sky, (5, 3), (0, 1)) > quantile(1 - cover, 5)] = Scl.CLOUD_SHADOW
        scl[sky > quantile(1 - cover, 5)] = Scl.CLOUD_HIGH
        layers.append(scl)
    thumbnails = tuple(layer[::_THUMBNAIL, ::_THUMBNAIL] for layer in layers)
    return Blocks(data=_encoded(layers), dtype="|u1", thumbnails=thumbnails)


def _field(side: int, scale: float, octaves: int, seed: int) -> NDArray[np.float64]:
    y, x = np.mgrid[:side, :side] * 10.0
    return fractal(x, y, scale=scale, octaves=octaves, seed=31 * seed + 5)


def _encoded(layers: Sequence[NDArray[np.generic]]) -> tuple[bytes, ...]:
    return tuple(framed_block(encode_tile(np.ascontiguousarray(layer[..., None]), _LEVEL)) for layer in layers)
