"""Seeded randomness as a function of position: the same position gives the same number in any window.

Kernels hash integer lattice coordinates (the finaliser of SplitMix64: Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", 2014) and interpolate between them, so generators have no state and the order of calls
does not matter.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TO_UNIT: Final = 1.0 / 18446744073709551616.0
JITTER: Final = 0.6
"""Maximum offset of Voronoi seeds from the centre of their lattice square; at 0.6 the nearest is always within one."""


@kernel(inline="always")
def _mix(i: int, j: int, seed: int) -> Any:
    z = np.uint64(i) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(j) * np.uint64(0xC2B2AE3D27D4EB4F)
    z += np.uint64(seed) * np.uint64(0x165667B19E3779F9) + np.uint64(0x27D4EB2F165667C5)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel(inline="always")
def _unit(i: int, j: int, seed: int) -> Any:
    return np.float64(_mix(i, j, seed)) * _TO_UNIT


@kernel
def _uniform(i: Any, j: Any, seed: int, out: Any) -> None:
    for k in range(out.size):
        out[k] = _unit(i[k], j[k], seed)


@kernel
def _normal(row: int, column: int, height: int, width: int, seed: int, out: Any) -> None:
    # Four 16-bit parts of one hash, summed: Irwin-Hall, close to normal with one multiplication per pixel.
    mask = np.uint64(0xFFFF)
    for y in range(height):
        for x in range(width):
            z = _mix(column + x, row + y, seed)
            total = (z & mask) + ((z >> np.uint64(16)) & mask) + ((z >> np.uint64(32)) & mask) + (z >> np.uint64(48))
            out[y, x] = (np.float64(total) / 65536.0 - 2.0) * 1.7320508075688772


@kernel
def _fractal(x: Any, y: Any, scale: float, octaves: int, seed: int, out: Any) -> None:
    out[:] = 0.0
    weight, amplitude, finer = 0.0, 1.0, 1.0
    across, down = x / scale, y / scale
    for octave in range(octaves):
        key = seed + octave
        weight += amplitude
        # Neighbouring pixels mostly share a lattice square, so its corners are reused until they change.
        last_i, last_j = 1 << 62, 1 << 62
        c00 = c10 = c01 = c11 = 0.0
        for k in range(out.size):
            # A division by the octave's own step gives the same bits: powers of two do not round.
            u, v = across[k] * finer + 0.37 * octave, down[k] * finer + 0.71 * octave
            i, j = int(np.floor(u)), int(np.floor(v))
            if i != last_i or j != last_j:
                last_i, last_j = i, j
                c00, c10 = _unit(i, j, key), _unit(i + 1, j, key)
                c01, c11 = _unit(i, j + 1, key), _unit(i + 1, j + 1, key)
            a, b = u - i, v - j
            a, b = a * a * (3.0 - 2.0 * a), b * b * (3.0 - 2.0 * b)
            low = c00 + (c10 - c00) * a
            high = c01 + (c11 - c01) * a
            out[k] += amplitude * (low + (high - low) * b)
        amplitude *= 0.5
        finer *= 2.0
    for k in range(out.size):
        out[k] /= weight


@kernel
def _nearest(u: Any, v: Any, jitter: float, seed: int, out_i: Any, out_j: Any) -> None:
    # Neighbouring positions mostly share a lattice square, so the seeds around it are reused until it changes.
    last_i, last_j = 1 << 62, 1 << 62
    seeds_u, seeds_v = np.empty(9), np.empty(9)
    for k in range(u.size):
        i0, j0 = int(np.floor(u[k])), int(np.floor(v[k]))
        if i0 != last_i or j0 != last_j:
            last_i, last_j = i0, j0
            for n in range(9):
                i, j = i0 - 1 + n // 3, j0 - 1 + n % 3
                seeds_u[n] = i + 0.5 + jitter * (_unit(i, j, seed) - 0.5)
                seeds_v[n] = j + 0.5 + jitter * (_unit(i, j, seed + 1) - 0.5)
        best = 1e30
        for n in range(9):
            du, dv = seeds_u[n] - u[k], seeds_v[n] - v[k]
            distance = du * du + dv * dv
            if distance < best:
                best, out_i[k], out_j[k] = distance, i0 - 1 + n // 3, j0 - 1 + n % 3


def uniform(i: NDArray[np.int64], j: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Numbers in [0, 1) for lattice coordinates.

    Args:
        i: any shape.
        j: the same shape.
        seed: selects one of many independent fields.

    Returns:
        The shape of `i`.

    Example:
        >>> import numpy as np
        >>> i = np.arange(3)
        >>> bool(np.all(uniform(i, i, 1) != uniform(i, i, 2)))
        True
    """
    first, second = np.broadcast_arrays(np.asarray(i, dtype=np.int64), np.asarray(j, dtype=np.int64))
    out = np.empty(first.size)
    _uniform(first.ravel(), second.ravel(), seed, out)
    return out.reshape(first.shape)


