"""What pixels are compared by: their smoothed seasonal course, all knots and bands side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.imagery.whittaker import BLOCK, factorise, solve, store
from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel(error_model="numpy")
def smoothed_pixels(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    places: NDArray[np.int64],
    index: NDArray[np.int64],
    share: NDArray[np.float64],
    knots: tuple[int, int],
    smoothing: float,
    out: NDArray[np.uint16],
) -> None:
    """Smooth some pixels by a fixed penalty, all knots and bands of a pixel side by side.

    Args:
        stack: (time, band, pixel).
        valid: (time, pixel).
        places: of the pixels wanted, each with an observation.
        index: (time) of `Knots`.
        share: (time) of `Knots`.
        knots: `count` and `first` of `Knots`.
        smoothing: the penalty.
        out: (pixel, target × band) result; other pixels are left as they are.
    """
    times, bands, _ = stack.shape
    count, first = knots
    size = out.shape[1]
    factors, right = np.empty((3, count, BLOCK)), np.empty((count, BLOCK))
    used, values = np.empty((times, BLOCK)), np.empty((times, BLOCK))
    penalty = np.full((count - 2, BLOCK), smoothing)
    made = np.empty((size, BLOCK), np.uint16)
    for start in range(0, places.size, BLOCK):
        some = places[start : start + BLOCK]
        used[:] = 0.0
        for time in range(times):
            for p in range(some.size):
                used[time, p] = valid[time, some[p]]
        factorise(used, index, share, penalty, factors)
        for b in range(bands):
            for time in range(times):
                for p in range(some.size):
                    values[time, p] = stack[time, b, some[p]]
            solve(factors, used, values, index, share, right)
            for n in range(size // bands):
                store(right[first + n], made[n * bands + b])
        for p in range(some.size):
            if used[:, p].sum() < 2:
                _constant(stack, valid, some[p], made[:, p])
            for k in range(size):
                out[some[p], k] = made[k, p]


@kernel
def _constant(stack: NDArray[np.uint16], valid: NDArray[np.bool_], place: int, out: NDArray[np.uint16]) -> None:
    """A pixel with one observation has that value throughout."""
    bands = stack.shape[1]
    for time in range(len(stack)):
        if valid[time, place]:
            for k in range(out.size):
                out[k] = stack[time, k % bands, place]
