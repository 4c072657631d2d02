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
def clear_runs(bits: NDArray[np.uint8], size: int) -> NDArray[np.int32]:
    """(run, 2) first pixel of each run of clear ones, and the pixel after it.

    Args:
        bits: `numpy.packbits` of the clear pixels, row by row.
        size: number of pixels.
    """
    runs = np.empty((size // 2 + 1, 2), np.int32)
    count, inside = 0, False
    for place in range(bits.size):
        byte = bits[place]
        if byte == (np.uint8(255) if inside else np.uint8(0)):
            continue
        for k in range(8):
            clear = (byte >> (7 - k)) & 1 == 1
            if clear != inside:
                runs[count, np.int64(inside)] = 8 * place + k
                count += inside
                inside = clear
    if inside:
        runs[count, 1] = size
        count += 1
    return runs[:count].copy()


@kernel
def packed(bands: NDArray[np.uint16], runs: NDArray[np.int32]) -> NDArray[np.uint16]:
    """(band, clear pixel) values of clear pixels, row by row.

    Args:
        bands: (band, y, x), also a part of a larger array.
        runs: of `clear_runs`.
    """
    count, _, width = bands.shape
    out = np.empty((count, (runs[:, 1] - runs[:, 0]).sum()), np.uint16)
    for b in range(count):
        n = 0
        for run in range(len(runs)):
            start, stop = runs[run, 0], runs[run, 1]
            while start < stop:
                y, x = start // width, start % width
                size = min(stop - start, width - x)
                _copy(bands[b, y, x : x + size], out[b, n : n + size])
                n, start = n + size, start + size
    return out


@kernel
def unpacked(values: NDArray[np.uint16], runs: NDArray[np.int32], out: NDArray[np.uint16]) -> None:
    """The opposite of `packed`, with 0 in other pixels.

    Args:
        values: of `packed`.
        runs: of `clear_runs`.
        out: (band, y, x) result.
    """
    flat = out.reshape(out.shape[0], -1)
    for b in range(len(flat)):
        n, end = 0, 0
        for run in range(len(runs)):
            start, stop = runs[run, 0], runs[run, 1]
            flat[b, end:start] = 0
            _copy(values[b, n : n + stop - start], flat[b, start:stop])
            n, end = n + stop - start, stop
        flat[b, end:] = 0


@kernel
def _copy(source: NDArray[np.uint16], target: NDArray[np.uint16]) -> None:
    for p in range(source.size):
        target[p] = source[p]
