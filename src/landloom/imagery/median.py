"""The median of all valid observations, exactly, at the speed of memory.

Invalid values are replaced in turn by the smallest and the largest number, which keeps the median of the valid ones in
the middle; a sorting network (Batcher's odd-even merge) of whole-array minima and maxima, pruned to the two middle
outputs, then finds it in blocks that stay in the processor's cache. No compiler is needed and the GIL is free.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK: Final = 32_768
"""Pixels sorted at a time for short series."""
CACHE: Final = 524_288
"""Numbers of one block; long series use fewer pixels a block, never below `SMALLEST`."""
SMALLEST: Final = 4_096
"""Pixels below which the cost of calling NumPy outweighs the cache."""


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
        InvalidValueError: other types, or shapes that do not go together.

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
    median = np.empty(stack.shape[1:], dtype=np.uint16)
    count = np.empty(valid.shape[1:], dtype=np.uint8 if len(stack) <= 255 else np.uint16)
    # Where whole rows follow each other without a gap, an image is one long row: NumPy's fastest case.
    whole = all(array.strides[-2] == array.shape[-1] * array.strides[-1] for array in (stack, valid))
    plane = (1, stack.shape[-2] * stack.shape[-1]) if whole else stack.shape[-2:]
    _reduce(
        stack.reshape(len(stack), -1, *plane),
        valid.reshape(len(stack), -1, *plane),
        median.reshape(-1, *plane),
        count.reshape(-1, *plane),
    )
    return median, count


def _reduce(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    median: NDArray[np.uint16],
    count: NDArray[np.uint8] | NDArray[np.uint16],
) -> None:
    """Go through (time, band, y, x) block by block."""
    times, bands, height, width = stack.shape
    pixels = min(BLOCK, max(SMALLEST, CACHE // times))
    columns = min(width, pixels)
    rows = min(height, pixels // columns)
    bench = _Bench(times, rows * columns)
    for y in range(0, height, rows):
        for x in range(0, width, columns):
            part = (slice(y, y + rows), slice(x, x + columns))
            for mask in range(valid.shape[1]):
                bench.prepare(valid[:, mask, *part], count[mask, *part])
                for band in range(bands) if valid.shape[1] == 1 else (mask,):
                    bench.reduce(stack[:, band, *part], median[band, *part])


class _Bench:
    """Room to sort one block of pixels in, and the padding that its validity asks for, shared by all bands.

    It is allocated once a call: fresh memory for every block would cost more than the sorting.
    """

    def __init__(self, times: int, pixels: int) -> None:
        self._times = times
        self._network = _network(times)
        self._middle = _middle(times)
        self._words = np.empty((3 * times + 2) * pixels, dtype=np.uint16)
        self._bytes = np.empty(2 * times * pixels, dtype=np.int8)
        self._lay_out((1, pixels))

    def _lay_out(self, shape: tuple[int, int]) -> None:
        """Name the parts for blocks of one shape."""
        pixels, times = shape[0] * shape[1], self._times
        words = self._words[: (3 * times + 2) * pixels].reshape(-1, *shape)
        self._shape = shape
        self._missing, self._low, self._even = words[:times], words[times : 2 * times], words[2 * times]
        self._sorted, self._spare = words[2 * times + 1 : -1], words[-1]
        self._flags = self._bytes[: 2 * times * pixels].reshape(2, times, *shape)

    def prepare(self, valid: NDArray[np.bool_], count: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
        """Count the valid observations of (time, rows, columns) and lay out the padding."""
        if count.shape != self._shape:
            self._lay_out((count.shape[0], count.shape[1]))
        missing, low = self._flags
        np.add.reduce(valid.view(np.uint8), axis=0, dtype=count.dtype, out=count)
        # Masks are 0 or −1 (all bits) and widen by their sign. An odd series starts with a low pad, an even one with
        # a high pad: then the lower middle row alone is the median whenever the number of valid values is odd.
        np.subtract(valid.view(np.int8), 1, missing)
        before = np.int8(0 if self._times % 2 else -1)
        for here, parity in zip(missing, low, strict=True):
            before = np.bitwise_xor(here, before, parity)
        np.bitwise_and(low, missing, low)
        self._missing.view(np.int16)[:] = missing
        self._low.view(np.int16)[:] = low
        even = low[0]
        np.bitwise_and(count, 1, out=even, casting="unsafe")
        np.subtract(even, count != 0, even)
        self._even.view(np.int16)[:] = even

    def reduce(self, stack: NDArray[np.uint16], out: NDArray[np.uint16]) -> None:
        """Write the median of (time, rows, columns) to `out`."""
        np.bitwise_or(stack, self._missing, self._sorted)
        np.bitwise_xor(self._sorted, self._low, self._sorted)
        rows, spare = list(self._sorted), self._spare
        for first, second, wanted in self._network:
            a, b = rows[first], rows[second]
            if wanted == _LOW:
                np.minimum(a, b, a)
            elif wanted == _HIGH:
                np.maximum(a, b, b)
            else:
                np.minimum(a, b, spare)
                np.maximum(a, b, b)
                rows[first], spare = spare, a
        lower, upper = rows[self._middle[0]], rows[self._middle[1]]
        # lower + (upper − lower) / 2 cannot overflow; the half step is dropped where one value alone is the median.
        np.subtract(upper, lower, spare)
        np.right_shift(spare, 1, spare)
        np.bitwise_and(spare, self._even, spare)
        np.add(lower, spare, out)


_LOW, _HIGH, _BOTH = range(3)


@lru_cache(maxsize=128)
def _network(times: int) -> tuple[tuple[int, int, int], ...]:
    """Comparators (low row, high row, which results are wanted) that bring the two middle values to their rows.

    K. E. Batcher, Sorting networks and their applications, AFIPS 1968; comparators that no wanted output depends on
    are dropped, and those of which one result is wanted keep only that one.
    """
    middle = set(_middle(times))
    kept: list[tuple[int, int, int]] = []
    for low, high in reversed(_batcher(times)):
        first, second = low in middle, high in middle
        if not (first or second):
            continue
        kept.append((low, high, _BOTH if first and second else _LOW if first else _HIGH))
        middle |= {low, high}
    return tuple(reversed(kept))


def _middle(times: int) -> tuple[int, int]:
    """The rows between which the median lies, padding included."""
    lower = (times - 1) // 2
    return lower, min(lower + 1, times - 1)


def _batcher(length: int) -> list[tuple[int, int]]:
    """Odd-even merge sort of any length: the network of the next power of two without what lies beyond the end."""
    pairs: list[tuple[int, int]] = []
    block = 1
    while block < length:
        step = block
        while step >= 1:
            for start in range(step % block, length - step, 2 * step):
                for low in range(start, min(start + step, length - step)):
                    if low // (2 * block) == (low + step) // (2 * block):
                        pairs.append((low, low + step))
            step //= 2
        block *= 2
    return pairs


def _check(stack: NDArray[np.uint16], valid: NDArray[np.bool_]) -> None:
    if stack.dtype != np.uint16 or valid.dtype != np.bool_:
        raise InvalidValueError(f"got a stack of {stack.dtype} and validity of {valid.dtype}, wanted uint16 and bool")
    alike = valid.shape in {stack.shape, (*stack.shape[:1], *stack.shape[-2:])}
    if stack.ndim not in {3, 4} or not alike or 0 in stack.shape:
        raise InvalidValueError(
            f"got a stack of {stack.shape} and validity of {valid.shape}, wanted (time, y, x) or (time, band, y, x) "
            "and (time, y, x) or the stack's shape, none of them empty"
        )