def normal(row: int, column: int, shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """White noise of mean 0 and standard deviation 1 on pixels counted from a common origin.

    Args:
        row: index of the first row, from any origin.
        column: index of the first column.
        shape: (rows, columns).
        seed: selects one of many independent fields.

    Returns:
        (y, x). A window of a wider field equals the same part of it.

    Example:
        >>> bool((normal(10, 20, (4, 4), 7)[2:, 1:] == normal(12, 21, (2, 3), 7)).all())
        True
    """
    out = np.empty(shape, dtype=np.float32)
    _normal(row, column, shape[0], shape[1], seed, out)
    return out


def fractal(
    x: NDArray[np.float64], y: NDArray[np.float64], *, scale: float, octaves: int, seed: int
) -> NDArray[np.float64]:
    """Smooth noise in [0, 1], about 0.5 on average: value noise summed over octaves of half size and half strength.

    Args:
        x: positions, any shape.
        y: positions, the same shape.
        scale: distance over which the coarsest octave varies, in units of x.
        octaves: number of octaves summed.
        seed: selects one of many independent fields.

    Returns:
        The shape of `x`.

    Example:
        >>> import numpy as np
        >>> values = fractal(np.arange(5.0), np.zeros(5), scale=100.0, octaves=1, seed=3)
        >>> bool(abs(np.diff(values)).max() < 0.02)
        True
    """
    out = np.empty(x.size)
    _fractal(np.ascontiguousarray(x).ravel(), np.ascontiguousarray(y).ravel(), float(scale), octaves, seed, out)
    return out.reshape(x.shape)


@lru_cache(maxsize=64)
def _sorted_sample(octaves: int) -> NDArray[np.float64]:
    ticks = np.arange(0.0, 200.0, 0.9173)
    x, y = np.meshgrid(ticks, ticks)
    return np.sort(fractal(x, y, scale=1.0, octaves=octaves, seed=97).ravel())


def quantile(share: float, octaves: int) -> float:
    """The quantile of `fractal` noise for a share, over a wide area.

    Example:
        >>> 0.45 < quantile(0.5, 3) < 0.55, quantile(0.0, 3), quantile(1.0, 3)
        (True, -1.0, 2.0)
    """
    if share <= 0.0:
        return -1.0
    if share >= 1.0:
        return 2.0
    values = _sorted_sample(octaves)
    return float(values[int(share * (values.size - 1))])


def ranks(values: NDArray[np.float64], octaves: int) -> NDArray[np.float64]:
    """The share of a wide area of `fractal` noise that lies below each value: the inverse of `quantile`.

    Example:
        >>> bool(abs(ranks(np.array([quantile(0.3, 2)]), 2)[0] - 0.3) < 1e-3)
        True
    """
    sample = _sorted_sample(octaves)
    return np.searchsorted(sample, values) / sample.size


def nearest_seed(
    u: NDArray[np.float64], v: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lattice coordinates of the Voronoi cell that contains each point.

    Args:
        u: positions in lattice units, any shape.
        v: the same shape.
        seed: seed of the lattice, also used by `seed_points`.

    Returns:
        Two arrays of the shape of `u`.

    Example:
        >>> import numpy as np
        >>> u, v = seed_points(np.array([4]), np.array([-2]), 5)
        >>> [int(n[0]) for n in nearest_seed(u, v, 5)]
        [4, -2]
    """
    i, j = np.empty(u.size, dtype=np.int64), np.empty(u.size, dtype=np.int64)
    _nearest(np.ascontiguousarray(u).ravel(), np.ascontiguousarray(v).ravel(), JITTER, seed, i, j)
    return i.reshape(u.shape), j.reshape(u.shape)


def seed_points(
    i: NDArray[np.int64], j: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The jittered points of a lattice, in lattice units."""
    u = i + 0.5 + JITTER * (uniform(i, j, seed) - 0.5)
    v = j + 0.5 + JITTER * (uniform(i, j, seed + 1) - 0.5)
    return u, v
