"""Noise of a sensor's pixels, estimated from the series themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST: Final = 4.0
"""Smallest noise, in stored numbers."""
_ENOUGH: Final = 100


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
    times, bands = stack.shape[:2]
    pair = valid[:, :, 1:] & valid[:, :, :-1]
    found: list[list[float]] = [[] for _ in range(bands)]
    for t in range(1, times):
        both = pair[t] & pair[t - 1]
        if np.count_nonzero(both) < _ENOUGH:
            continue
        for b in range(bands):
            now, then = stack[t, b].astype(np.float32), stack[t - 1, b].astype(np.float32)
            change = (np.diff(now, axis=1) - np.diff(then, axis=1))[both]
            found[b].append(1.4826 * float(np.median(np.abs(change))) / 2.0)
    return np.array([max(np.median(one), LEAST) if one else LEAST for one in found], dtype=np.float32)
