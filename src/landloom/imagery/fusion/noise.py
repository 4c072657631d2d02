"""Noise of a sensor's pixels, estimated from the series themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST: Final = 4.0
"""Smallest noise, in stored numbers."""
MOST_PIXELS: Final = 2**16
"""Pixels of a date that are looked at, in rows: so many tell its noise to a part in a hundred."""
_ENOUGH: Final = 100
_LARGEST: Final = 2 * 65_535


def noise_levels(stack: NDArray[np.uint16], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Standard deviation of a pixel's noise by band.

    The difference of two neighbouring pixels changes from one clear date to the next by four noises alone, for what the
    two have in common, and what always sets them apart, cancels.

    Args:
        stack: uint16 (time, band, y, x), dates ascending.
        valid: (time, y, x).

    Returns:
        (band), in stored numbers; `LEAST` where there is nothing to estimate it from.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> stack = np.rint(rng.normal(3_000, 50, (6, 1, 40, 40))).astype(np.uint16)
        >>> bool(abs(noise_levels(stack, np.ones((6, 40, 40), bool))[0] - 50) < 2)
        True
    """
    times, bands, height, width = stack.shape
    step = max(height * width // MOST_PIXELS, 1)
    stack, valid = stack[:, :, ::step], valid[:, ::step]
    pair = valid[:, :, 1:] & valid[:, :, :-1]
    found: list[list[float]] = [[] for _ in range(bands)]
    for t in range(1, times):
        both = pair[t] & pair[t - 1]
        if np.count_nonzero(both) < _ENOUGH:
            continue
        for b in range(bands):
            found[b].append(1.4826 * _median_change(stack[t, b], stack[t - 1, b], both) / 2.0)
    return np.array([max(np.median(one), LEAST) if one else LEAST for one in found], dtype=np.float32)


@kernel
def _median_change(now: NDArray[np.uint16], then: NDArray[np.uint16], both: NDArray[np.bool_]) -> float:
    """Median of how much the difference of neighbours has changed: exact, by counting, for these are whole numbers."""
    counts = np.zeros(_LARGEST + 1, np.int64)
    total = 0
    for y in range(both.shape[0]):
        for x in range(both.shape[1]):
            if both[y, x]:
                change = np.int64(now[y, x + 1]) - np.int64(now[y, x]) - np.int64(then[y, x + 1]) + np.int64(then[y, x])
                counts[abs(change)] += 1
                total += 1
    low, high, before = -1, -1, 0
    for value in range(_LARGEST + 1):
        before += counts[value]
        if low < 0 and before > (total - 1) // 2:
            low = value
        if before > total // 2:
            high = value
            break
    return (low + high) / 2.0
