"""Balanced sampling: class shares, their divergence, inclusion probabilities and systematic sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

_ROUNDS: Final = 60
"""Rounds of iterative scaling; shares agree to about a thousandth long before that."""
_CLOSE: Final = 1e-4
"""Relative error of every class at which scaling stops."""


def class_sums(fractions: csr_array, rows: ArrayLike | None = None) -> NDArray[np.float64]:
    """(class,) summed fractions of some rows (all if None), in units of the matrix.

    Example:
        >>> from scipy.sparse import csr_array
        >>> class_sums(csr_array(np.array([[3, 1, 0], [0, 4, 0]])), [1]).tolist()
        [0.0, 4.0, 0.0]
    """
    part = fractions if rows is None else fractions[np.asarray(rows)]
    return np.bincount(part.indices, weights=part.data, minlength=fractions.shape[1]).astype(np.float64)


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> float:
    """Jensen–Shannon divergence of two distributions in bits: 0 if they are equal, 1 if they are disjoint.

    Args:
        p: (class,) non-negative, sum above 0; it is normalised.
        q: the same.

    Example:
        >>> jensen_shannon([1, 0], [0, 5]), jensen_shannon([1, 3], [2, 6])
        (1.0, 0.0)
    """
    a, b = (np.asarray(v, dtype=np.float64) / np.sum(v) for v in (p, q))
    middle = (a + b) / 2
    kept_a, kept_b = a > 0, b > 0
    left = (a[kept_a] * np.log2(a[kept_a] / middle[kept_a])).sum()
    right = (b[kept_b] * np.log2(b[kept_b] / middle[kept_b])).sum()
    return max(float(left + right) / 2, 0.0)


def dominant_class(fractions: csr_array) -> NDArray[np.int32]:
    """(row,) the class with the largest fraction of each row; ties go to the lower index.

    Every row has at least one class and its indices ascend.

    Example:
        >>> from scipy.sparse import csr_array
        >>> dominant_class(csr_array(np.array([[3, 1, 0], [0, 2, 2]]))).tolist()
        [0, 1]
    """
    if fractions.shape[0] == 0:
        return np.empty(0, dtype=np.int32)
    starts, counts = fractions.indptr[:-1], np.diff(fractions.indptr)
    largest = np.repeat(np.maximum.reduceat(fractions.data, starts), counts)
    wins = np.where(fractions.data == largest, fractions.indices, np.iinfo(np.int32).max)
    result: NDArray[np.int32] = np.minimum.reduceat(wins, starts).astype(np.int32)
    return result


def capped(weights: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """(row,) probabilities proportional to weights, none above 1, that sum to `count`.

    Example:
        >>> capped(np.array([8.0, 1.0, 1.0]), 2).tolist()
        [1.0, 0.5, 0.5]

    Raises:
        InvalidValueError: more are wanted than there are rows.
    """
    if count > len(weights):
        raise InvalidValueError(f"got {len(weights)} cells, expected at least {count}")
    sure = np.zeros(len(weights), dtype=np.bool_)
    while True:
        left = count - int(sure.sum())
        scale = left / weights[~sure].sum() if left else 0.0
        over = ~sure & (weights * scale >= 1.0)
        if not over.any():
            return np.where(sure, 1.0, weights * scale)
        sure |= over


def inclusion(fractions: csr_array, shares: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Inclusion probabilities that make the expected class shares of a draw equal to the target shares.

    Generalised iterative scaling (Darroch and Ratcliff, 1972): the probabilities nearest to equal ones, in the sense
    of relative entropy, that meet the shares. Classes without any row are ignored.

    Args:
        fractions: (row, class) millionths, each row summing to 1,000,000.
        shares: (class,) targets, summing to 1.
        count: rows to draw.

    Returns:
        (row,) between 0 and 1, summing to `count`.

    Example:
        >>> from scipy.sparse import csr_array
        >>> cells = csr_array(np.array([[1_000_000, 0], [0, 1_000_000], [0, 1_000_000]]))
        >>> inclusion(cells, np.array([0.5, 0.5]), 1).round(3).tolist()
        [0.5, 0.25, 0.25]
    """
    parts = fractions.astype(np.float64) / 1e6
    chosen = capped(np.ones(fractions.shape[0]), count)
    held = class_sums(parts) > 0
    wanted = np.where(held, shares, 0.0)
    if not wanted.sum():
        return chosen
    wanted = wanted / wanted.sum() * count
    logs = np.zeros(fractions.shape[0])
    for _ in range(_ROUNDS):
        ratio = np.divide(wanted, parts.T @ chosen, out=np.ones_like(wanted), where=wanted > 0)
        if np.abs(ratio[wanted > 0] - 1).max() < _CLOSE:
            break
        logs += parts @ np.log(np.maximum(ratio, 1e-9))
        logs -= logs.max()
        chosen = capped(np.exp(np.maximum(logs, -60.0)), count)
    return chosen


def systematic(probabilities: NDArray[np.float64], count: int, start: float) -> NDArray[np.int64]:
    """Systematic sampling: a row is picked where the cumulative probability passes a whole step.

    Args:
        probabilities: (row,) between 0 and 1, summing to `count`.
        count: rows to draw.
        start: position of the first step, in [0, 1).

    Returns:
        (count,) ascending row numbers, each once.

    Example:
        >>> systematic(np.full(10, 0.3), 3, 0.35).tolist()
        [1, 4, 7]
    """
    total = np.cumsum(probabilities)
    total *= count / total[-1]
    picks = np.searchsorted(total, np.arange(count) + start, side="right")
    # Rounding may pick a row of probability 1 twice or miss the last one.
    steps = np.arange(count)
    picks = np.maximum.accumulate(picks - steps) + steps
    return np.minimum(picks, len(total) - count + steps)
