"""Years and days as tables write them, in a dozen forms; what may mean two things is refused."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Final

from landloom.errors import InvalidValueError

_YEAR: Final = re.compile(r"(\d{4})(\.0+)?")
_MONTH: Final = re.compile(r"(\d{4})-(\d{1,2})")
_DAY: Final = re.compile(
    r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ].*)?|(\d{4})(\d{2})(\d{2})(?:\.0+|T\d.*)?", re.DOTALL
)
_GERMAN: Final = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?: .*)?", re.DOTALL)
_EITHER: Final = re.compile(r"\d{1,2}[-/]\d{1,2}[-/]\d{2,4}.*", re.DOTALL)


def read_day(value: object, *, last: bool = False) -> date:
    """Read a day: a date or time, 2018-01-31, 2018/01/31, 2018.01.31, 20180131, 31.01.2018, 2018-01 or 2018.

    Args:
        value: a cell of a table.
        last: whether a month or year stands for its last day, not its first.

    Raises:
        InvalidValueError: anything else, above all 01/02/2018: a day of January here, of February there.

    Example:
        >>> str(read_day("01.02.2018")), str(read_day(20180131.0)), str(read_day("2018-02", last=True))
        ('2018-02-01', '2018-01-31', '2018-02-28')
        >>> read_day("01/02/2018")
        Traceback (most recent call last):
        landloom.errors.InvalidValueError: got '01/02/2018', whose first number may be a day or a month; expected ...
    """
    if isinstance(value, date):  # a time, too
        return date(value.year, value.month, value.day)
    text = str(value).strip()
    try:
        return _day(text, last=last)
    except ValueError as error:
        if _EITHER.fullmatch(text):
            raise InvalidValueError(
                f"got {text!r}, whose first number may be a day or a month; expected a day such as 2018-01-31"
            ) from error
        raise InvalidValueError(f"got {text[:40]!r}, expected a day such as 2018-01-31") from error


def _day(text: str, *, last: bool) -> date:
    if found := _DAY.fullmatch(text):
        year, _, month, day, *packed = found.groups()
        return date(*map(int, (year, month, day) if year else packed))
    if found := _GERMAN.fullmatch(text):
        day, month, year = map(int, found.groups())
        return date(year, month, day)
    if found := _MONTH.fullmatch(text):
        year, month = map(int, found.groups())
        return date(year, month, monthrange(year, month)[1] if last and 1 <= month <= 12 else 1)
    if found := _YEAR.fullmatch(text):
        return date(int(found[1]), 12, 31) if last else date(int(found[1]), 1, 1)
    raise ValueError(text)


def read_year(value: object) -> int:
    """Read a year: a number, its text, or a day of it.

    Raises:
        InvalidValueError: anything else, such as 2018/19, or 2011-12, which may be a month or a winter.

    Example:
        >>> read_year(2018.0), read_year(" 2018 "), read_year("2018-06-01")
        (2018, 2018, 2018)
        >>> read_year("2018/19")
        Traceback (most recent call last):
        landloom.errors.InvalidValueError: got '2018/19', expected a year such as 2018
    """
    text = str(value).strip()
    refused = InvalidValueError(f"got {text[:40]!r}, expected a year such as 2018")
    if _MONTH.fullmatch(text):
        raise refused
    try:
        return read_day(value).year
    except InvalidValueError as error:
        raise refused from error
