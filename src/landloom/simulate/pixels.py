"""Loops over the pixels of a scene: the ground as it is painted, displaced, seen through a sky, and averaged.

All numbers are float32, and every operation rounds as NumPy's would, so that a world has the same bytes everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def _painted(column: Any, number: Any, river: Any, water: Any, texture: Any, out: Any) -> None:
    for k in range(out.size):
        out[k] = (water if river[k] else column[number[k]]) * texture[k]


@kernel
def _displaced(values: Any, x: int, y: int, a: Any, b: Any, gain: Any, out: Any) -> None:
    height, width = values.shape
    one = np.float32(1.0)
    for row in range(height):
        if row in (0, height - 1):
            for k in range(width):
                out[row, k] = values[row, k] * gain
            continue
        own, other = values[row], values[row + y]
        out[row, 0], out[row, width - 1] = own[0] * gain, own[width - 1] * gain
        for k in range(1, width - 1):
            here = own[k] * (one - a) + own[k + x] * a
            there = other[k] * (one - a) + other[k + x] * a
            out[row, k] = (here * (one - b) + there * b) * gain


@kernel
def _through(ground: Any, cloud: Any, shadow: Any, deep: Any, thick: Any, out: Any) -> None:
    one, most, rest = np.float32(1.0), np.float32(0.75), np.float32(0.25)
    for k in range(out.size):
        lit = ground[k] * (one - shadow[k] * deep)
        top = thick * (most + rest * cloud[k])
        out[k] = lit * (one - cloud[k]) + top * cloud[k]


@kernel
def _averaged(values: Any, factor: int, share: Any, out: Any) -> None:
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            total = np.float32(0.0)
            for a in range(factor):
                for b in range(factor):
                    total += values[row * factor + a, column * factor + b]
            out[row, column] = total * share


def painted(
    column: NDArray[np.float32],
    number: NDArray[np.int32],
    river: NDArray[np.bool_],
    water: np.float32,
    texture: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Reflectance of the ground in one band.

    Args:
        column: (parcel,) reflectance.
        number: (y, x) parcel of each pixel.
        river: (y, x) where there is a river instead.
        water: its reflectance.
        texture: (y, x) factor.

    Returns:
        (y, x).
    """
    out = np.empty(number.shape, dtype=np.float32)
    _painted(column, number.ravel(), river.ravel(), water, texture.ravel(), out.ravel())
    return out


def displaced(values: NDArray[np.float32], right: float, down: float, gain: np.float32) -> NDArray[np.float32]:
    """Values shifted by a fraction of a pixel, bilinearly, times a gain; the outermost pixels are not shifted.

    Example:
        >>> row = np.array([[1, 1, 3, 1]] * 3, np.float32)
        >>> displaced(row, 0.5, 0.0, np.float32(2))[1].tolist()
        [2.0, 2.0, 4.0, 2.0]
    """
    out = np.empty_like(values)
    x, y = (-1 if right > 0 else 1), (-1 if down > 0 else 1)
    _displaced(values, x, y, np.float32(abs(right)), np.float32(abs(down)), gain, out)
    return out


def through(
    ground: NDArray[np.float32], cloud: NDArray[np.float32], shadow: NDArray[np.float32], light: float, bright: float
) -> NDArray[np.float32]:
    """Ground seen through clouds and under their shadows, in one band.

    Args:
        ground: (y, x) reflectance.
        cloud: (y, x) opacity, 0 to 1.
        shadow: (y, x) depth, 0 to 1.
        light: share of light that is left in the deepest shadow.
        bright: reflectance of a thick cloud, in units of `ground`.

    Returns:
        (y, x).

    Example:
        >>> ground, nothing, half = (np.full((1, 1), v, np.float32) for v in (800, 0, 0.5))
        >>> through(ground, nothing, half, 0.5, 6000).item(), through(ground, half, nothing, 0.5, 6000).item()
        (600.0, 3025.0)
    """
    out = np.empty_like(ground)
    _through(ground.ravel(), cloud.ravel(), shadow.ravel(), np.float32(1.0 - light), np.float32(bright), out.ravel())
    return out


def averaged(values: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Means of blocks of `factor` × `factor` pixels.

    Example:
        >>> averaged(np.arange(8, dtype=np.float32).reshape(2, 4), 2).tolist()
        [[2.5, 4.5]]
    """
    if factor == 1:
        return values
    height, width = values.shape
    out = np.empty((height // factor, width // factor), dtype=np.float32)
    _averaged(np.ascontiguousarray(values), factor, np.float32(1.0 / factor**2), out)
    return out
