"""Whittaker smoothing: series on equally spaced times, with a penalty on their second differences.

Observations may lie between the times: each is compared with the linear interpolation of its two neighbours, so that
dates of any sensor enter without being moved. The equations of a pixel have five diagonals and are shared by its bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.imagery.pieces import in_pieces
from landloom.kernels import kernel
from landloom.model.sensor import NODATA, SATURATED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Row = NDArray[np.float64]

BLOCK: Final = 256
"""Pixels processed at a time."""
LAMBDAS: Final = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)
"""Penalties that generalised cross-validation chooses from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knots:
    """Equally spaced times of a series, and the position of observations between them.

    Example:
        >>> knots = Knots.of(np.array([2.5, 11.0]), np.array([0.0, 5.0]))
        >>> knots.count, knots.first, knots.index.tolist(), knots.share.round(6).tolist()
        (4, 0, [0, 2], [0.5, 0.2])
    """

    count: int
    """Number of knots: those of the targets, and more before and after them if observations lie there."""
    first: int
    """Knot of the first target."""
    index: NDArray[np.int64]
    """(time) the knot before each observation."""
    share: NDArray[np.float64]
    """(time) its position between this knot and the next, 0 to 1."""

    @classmethod
    def of(cls, days: NDArray[np.float64], targets: NDArray[np.float64]) -> Knots:
        """The knots of equally spaced targets that cover all observations.

        Raises:
            InvalidValueError: fewer than two targets, or targets that are not equally spaced in ascending order.
        """
        steps = np.diff(targets)
        if targets.size < 2 or not steps[0] > 0 or not np.allclose(steps, steps[0]):
            raise InvalidValueError(f"got targets {targets}, expected two or more, equally spaced and ascending")
        where = (days - targets[0]) / steps[0]
        lowest = min(int(np.floor(where.min(initial=0.0))), 0)
        highest = max(int(np.ceil(where.max(initial=0.0))), targets.size - 1)
        count = max(highest - lowest + 1, 3)
        index = np.clip(np.floor(where - lowest).astype(np.int64), 0, count - 2)
        return cls(count=count, first=-lowest, index=index, share=where - lowest - index)


