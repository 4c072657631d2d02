"""The exact median of all valid observations, at memory bandwidth.

Invalid values are replaced in turn by the smallest and the largest number, which keeps the median of the valid ones in
the middle. A sorting network (Batcher's odd-even merge), pruned to the two middle outputs, then finds it: its
comparisons do not depend on the data, so that each vectorises over a row of pixels at the full register width.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK: Final = 1024
"""Pixels sorted at a time."""
ALL: Final = 65_535
"""Every bit of a uint16."""
COPIED: Final = 1 << 22
"""Numbers copied at a time if the input arrays are not contiguous."""


def masked_median(
    stack: NDArray[np.uint16], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.uint16], NDArray[np.uint8] | NDArray[np.uint16]]:
    """Reduce a series to the median of its valid observations.

    An even number of observations gives the floor of the mean of the two middle ones. Memory beyond the inputs and the
    results is a few megabytes, whatever the length of the series.

    Args:
        stack: uint16 (time, y, x) or (time, band, y, x); views that are not contiguous are fine.
        valid: True = usable; (time, y, x) for all bands, or of the stack's shape.

    Returns:
        Median, uint16 without the time axis, 0 where nothing is valid; and the number of valid observations, without
        the time axis of `valid`, uint8 (uint16 when there are more than 255 times).

    Raises:
        InvalidValueError: other types, or inconsistent shapes.

    Example:
        >>> stack = np.array([[[10, 7]], [[20, 0]], [[31, 9]]], dtype=np.uint16)
        >>> valid = np.array([[[True, False]], [[True, False]], [[True, False]]])
        >>> masked_median(stack, valid)
        (array([[20,  0]], dtype=uint16), array([[3, 0]], dtype=uint8))
        >>> valid[0] = False
        >>> masked_median(stack, valid)[0]
        array([[25,  0]], dtype=uint16)
    """
    _check(stack, valid)
    if stack.flags.c_contiguous and valid.flags.c_contiguous:
        return _reduce(stack, valid)
    rows = max(1, COPIED // (stack.size // stack.shape[-2]))
    slices = [(..., slice(start, start + rows), slice(None)) for start in range(0, stack.shape[-2], rows)]
    parts = [_reduce(np.ascontiguousarray(stack[part]), np.ascontiguousarray(valid[part])) for part in slices]
    median, count = (np.concatenate(layer, axis=-2) for layer in zip(*parts, strict=True))
    return median, count


def _reduce(
    stack: NDArray[np.uint16], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.uint16], NDArray[np.uint8] | NDArray[np.uint16]]:
    """Run the kernel on contiguous arrays, as (time, band, pixel)."""
    times, pixels = len(stack), stack.shape[-2] * stack.shape[-1]
    median = np.empty(stack.shape[1:], dtype=np.uint16)
    count = np.empty(valid.shape[1:], dtype=np.uint8 if times <= 255 else np.uint16)
    _kernel(
        stack.reshape(times, -1, pixels),
        valid.view(np.uint8).reshape(times, -1, pixels),
        _network(times),
        np.array(_middle(times)),
        median.reshape(-1, pixels),
        count.reshape(-1, pixels),
    )
    return median, count


@kernel
def _kernel(
    stack: NDArray[np.uint16],
    valid: NDArray[np.uint8],
    network: NDArray[np.int64],
    middle: NDArray[np.int64],
    median: NDArray[np.uint16],
    count: NDArray[np.unsignedinteger],
) -> None:
    """Block by block: padding from validity, then band by band padding, network, mean of the middle."""
    times, bands, pixels = stack.shape
    missing, low = np.empty((times, BLOCK), dtype=np.uint16), np.empty((times, BLOCK), dtype=np.uint16)
    rows = np.empty((times, BLOCK), dtype=np.uint16)
    even, number = np.empty(BLOCK, dtype=np.uint16), np.empty(BLOCK, dtype=np.uint16)
    for start in range(0, pixels, BLOCK):
        end = min(start + BLOCK, pixels)
        for band in range(bands):
            if band < len(count):
                even[:] = 0 if times % 2 else ALL
                number[:] = 0
                for time in range(times):
                    _prepare(valid[time, band, start:end], missing[time], low[time], even, number)
                _parity(number, even, count[band, start:end])
            for time in range(times):
                _pad(stack[time, band, start:end], missing[time], low[time], rows[time])
            for comparator in range(len(network)):
                _compare(rows[network[comparator, 0]], rows[network[comparator, 1]])
            _mean(rows[middle[0]], rows[middle[1]], even, median[band, start:end])


# The steps are functions of contiguous rows because only then can the compiler vectorise them.


@kernel
def _prepare(
    valid: NDArray[np.uint8],
    missing: NDArray[np.uint16],
    low: NDArray[np.uint16],
    parity: NDArray[np.uint16],
    number: NDArray[np.uint16],
) -> None:
    """Masks of all bits or none: the missing values, and those of them that are padded with the smallest number.

    An odd series starts with a low pad, an even one with a high pad: then the lower middle row alone is the median
    whenever the number of valid values is odd.
    """
    for p in range(valid.size):
        missing[p] = np.uint16(valid[p]) - np.uint16(1)
    for p in range(valid.size):
        number[p] += np.uint16(valid[p])
    for p in range(valid.size):
        parity[p] ^= missing[p]
    for p in range(valid.size):
        low[p] = parity[p] & missing[p]


@kernel
def _parity(number: NDArray[np.uint16], even: NDArray[np.uint16], count: NDArray[np.unsignedinteger]) -> None:
    """Write the count, and a mask of the pixels where it is even and not zero."""
    for p in range(count.size):
        even[p] = ALL if number[p] != 0 and number[p] % 2 == 0 else 0
    for p in range(count.size):
        count[p] = number[p]


@kernel
def _pad(
    values: NDArray[np.uint16], missing: NDArray[np.uint16], low: NDArray[np.uint16], out: NDArray[np.uint16]
) -> None:
    for p in range(values.size):
        out[p] = (values[p] | missing[p]) ^ low[p]


@kernel
def _compare(low: NDArray[np.uint16], high: NDArray[np.uint16]) -> None:
    for p in range(low.size):
        a, b = low[p], high[p]
        low[p] = min(a, b)
        high[p] = max(a, b)


@kernel
def _mean(
    lower: NDArray[np.uint16], upper: NDArray[np.uint16], even: NDArray[np.uint16], out: NDArray[np.uint16]
) -> None:
    """Rounding up by one half cannot overflow; it is dropped where a single value is the median."""
    for p in range(out.size):
        out[p] = lower[p] + (((upper[p] - lower[p]) >> 1) & even[p])


@lru_cache(maxsize=128)
def _network(times: int) -> NDArray[np.int64]:
    """Comparators (row of the smaller, row of the larger) that bring the two middle values to their rows.

    K. E. Batcher, Sorting networks and their applications, AFIPS 1968; comparators on which neither middle row depends
    are dropped.
    """
    wanted = set(_middle(times))
    kept: list[tuple[int, int]] = []
    for pair in reversed(_batcher(times)):
        if wanted & set(pair):
            kept.append(pair)
            wanted |= set(pair)
    return np.array(kept[::-1], dtype=np.int64).reshape(-1, 2)


def _middle(times: int) -> tuple[int, int]:
    """The rows between which the median lies, padding included."""
    lower = (times - 1) // 2
    return lower, min(lower + 1, times - 1)


def _batcher(length: int) -> list[tuple[int, int]]:
    """Odd-even merge sort of any length: the network of the next power of two without the rows beyond the end."""
    pairs: list[tuple[int, int]] = []
    block = 1
    while block < length:
        step = block
        while step >= 1:
            for start in range(step % block, length - step, 2 * step):
                pairs += [
                    (low, low + step)
                    for low in range(start, min(start + step, length - step))
                    if low // (2 * block) == (low + step) // (2 * block)
                ]
            step //= 2
        block *= 2
    return pairs


def _check(stack: NDArray[np.uint16], valid: NDArray[np.bool_]) -> None:
    if stack.dtype != np.uint16 or valid.dtype != np.bool_:
        raise InvalidValueError(f"got a stack of {stack.dtype} and validity of {valid.dtype}, expected uint16 and bool")
    alike = valid.shape in {stack.shape, (*stack.shape[:1], *stack.shape[-2:])}
    if stack.ndim not in {3, 4} or not alike or 0 in stack.shape:
        raise InvalidValueError(
            f"got a stack of {stack.shape} and validity of {valid.shape}, expected (time, y, x) or (time, band, y, x) "
            "and (time, y, x) or the stack's shape, none of them empty"
        )
