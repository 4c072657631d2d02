"""Normalise the arguments of queries; invalid ones raise one-line errors."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from datetime import datetime

    from landloom.model.time import Period
    from landloom.query.index.sidecar import Rows


def names_of(value: Any, what: str) -> tuple[str, ...] | None:
    """One name or several; None stays None.

    Raises:
        InvalidInputError: something else.

    Example:
        >>> names_of("s2", "products"), names_of(["s2", "pfsr"], "products")
        (('s2',), ('s2', 'pfsr'))
    """
    if value is None:
        return None
    if isinstance(value, str):
        return (value,)
    try:
        return tuple(str(item) for item in value)
    except TypeError as error:
        raise InvalidInputError(f"{what}: got {value!r}, expected a name or a list of names") from error


def period_of(value: Any) -> Period | None:
    """A period from two dates or instants: text, date, datetime, NumPy or pandas values.

    Raises:
        InvalidInputError: something else than two.
        InvalidValueError: not dates, or the end is not after the start.

    Example:
        >>> str(period_of(("2018-06-01", np.datetime64("2018-07-01"))))
        '2018-06-01T00:00:00Z/2018-07-01T00:00:00Z'
    """
    if value is None:
        return None
    from landloom.model.time import Period

    return value if isinstance(value, Period) else Period.parse(*instants_of(value, "period"))


def instants_of(value: Any, what: str) -> tuple[datetime, datetime]:
    """Two instants, UTC, in any order.

    Raises:
        InvalidInputError: something else than two.
        InvalidValueError: not dates.
    """
    from datetime import date

    from landloom.model.time import parse_instant

    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
        raise InvalidInputError(f"{what}: got {value!r}, expected two dates such as ('2018-06-01', '2018-07-01')")
    start, end = (parse_instant(part if isinstance(part, str | date) else str(part)) for part in value)
    return start, end


def limited(rows: Rows, limit: Any, seed: Any) -> Rows:
    """Limit the number of rows: to the first ones, or with a seed to a random draw.

    Raises:
        InvalidInputError: not whole numbers from 0.
    """
    if limit is None:
        return rows
    most, number = _whole(limit, "limit"), None if seed is None else _whole(seed, "seed")
    if number is None or most >= len(rows):
        return rows[:most].copy()
    chosen: Rows = np.random.default_rng(number).choice(rows, size=most, replace=False)
    return np.sort(chosen)


def _whole(value: Any, what: str) -> int:
    try:
        number = index(value)
    except TypeError:
        number = -1
    if number < 0:
        raise InvalidInputError(f"{what}: got {value!r}, expected a whole number from 0")
    return number
