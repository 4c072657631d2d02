"""Merging the scenes of an overpass, where the first one that shows a pixel counts; and keeping what is clear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def merge_scene(
    bands: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    wanted: NDArray[np.bool_],
    own: NDArray[np.uint16],
    clear: NDArray[np.bool_],
) -> bool:
    """Add the clear pixels of a scene to those of the scenes before it.

    Args:
        bands: (band, y, x) of the overpass; changed in place.
        valid: (y, x) its clear pixels; changed in place.
        wanted: (y, x) pixels that are of use.
        own: (band, y, x) of the scene.
        clear: (y, x) its clear pixels.

    Returns:
        Whether any clear pixel of the scene is of use.
    """
    count, height, width = own.shape
    fresh = np.empty(width, np.bool_)
    found = False
    for y in range(height):
        some = False
        for x in range(width):
            usable = clear[y, x] & wanted[y, x]
            fresh[x] = usable & ~valid[y, x]
            valid[y, x] |= usable
            some |= usable
        if some:
            found = True
            for b in range(count):
                for x in range(width):
                    bands[b, y, x] = own[b, y, x] if fresh[x] else bands[b, y, x]
    return found


@kernel
def merge_codes(codes: NDArray[np.uint8], own: NDArray[np.uint16]) -> None:
    """Add a scene's cloud mask to that of the scenes before it, as codes + 1; 0 where none has data.

    Args:
        codes: (y, x) of the overpass; changed in place.
        own: (y, x) of `cloud_codes`.
    """
    for y in range(codes.shape[0]):
        for x in range(codes.shape[1]):
            codes[y, x] = codes[y, x] if codes[y, x] != 0 else np.uint8((own[y, x] + np.uint16(1)) & np.uint16(0xFF))


@kernel
def packed(bands: NDArray[np.uint16], valid: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """(band, clear pixel + 1) values of clear pixels, row by row; the last one of a band says nothing.

    Args:
        bands: (band, y, x).
        valid: (y, x) clear pixels.
    """
    count, height, width = bands.shape
    out = np.zeros((count, valid.sum() + 1), np.uint16)
    for b in range(count):
        n = 0
        for y in range(height):
            for x in range(width):
                out[b, n] = bands[b, y, x]
                n += valid[y, x]
    return out


@kernel
def unpacked(values: NDArray[np.uint16], valid: NDArray[np.bool_], out: NDArray[np.uint16]) -> None:
    """The opposite of `packed`, with 0 in other pixels.

    Args:
        values: of `packed`.
        valid: (y, x) clear pixels.
        out: (band, y, x) result.
    """
    count, height, width = out.shape
    for b in range(count):
        n = 0
        for y in range(height):
            for x in range(width):
                out[b, y, x] = values[b, n] if valid[y, x] else np.uint16(0)
                n += valid[y, x]
