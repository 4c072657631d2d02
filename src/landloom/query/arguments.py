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
    """A period: a year, month or day by name, or its start and the first instant after it, each of which may be open.

    Args:
        value: `"2018-06"`, `("2018-06-01", "2018-07-01")`, `"2018-06/2018-08"`; text, dates, datetimes, NumPy or pandas
            values. In a pair, a month or year stands for its start; None or `..` is an open end.

    Raises:
        InvalidInputError: something else.
        InvalidValueError: not dates, or the end is not after the start.

    Example:
        >>> str(period_of(("2018-06-01", np.datetime64("2018-07-01"))))
        '2018-06-01T00:00:00Z/2018-07-01T00:00:00Z'
        >>> str(period_of("2018-06")), str(period_of(("2018-06", None)))
        ('2018-06-01T00:00:00Z/2018-07-01T00:00:00Z', '2018-06-01T00:00:00Z/..')
    """
    if value is None:
        return None
    from datetime import date, datetime

    from landloom.model.time import FIRST, LAST, Period

    if isinstance(value, Period):
        return value
    text = value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
    if isinstance(text, str):
        named = Period.calendar(text)
        if named is not None:
            return named
        value = text.split("/") if text.count("/") == 1 else text
    start, end = _pair(value, "period")
    return Period(_instant(start, FIRST), _instant(end, LAST))


def _instant(value: Any, default: datetime) -> datetime:
    """An instant: a month or year stands for its start, nothing or two dots for an open end."""
    from datetime import date

    from landloom.model.time import OPEN, Period, parse_instant

    if value is None or (isinstance(value, str) and value.strip() in ("", OPEN)):
        return default
    if isinstance(value, date):
        return parse_instant(value)
    named = Period.calendar(str(value))
    return parse_instant(str(value)) if named is None else named.start


def _pair(value: Any, what: str) -> tuple[Any, Any]:
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
        single = " or a month such as '2018-06'" if what == "period" else ""
        raise InvalidInputError(
            f"{what}: got {value!r}, expected two dates such as ('2018-06-01', '2018-07-01'){single}"
        )
    start, end = value
    return start, end


def instants_of(value: Any, what: str) -> tuple[datetime, datetime]:
    """Two instants, UTC, in any order.

    Raises:
        InvalidInputError: something else than two.
        InvalidValueError: not dates.
    """
    from datetime import date

    from landloom.model.time import parse_instant

    pair = _pair(value, what)
    start, end = (parse_instant(part if isinstance(part, str | date) else str(part)) for part in pair)
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
