"""From probabilities of every timestep to dated breaks with a magnitude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.imagery.change.breaks import Breaks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST: Final = 0.5
"""Probability of a change within `_TOGETHER` days of a date from which there is a break."""
_TOGETHER: Final = 12.0
"""Days around a timestep whose probabilities are added: neighbours share what the network cannot tell apart."""
_APART: Final = 60.0
"""Least days between two breaks of a pixel."""
_BEFORE: Final = (1, 0.0)
"""Most observations, and days between them, that the level before a change is the median of: a crop ripens until it is
cut."""
_AFTER: Final = (4, 30.0)
"""The same after it."""


def dated_breaks(
    probability: NDArray[np.float32],
    index: NDArray[np.float32],
    valid: NDArray[np.bool_],
    days: NDArray[np.floating] | NDArray[np.integer],
    *,
    most: int = 2,
    least: float = LEAST,
) -> Breaks:
    """The most probable breaks of each pixel, the earliest first.

    A change lies between a timestep and the valid one before it: its date is the middle of the two, its margin half of
    the days between them. Its magnitude is the median of up to four observations in the 30 days after it less the last
    one before.

    Args:
        probability: (time, y, x) that a change came just before a timestep.
        index: (time, y, x) whose change is told.
        valid: (time, y, x).
        days: (time) ascending.
        most: breaks of a pixel.
        least: probability of a break.

    Returns:
        Breaks whose score is the probability.

    Raises:
        InvalidValueError: inconsistent shapes.

    Example:
        >>> chance, index = np.zeros((2, 8, 1, 1), np.float32)
        >>> chance[4], index[:4] = 0.9, 0.8
        >>> found = dated_breaks(chance, index, np.ones((8, 1, 1), bool), np.arange(0, 80, 10))
        >>> [round(float(one[0, 0, 0]), 2) for one in (found.date, found.margin, found.change, found.score)]
        [35.0, 5.0, -0.8, 0.9]
    """
    shape = probability.shape
    if probability.ndim != 3 or index.shape != shape or valid.shape != shape or days.shape != shape[:1]:
        raise InvalidValueError(
            f"got probabilities of {shape}, an index of {index.shape}, validity of {valid.shape} and days of "
            f"{days.shape}; expected (time, y, x) three times and (time)"
        )
    when = np.asarray(days, np.float64)
    seen = valid.reshape(len(when), -1)
    left = np.where(seen, probability.reshape(seen.shape), np.float32(0))
    near = (np.abs(when[:, None] - when[None]) <= _TOGETHER).astype(np.float32)
    before = _day_before(seen, when)
    columns = np.arange(seen.shape[1])
    found = np.full((4, most, seen.shape[1]), np.nan, np.float32)
    for number in range(most):
        chance = np.minimum(near @ left, 1.0)
        # the steepest timestep of the most probable fortnight
        middle = chance.argmax(axis=0)
        around = near[middle].T * left
        best = around.argmax(axis=0)
        there = chance[middle, columns] >= least
        start = before[best, columns]
        there &= np.isfinite(start)
        date, margin = (when[best] + start) / 2, (when[best] - start) / 2
        found[0, number], found[1, number] = np.where(there, date, np.nan), np.where(there, margin, np.nan)
        found[3, number] = np.where(there, chance[middle, columns], np.nan)
        left = np.where(np.abs(when[:, None] - when[best]) < _APART, np.float32(0), left)
    own = index.reshape(seen.shape)
    for number in range(most):
        found[2, number] = _level_change(own, seen, when, found[0, number])
    return _ordered(found, most, shape[1:])


def _ordered(found: NDArray[np.float32], most: int, shape: Sequence[int]) -> Breaks:
    order = np.argsort(found[0], axis=0)
    date, margin, change, score = (np.take_along_axis(one, order, axis=0).reshape(most, *shape) for one in found)
    return Breaks(date=date, margin=margin, change=change, score=score)


def _day_before(valid: NDArray[np.bool_], days: NDArray[np.float64]) -> NDArray[np.float64]:
    """(time, pixel) day of the valid timestep before each; −∞ where there is none."""
    own = np.where(valid, days[:, None], -np.inf)
    last = np.maximum.accumulate(own, axis=0)
    return np.concatenate([np.full((1, valid.shape[1]), -np.inf), last[:-1]])


def _level_change(
    index: NDArray[np.float32], valid: NDArray[np.bool_], days: NDArray[np.float64], date: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(pixel) level after a date less that before it; not a number without a date."""
    changes = np.full(len(date), np.nan, np.float32)
    rows = np.flatnonzero(np.isfinite(date))
    if not len(rows):
        return changes
    seen, values = valid[:, rows], index[:, rows]
    is_later = days[:, None] > date[rows]
    after = _level(values, seen & is_later, days, _AFTER)
    before = _level(values[::-1], (seen & ~is_later)[::-1], -days[::-1], _BEFORE)
    changes[rows] = after - before
    return changes


def _level(
    values: NDArray[np.float32], chosen: NDArray[np.bool_], days: NDArray[np.float64], most: tuple[int, float]
) -> NDArray[np.float32]:
    """(pixel) median of the first few of the chosen observations; of which there is one at least."""
    count, reach = most
    first = days[chosen.argmax(axis=0)]
    used = chosen & (np.cumsum(chosen, axis=0) <= count) & (days[:, None] <= first + reach)
    ordered = np.sort(np.where(used, values, np.inf), axis=0)
    number = used.sum(axis=0)
    columns = np.arange(values.shape[1])
    low, high = ordered[(number - 1) // 2, columns], ordered[number // 2, columns]
    level: NDArray[np.float32] = ((low + np.where(number > 1, high, low)) / 2).astype(np.float32)
    return np.where(number % 2 == 1, low, level)
