"""What scenes are compared by: brightness gradients of clear pixels, and the mean of those of other scenes.

Gradients tell edges and texture, whatever the level of a scene; they are 0 where anything is unclear, so that the
outline of clouds does not correlate. Large ones are cut, so that a missed cloud does not outweigh the ground.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP: Final = 2
"""Pixels along a side of the blocks that are averaged first: noise dominates finer detail."""
_CUT: Final = np.float32(3.0)
_EVERY: Final = 4


def gradients(stack: NDArray[Any], valid: NDArray[np.bool_]) -> tuple[NDArray[np.complex64], NDArray[np.bool_]]:
    """Gradients of blocks of `STEP` pixels.

    Args:
        stack: (time, y, x) of one band.
        valid: (time, y, x) clear pixels.

    Returns:
        (time, y / `STEP`, x / `STEP`) gradients along x + i · gradients along y, 0 where unknown; and where known.

    Example:
        >>> ramp = np.tile(np.arange(12, dtype=np.uint16), (1, 12, 1))
        >>> made, known = gradients(ramp, np.ones((1, 12, 12), bool))
        >>> made.shape, complex(made[0, 2, 2]), int(known.sum())
        ((1, 6, 6), (4+0j), 16)
    """
    times, height, width = stack.shape
    made = np.zeros((times, height // STEP, width // STEP), np.complex64)
    known = np.zeros(made.shape, np.bool_)
    for t in range(times):
        _gradients(stack[t], valid[t], made[t], known[t])
    return made, known


@kernel
def _gradients(
    image: NDArray[Any], valid: NDArray[np.bool_], made: NDArray[np.complex64], known: NDArray[np.bool_]
) -> None:
    rows, columns = made.shape
    mean = np.zeros((rows, columns), np.float32)
    full = np.zeros((rows, columns), np.bool_)
    for r in range(rows):
        for c in range(columns):
            y, x = STEP * r, STEP * c
            full[r, c] = valid[y, x] and valid[y, x + 1] and valid[y + 1, x] and valid[y + 1, x + 1]
            above = np.float32(image[y, x]) + np.float32(image[y, x + 1])
            mean[r, c] = (above + np.float32(image[y + 1, x]) + np.float32(image[y + 1, x + 1])) * np.float32(0.25)
    total, count = 0.0, 0
    for r in range(1, rows - 1):
        for c in range(1, columns - 1):
            if full[r, c] and full[r, c - 1] and full[r, c + 1] and full[r - 1, c] and full[r + 1, c]:
                along, down = mean[r, c + 1] - mean[r, c - 1], mean[r + 1, c] - mean[r - 1, c]
                made[r, c] = complex(along, down)
                known[r, c] = True
                total += abs(made[r, c])
                count += 1
    limit = np.float32(_CUT * np.float32(total) / np.float32(max(count, 1)))
    for r in range(1, rows - 1):
        for c in range(1, columns - 1):
            size = abs(made[r, c])
            if size > limit:
                made[r, c] *= limit / size


@kernel
def others(
    made: NDArray[np.complex64], known: NDArray[np.bool_], days: NDArray[np.float64], memory: float
) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """For every scene, the mean of those of other days, near ones foremost; 0 where there is none.

    Args:
        made: (scene, y, x) gradients.
        known: (scene, y, x).
        days: (scene) ascending; scenes of equal days show one overpass, and are not compared with each other.
        memory: days in which a weight falls by 63 %.

    Returns:
        (scene, y, x) means, and the sums of their weights.
    """
    count, rows, columns = made.shape
    mean = np.zeros_like(made)
    weight = np.zeros(made.shape, np.float32)
    for way in (1, -1):
        sums = np.zeros((rows, columns), np.complex64)
        mass = np.zeros((rows, columns), np.float32)
        first = 0 if way == 1 else count - 1
        waiting = first
        for n in range(1, count):
            t = first + way * n
            if days[t] != days[t - way]:
                factor = np.float32(np.exp(-abs(days[t] - days[t - way]) / memory))
                while waiting != t:
                    _add(sums, mass, made[waiting], known[waiting])
                    waiting += way
                sums *= factor
                mass *= factor
            mean[t] += sums
            weight[t] += mass
    for t in range(count):
        for r in range(rows):
            for c in range(columns):
                if weight[t, r, c] > 0:
                    mean[t, r, c] /= weight[t, r, c]
    return mean, weight


@kernel
def _add(
    sums: NDArray[np.complex64], mass: NDArray[np.float32], made: NDArray[np.complex64], known: NDArray[np.bool_]
) -> None:
    for r in range(sums.shape[0]):
        for c in range(sums.shape[1]):
            if known[r, c]:
                sums[r, c] += made[r, c]
                mass[r, c] += np.float32(1.0)


@kernel
def contributions(
    known: NDArray[np.bool_], weight: NDArray[np.float32], days: NDArray[np.float64], memory: float
) -> NDArray[np.float64]:
    """(scene, other scene) mean share of each other scene in what a scene is compared with; on some of the pixels.

    Args:
        known: (scene, y, x).
        weight: (scene, y, x) of `others`.
        days: (scene) of `others`.
        memory: of `others`.
    """
    count, rows, columns = known.shape
    share = np.zeros((count, count))
    far = np.exp(-np.abs(days.reshape(-1, 1) - days) / memory)
    for r in range(_EVERY // 2, rows, _EVERY):
        for c in range(_EVERY // 2, columns, _EVERY):
            for t in range(count):
                if not known[t, r, c] or weight[t, r, c] <= 0:
                    continue
                for s in range(count):
                    if known[s, r, c] and days[s] != days[t]:
                        share[t, s] += far[t, s] / weight[t, r, c]
    return share