def whittaker(
    stack: NDArray[np.uint16],
    weight: NDArray[np.floating | np.bool_],
    days: NDArray[np.float64],
    targets: NDArray[np.float64],
    smoothing: float | Sequence[float] = LAMBDAS,
    *,
    threads: int = 1,
) -> NDArray[np.uint16]:
    """Smooth series, at equally spaced times.

    A pixel with one observation gets that value at all times, one with none is nodata (0).

    Args:
        stack: uint16 (time, band, y, x).
        weight: (time, y, x) weight of each observation, 0 = not used, shared by all bands.
        days: day of each time, in any order.
        targets: days wanted, equally spaced and ascending.
        smoothing: the penalty on second differences; several are tried, and for each pixel the one with the smallest
            error of generalised cross-validation over all bands is used.
        threads: number of threads, each for a part of the pixels; results do not depend on it.

    Returns:
        uint16 (target, band, y, x), in 1..65534 where there are observations.

    Raises:
        InvalidValueError: other types, inconsistent shapes, negative weights or penalties.

    Example:
        >>> stack = np.array([100, 400, 400], dtype=np.uint16).reshape(3, 1, 1, 1)
        >>> weight = np.array([1.0, 0.0, 1.0]).reshape(3, 1, 1)
        >>> whittaker(stack, weight, np.array([0.0, 5.0, 10.0]), np.array([0.0, 5.0, 10.0]), 1.0).ravel()
        array([100, 250, 400], dtype=uint16)
    """
    days, targets = np.asarray(days, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    lambdas = np.atleast_1d(np.asarray(smoothing, dtype=np.float64))
    _check(stack, weight, days, lambdas)
    knots = Knots.of(days, targets)
    times, bands, height, width = stack.shape
    out = np.empty((targets.size, bands, height * width), dtype=np.uint16)
    flat = np.ascontiguousarray(stack).reshape(times, bands, -1)
    weights = np.ascontiguousarray(weight, dtype=np.float32).reshape(times, -1)

    def piece(start: int, end: int) -> None:
        _kernel(flat, weights, knots.index, knots.share, (knots.count, knots.first), lambdas, (start, end), out)

    in_pieces(piece, height * width, block=BLOCK, threads=threads)
    return out.reshape(targets.size, bands, height, width)


@kernel
def _kernel(
    stack: NDArray[np.uint16],
    weight: NDArray[np.float32],
    index: NDArray[np.int64],
    share: NDArray[np.float64],
    knots: tuple[int, int],
    lambdas: NDArray[np.float64],
    piece: tuple[int, int],
    out: NDArray[np.uint16],
) -> None:
    """Block by block of a piece: factors from the weights; then every band by a sweep each way."""
    times, bands, _ = stack.shape
    count, first = knots
    factors = np.empty((3, count, BLOCK))
    right = np.empty((count, BLOCK))
    used = np.empty((times, BLOCK))
    values = np.empty((times, BLOCK))
    penalty = np.empty((count - 2, BLOCK))
    for start in range(piece[0], piece[1], BLOCK):
        end = min(start + BLOCK, piece[1])
        used[:] = 0.0
        for time in range(times):
            for p in range(end - start):
                used[time, p] = weight[time, start + p]
        penalty[:] = lambdas[0]
        if lambdas.size > 1:
            _choose(stack[:, :, start:end], used[:, : end - start], index, share, lambdas, penalty[:, : end - start])
        factorise(used, index, share, penalty, factors)
        for b in range(bands):
            _load(stack[:, b, start:end], values)
            solve(factors, used, values, index, share, right)
            for n in range(out.shape[0]):
                store(right[first + n], out[n, b, start:end])
        _few(stack, weight, start, end, out)


@kernel(error_model="numpy")
def store(row: NDArray[np.float64], out: NDArray[np.uint16]) -> None:
    """Numbers of a row as they are stored: rounded, and neither nodata nor saturated."""
    for p in range(out.size):
        number = np.int32(row[p] + 0.5)
        out[p] = np.uint16(min(max(number, np.int32(1)), np.int32(SATURATED - 1)))


@kernel(error_model="numpy")
def _load(source: NDArray[np.uint16], values: NDArray[np.float64]) -> None:
    for time in range(source.shape[0]):
        for p in range(source.shape[1]):
            values[time, p] = source[time, p]


@kernel(error_model="numpy")
def factorise(
    used: NDArray[np.float64],
    index: NDArray[np.int64],
    share: NDArray[np.float64],
    penalty: NDArray[np.float64],
    factors: NDArray[np.float64],
) -> None:
    """LDL factors of the equations of a block: `factors[0]` is 1 / D, 1 and 2 are the two lower diagonals of L.

    Args:
        used: (time, pixel) weights of observations.
        index: (time) of `Knots`.
        share: (time) of `Knots`.
        penalty: (knot - 2, pixel) penalty on each second difference; low where the series may break.
        factors: (3, knot, pixel) result.
    """
    diagonal, one, two = factors[0], factors[1], factors[2]
    count, width = diagonal.shape
    factors[:] = 0.0
    for n in range(count - 2):
        for p in range(width):
            w = penalty[n, p]
            diagonal[n, p] += w
            diagonal[n + 1, p] += 4.0 * w
            diagonal[n + 2, p] += w
            one[n, p] -= 2.0 * w
            one[n + 1, p] -= 2.0 * w
            two[n, p] += w
    for time in range(index.size):
        k, f = index[time], share[time]
        for p in range(width):
            w = used[time, p]
            diagonal[k, p] += w * (1.0 - f) * (1.0 - f)
            one[k, p] += w * f * (1.0 - f)
            diagonal[k + 1, p] += w * f * f
    # Each row becomes 1 / D and L as soon as it has been taken from the next two: one division for each.
    for n in range(count):
        for p in range(width):
            diagonal[n, p] = 1.0 / max(diagonal[n, p], 1e-12)
        if n + 1 < count:
            for p in range(width):
                near = one[n, p] * diagonal[n, p]
                diagonal[n + 1, p] -= near * one[n, p]
                one[n + 1, p] -= near * two[n, p]
                one[n, p] = near
        if n + 2 < count:
            for p in range(width):
                far = two[n, p] * diagonal[n, p]
                diagonal[n + 2, p] -= far * two[n, p]
                two[n, p] = far


@kernel(error_model="numpy")
def solve(
    factors: NDArray[np.float64],
    used: NDArray[np.float64],
    values: NDArray[np.float64],
    index: NDArray[np.int64],
    share: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Series of one band of a block at all knots, from the factors of its equations."""
    count, width = out.shape
    out[:] = 0.0
    for time in range(index.size):
        k, f = index[time], share[time]
        if f < 1.0:
            _add(out[k], 1.0 - f, used[time], values[time])
        if f > 0.0:
            _add(out[k + 1], f, used[time], values[time])
    inverse, one, two = factors[0], factors[1], factors[2]
    for p in range(width):
        out[1, p] -= one[0, p] * out[0, p]
    for n in range(2, count):
        _down(out[n], one[n - 1], out[n - 1], two[n - 2], out[n - 2])
    for p in range(width):
        out[count - 1, p] *= inverse[count - 1, p]
        out[count - 2, p] = out[count - 2, p] * inverse[count - 2, p] - one[count - 2, p] * out[count - 1, p]
    for n in range(count - 3, -1, -1):
        _up(out[n], inverse[n], one[n], out[n + 1], two[n], out[n + 2])


# The steps are functions of contiguous rows because only then can the compiler vectorise them.


@kernel(error_model="numpy")
def _add(out: Row, factor: float, weight: Row, values: Row) -> None:
    for p in range(out.size):
        out[p] += factor * weight[p] * values[p]


@kernel(error_model="numpy")
def _down(out: Row, one: Row, before: Row, two: Row, earlier: Row) -> None:
    for p in range(out.size):
        out[p] -= one[p] * before[p] + two[p] * earlier[p]


@kernel(error_model="numpy")
def _up(out: Row, inverse: Row, one: Row, after: Row, two: Row, later: Row) -> None:
    for p in range(out.size):
        out[p] = out[p] * inverse[p] - one[p] * after[p] - two[p] * later[p]


@kernel
def variances(factors: NDArray[np.float64], own: NDArray[np.float64], next_: NDArray[np.float64]) -> None:
    """Diagonal of the inverse of the equations, and the covariance of each knot with the next.

    These are the variances of the series if weights are inverse variances of observations and the penalty is the
    inverse variance of second differences (Takahashi's recursion).
    """
    inverse, one, two = factors[0], factors[1], factors[2]
    count, width = own.shape
    for n in range(count - 1, -1, -1):
        for p in range(width):
            a, b = one[n, p], two[n, p]
            after = own[n + 1, p] if n + 1 < count else 0.0
            beyond = own[n + 2, p] if n + 2 < count else 0.0
            link = next_[n + 1, p] if n + 1 < count else 0.0
            far = -a * link - b * beyond
            near = -a * after - b * link
            next_[n, p] = near
            own[n, p] = inverse[n, p] - a * near - b * far


@kernel
def _choose(
    stack: NDArray[np.uint16],
    used: NDArray[np.float64],
    index: NDArray[np.int64],
    share: NDArray[np.float64],
    lambdas: NDArray[np.float64],
    penalty: NDArray[np.float64],
) -> None:
    """The penalty of each pixel, by generalised cross-validation."""
    times, width = used.shape
    count = penalty.shape[0] + 2
    factors = np.empty((3, count, width))
    own, next_, right = np.empty((count, width)), np.empty((count, width)), np.empty((count, width))
    values, attempt = np.zeros((times, width)), np.empty((count - 2, width))
    lowest, seen = np.full(width, np.inf), np.zeros(width)
    for time in range(times):
        for p in range(width):
            seen[p] += used[time, p] > 0
    for one in lambdas:
        attempt[:] = one
        factorise(used, index, share, attempt, factors)
        variances(factors, own, next_)
        score, freedom = np.zeros(width), np.zeros(width)
        for b in range(stack.shape[1]):
            _load(stack[:, b], values)
            solve(factors, used, values, index, share, right)
            for time in range(times):
                k, f = index[time], share[time]
                for p in range(width):
                    miss = values[time, p] - (1.0 - f) * right[k, p] - f * right[k + 1, p]
                    score[p] += used[time, p] * miss * miss
        for time in range(times):
            k, f = index[time], share[time]
            for p in range(width):
                spread = (1.0 - f) * (1.0 - f) * own[k, p] + 2.0 * f * (1.0 - f) * next_[k, p] + f * f * own[k + 1, p]
                freedom[p] += used[time, p] * spread
        for p in range(width):
            left = max(1.0 - freedom[p] / max(seen[p], 1.0), 1e-6)
            if score[p] / (left * left) < lowest[p]:
                lowest[p] = score[p] / (left * left)
                penalty[:, p] = one


@kernel
def _few(stack: NDArray[np.uint16], weight: NDArray[np.float32], start: int, end: int, out: NDArray[np.uint16]) -> None:
    """Pixels with one observation, or none."""
    seen, last = np.zeros(end - start, dtype=np.int64), np.zeros(end - start, dtype=np.int64)
    for time in range(weight.shape[0]):
        for p in range(end - start):
            if weight[time, start + p] > 0:
                seen[p] += 1
                last[p] = time
    for p in range(end - start):
        if seen[p] < 2:
            for b in range(stack.shape[1]):
                for n in range(out.shape[0]):
                    out[n, b, start + p] = stack[last[p], b, start + p] if seen[p] == 1 else np.uint16(NODATA)


def _check(
    stack: NDArray[np.uint16],
    weight: NDArray[np.floating | np.bool_],
    days: NDArray[np.float64],
    lambdas: NDArray[np.float64],
) -> None:
    shape = stack.shape
    if stack.dtype != np.uint16:
        raise InvalidValueError(f"got a stack of {stack.dtype}, expected uint16")
    if stack.ndim != 4 or 0 in shape or weight.shape != (shape[0], *shape[2:]) or days.shape != shape[:1]:
        raise InvalidValueError(
            f"got a stack of {shape}, weights of {weight.shape} and days of {days.shape}; "
            "expected (time, band, y, x), (time, y, x) and (time,), none of them empty"
        )
    if not np.isfinite(days).all() or not np.isfinite(weight).all() or (weight < 0).any():
        raise InvalidValueError("got days or weights that are not finite, or negative weights; expected finite ones")
    if lambdas.size == 0 or not (np.isfinite(lambdas).all() and (lambdas > 0).all()):
        raise InvalidValueError(f"got penalties {lambdas}, expected positive numbers")
