"""Integer shares of a fixed total: the largest-remainder method (Hamilton), used for fractions and quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MILLION: Final = 1_000_000
"""Fractions are stored as millionths that sum to exactly this."""


def apportion(weights: ArrayLike, total: int = MILLION) -> NDArray[np.int64]:
    """Divide `total` in proportion to weights, as integers that sum to it exactly.

    Each class gets the floor of its share; the rest goes to the largest remainders, ties to the lower index.

    Args:
        weights: (..., class) non-negative and finite; each row sums to more than 0.
        total: sum of each row of the result.

    Returns:
        (..., class) int64.

    Raises:
        InvalidValueError: a weight is negative or not finite, or a row sums to 0.

    Example:
        >>> apportion([1, 1, 1], 100).tolist()
        [34, 33, 33]
        >>> apportion([[0.5, 0.5, 0.0], [1e-9, 1.0, 0.0]]).sum(axis=1).tolist()
        [1000000, 1000000]
    """
    shares = np.asarray(weights, dtype=np.float64)
    rows = np.atleast_2d(shares)
    sums = rows.sum(axis=-1, keepdims=True)
    if not np.isfinite(rows).all() or (rows < 0).any() or (sums <= 0).any():
        raise InvalidValueError("got weights that are negative, not finite or sum to 0, expected positive sums")
    exact = rows / sums * total
    # A share within rounding noise of a whole number is that number: floor(k - 1e-10) must not lose a unit.
    whole = np.floor(exact + 1e-9 * max(total, 1) / MILLION)
    missing = (total - whole.sum(axis=-1)).astype(np.int64)
    order = np.argsort(-(exact - whole), axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    result: NDArray[np.int64] = whole.astype(np.int64) + (rank < missing[..., None])
    over = np.where(missing < 0)[0]
    for row in over:  # only the rounding guard above can overshoot, by a unit or two
        for _ in range(-int(missing[row])):
            result[row, int(np.argmax(result[row]))] -= 1
    return result.reshape(shares.shape)
