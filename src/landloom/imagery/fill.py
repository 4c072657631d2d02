"""Filling gaps by linear interpolation in time: at the times of a series, or at any others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.imagery.pieces import in_pieces
from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK: Final = 1024
"""Pixels processed at a time."""
YEAR: Final = 365.0
"""Days of a period by default."""


def fill_periodic(
    stack: NDArray[np.uint16], valid: NDArray[np.bool_], days: NDArray[np.float64], period: float = YEAR
) -> NDArray[np.uint16]:
    """Replace invalid values by linear interpolation between their valid neighbours in time.

    Times are taken modulo the period, so that gaps in December use January. Valid values are unchanged. A pixel
    with one observation gets that value at all times, one with none stays nodata (0). Results are rounded to the
    nearest whole number, halves up: they differ from `numpy.interp(…, period=…)` by at most 0.5.

    Args:
        stack: uint16 (time, band, y, x).
        valid: True = usable, (time, y, x), shared by all bands.
        days: day of each time, in any order; observations at the same time modulo the period are kept apart.
        period: length of the circle, 365.0 or 366.0 days for a year.

    Returns:
        uint16 (time, band, y, x), in the order of the input.

    Raises:
        InvalidValueError: other types, inconsistent shapes, or times that are not finite.

    Example:
        >>> stack = np.array([100, 0, 0, 400], dtype=np.uint16).reshape(4, 1, 1, 1)
        >>> valid = np.array([True, False, False, True]).reshape(4, 1, 1)
        >>> fill_periodic(stack, valid, np.array([0.0, 10.0, 20.0, 30.0])).ravel()
        array([100, 200, 300, 400], dtype=uint16)
    """
    days = np.asarray(days, dtype=np.float64)
    _check(stack, valid, days, period)
    times, bands, height, width = stack.shape
    order = np.argsort(days % period, kind="stable")
    out = np.empty(stack.shape, dtype=np.uint16)
    _kernel(
        np.ascontiguousarray(stack).reshape(times, bands, height * width),
        np.ascontiguousarray(valid).view(np.uint8).reshape(times, height * width),
        (days % period)[order],
        order,
        float(period),
        out.reshape(times, bands, height * width),
    )
    return out


def fill_linear(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: NDArray[np.float64],
    targets: NDArray[np.float64],
    period: float | None = None,
    *,
    threads: int = 1,
) -> NDArray[np.uint16]:
    """Interpolate linearly in time to other times.

    Before the first and after the last valid observation its value is kept, unless there is a period. A pixel without
    any observation is nodata (0). Results are rounded to the nearest whole number, halves up.

    Args:
        stack: uint16 (time, band, y, x).
        valid: True = usable, (time, y, x), shared by all bands.
        days: day of each time, in any order.
        targets: days wanted, in any order.
        period: length of the circle if the series is periodic: 365.0 or 366.0 days for a year.
        threads: number of threads, each for a part of the pixels; results do not depend on it.

    Returns:
        uint16 (target, band, y, x).

    Raises:
        InvalidValueError: other types, inconsistent shapes, or times that are not finite.

    Example:
        >>> stack = np.array([100, 400], dtype=np.uint16).reshape(2, 1, 1, 1)
        >>> valid = np.ones((2, 1, 1), dtype=bool)
        >>> fill_linear(stack, valid, np.array([0.0, 30.0]), np.array([-5.0, 10.0, 40.0])).ravel()
        array([100, 200, 400], dtype=uint16)
    """
    days, targets = np.asarray(days, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    _check(stack, valid, days, 1.0 if period is None else period)
    if targets.ndim != 1 or not np.isfinite(targets).all():
        raise InvalidValueError(f"got targets {targets}, expected finite times")
    if period is not None:
        days, targets = days % period, targets % period
    order, wanted = np.argsort(days, kind="stable"), np.argsort(targets, kind="stable")
    times, bands, height, width = stack.shape
    out = np.empty((targets.size, bands, height, width), dtype=np.uint16)
    flat = np.ascontiguousarray(stack).reshape(times, bands, height * width)
    usable = np.ascontiguousarray(valid).view(np.uint8).reshape(times, height * width)
    filled = out.reshape(targets.size, bands, height * width)
    circle = 0.0 if period is None else float(period)

    def piece(start: int, end: int) -> None:
        _linear_kernel(flat, usable, (days[order], targets[wanted]), (order, wanted), circle, (start, end), filled)

    in_pieces(piece, height * width, block=BLOCK, threads=threads)
    return out


@kernel
def _linear_kernel(
    stack: NDArray[np.uint16],
    valid: NDArray[np.uint8],
    moments: tuple[NDArray[np.float64], NDArray[np.float64]],
    orders: tuple[NDArray[np.int64], NDArray[np.int64]],
    period: float,
    piece: tuple[int, int],
    out: NDArray[np.uint16],
) -> None:
    """As `_kernel` on a piece of the pixels, with the carried values picked up at the targets; a period of 0 is none.

    Args:
        stack: (time, band, pixel).
        valid: (time, pixel).
        moments: days and targets, both ascending.
        orders: where each of them is in the stack and in the result.
        period: length of the circle.
        piece: the first pixel, and the one after the last.
        out: (target, band, pixel).
    """
    times, bands, _ = stack.shape
    (days, targets), (order, wanted) = moments, orders
    count = targets.size
    weight = np.empty((count, BLOCK), dtype=np.float64)
    following = np.empty((count, BLOCK), dtype=np.float64)
    moment = np.empty(BLOCK, dtype=np.float64)
    usable = np.empty((times, BLOCK), dtype=np.uint16)
    copy = np.empty((times, BLOCK), dtype=np.uint16)
    later = np.empty((count, BLOCK), dtype=np.uint16)
    carried = np.empty(BLOCK, dtype=np.uint16)
    first = np.searchsorted(days, targets, side="left")
    past = np.searchsorted(days, targets, side="right")
    for start in range(piece[0], piece[1], BLOCK):
        end = min(start + BLOCK, piece[1])
        for time in range(times):
            _widen(valid[order[time], start:end], usable[time])
        _target_weights(usable, days, targets, first, past, period, following, moment, weight)
        for band in range(bands):
            for time in range(times):
                _copy(stack[order[time], band, start:end], copy[time])
            _run_up(copy, usable, carried, period > 0, True)
            time = times
            for n in range(count - 1, -1, -1):
                while time > first[n]:
                    time -= 1
                    _carry(copy[time], usable[time], carried)
                _copy(carried, later[n])
            _run_up(copy, usable, carried, period > 0, False)
            time = 0
            for n in range(count):
                while time < past[n]:
                    _carry(copy[time], usable[time], carried)
                    time += 1
                _blend(carried, later[n], weight[n], out[wanted[n], band, start:end])


@kernel
def _run_up(
    copy: NDArray[np.uint16], usable: NDArray[np.uint16], carried: NDArray[np.uint16], periodic: bool, backward: bool
) -> None:
    """Value beyond the ends: on a circle that of the other end, else that of this end."""
    carried[:] = 0
    times = copy.shape[0]
    for step in range(times):
        reverse = periodic == backward
        time = times - 1 - step if reverse else step
        _carry(copy[time], usable[time], carried)


@kernel
def _target_weights(
    usable: NDArray[np.uint16],
    days: NDArray[np.float64],
    targets: NDArray[np.float64],
    first: NDArray[np.int64],
    past: NDArray[np.int64],
    period: float,
    following: NDArray[np.float64],
    moment: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> None:
    """As `_weights`, at the targets."""
    times, count = days.size, targets.size
    moment[:] = 0
    for step in range(times):
        time = times - 1 - step if period > 0 else step
        _carry_moment(usable[time], days[time] + period, moment)
    time = times
    for n in range(count - 1, -1, -1):
        while time > first[n]:
            time -= 1
            _carry_moment(usable[time], days[time], moment)
        following[n] = moment
    moment[:] = 0
    for step in range(times):
        time = step if period > 0 else times - 1 - step
        _carry_moment(usable[time], days[time] - period, moment)
    time = 0
    for n in range(count):
        while time < past[n]:
            _carry_moment(usable[time], days[time], moment)
            time += 1
        _share(following[n], moment, targets[n], weight[n])


@kernel
def _kernel(
    stack: NDArray[np.uint16],
    valid: NDArray[np.uint8],
    days: NDArray[np.float64],
    order: NDArray[np.int64],
    period: float,
    out: NDArray[np.uint16],
) -> None:
    """Block by block: weights from validity; then, band by band, a sweep each way carries the neighbours' values.

    The sweeps select values without index look-ups, so that they vectorise to the full register width.
    """
    times, bands, pixels = stack.shape
    weight = np.empty((times, BLOCK), dtype=np.float64)
    following = np.empty((times, BLOCK), dtype=np.float64)
    moment = np.empty(BLOCK, dtype=np.float64)
    copy = np.empty((times, BLOCK), dtype=np.uint16)
    usable = np.empty((times, BLOCK), dtype=np.uint16)
    later = np.empty((times, BLOCK), dtype=np.uint16)
    carried = np.empty(BLOCK, dtype=np.uint16)
    for start in range(0, pixels, BLOCK):
        end = min(start + BLOCK, pixels)
        for time in range(times):
            _widen(valid[order[time], start:end], usable[time])
        _weights(usable, days, period, following, moment, weight)
        for band in range(bands):
            carried[:] = 0
            for time in range(times):
                _copy(stack[order[time], band, start:end], copy[time])
            for time in range(times - 1, -1, -1):
                _carry(copy[time], usable[time], carried)
            for time in range(times - 1, -1, -1):
                _carry(copy[time], usable[time], carried)
                _copy(carried, later[time])
            carried[:] = 0
            for time in range(times):
                _carry(copy[time], usable[time], carried)
            for time in range(times):
                _carry(copy[time], usable[time], carried)
                _blend(carried, later[time], weight[time], out[order[time], band, start:end])


# The steps are functions of contiguous rows because only then can the compiler vectorise them.


@kernel
def _widen(valid: NDArray[np.uint8], usable: NDArray[np.uint16]) -> None:
    """Expand validity to masks of all bits or none."""
    for p in range(valid.size):
        usable[p] = np.uint16(0) - np.uint16(valid[p])


@kernel
def _copy(source: NDArray[np.uint16], target: NDArray[np.uint16]) -> None:
    for p in range(source.size):
        target[p] = source[p]


@kernel
def _carry(values: NDArray[np.uint16], usable: NDArray[np.uint16], carried: NDArray[np.uint16]) -> None:
    """Take the value where it is usable, else keep the carried one."""
    for p in range(values.size):
        carried[p] ^= (carried[p] ^ values[p]) & usable[p]


@kernel
def _blend(
    before: NDArray[np.uint16], after: NDArray[np.uint16], weight: NDArray[np.float64], out: NDArray[np.uint16]
) -> None:
    for p in range(out.size):
        a = np.float64(np.int32(before[p]))
        b = np.float64(np.int32(after[p]))
        out[p] = np.uint16(np.int32(a + weight[p] * (b - a) + 0.5))


@kernel
def _weights(
    usable: NDArray[np.uint16],
    days: NDArray[np.float64],
    period: float,
    following: NDArray[np.float64],
    moment: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> None:
    """Position between the previous and the next observation, as a share of their distance; 0 at an observation."""
    times = days.size
    moment[:] = 0
    for time in range(times - 1, -1, -1):
        _carry_moment(usable[time], days[time] + period, moment)
    for time in range(times - 1, -1, -1):
        _carry_moment(usable[time], days[time], moment)
        following[time] = moment
    moment[:] = 0
    for time in range(times):
        _carry_moment(usable[time], days[time] - period, moment)
    for time in range(times):
        _carry_moment(usable[time], days[time], moment)
        _share(following[time], moment, days[time], weight[time])


@kernel
def _carry_moment(usable: NDArray[np.uint16], day: float, moment: NDArray[np.float64]) -> None:
    for p in range(moment.size):
        moment[p] = day if usable[p] != 0 else moment[p]


@kernel
def _share(
    following: NDArray[np.float64], preceding: NDArray[np.float64], day: float, weight: NDArray[np.float64]
) -> None:
    for p in range(weight.size):
        span = following[p] - preceding[p]
        weight[p] = (day - preceding[p]) / (span if span > 0 else 1.0)


def _check(stack: NDArray[np.uint16], valid: NDArray[np.bool_], days: NDArray[np.float64], period: float) -> None:
    if stack.dtype != np.uint16 or valid.dtype != np.bool_:
        raise InvalidValueError(f"got a stack of {stack.dtype} and validity of {valid.dtype}, expected uint16 and bool")
    shape = stack.shape
    if stack.ndim != 4 or 0 in shape or valid.shape != (shape[0], *shape[2:]) or days.shape != shape[:1]:
        raise InvalidValueError(
            f"got a stack of {shape}, validity of {valid.shape} and days of {days.shape}; "
            "expected (time, band, y, x), (time, y, x) and (time,), none of them empty"
        )
    if not (np.isfinite(days).all() and np.isfinite(period) and period > 0):
        raise InvalidValueError(f"got period {period} and days {days}, expected finite times and a positive period")
