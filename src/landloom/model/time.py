"""Periods, cadences and timesteps; all instants are UTC and all periods half-open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self

from landloom.errors import InvalidValueError

NOON_PASS: Final = timedelta(hours=10, minutes=30)
"""Time of day that stamps a timestep: the local overpass of Sentinel-2."""
MID_MONTH: Final = 15
"""Day that stamps a month."""
OPEN: Final = ".."
"""How STAC writes an end that is open."""
FIRST: Final = datetime.min.replace(tzinfo=UTC)
"""Start of a period without one."""
LAST: Final = datetime.max.replace(tzinfo=UTC)
"""End of a period without one."""
_CALENDAR: Final = re.compile(r"\s*(\d{4})(?:-(\d\d))?(?:-(\d\d))?\s*", re.ASCII)
_ZONE: Final = re.compile(r"\s*(?:UTC|GMT|[Zz])$")
_LEAP: Final = re.compile(r"[T ]\d\d:?\d\d:?(60)(?=$|[.,+-])", re.ASCII)
_ORDINAL: Final = re.compile(r"(\d{4})-?(\d{3})([T ].*)?", re.ASCII)
_SLASHED: Final = re.compile(r"(\d{4})[/.](\d{2})[/.](\d{2})([T ].*)?", re.ASCII)


def parse_instant(text: str | date | datetime) -> datetime:
    """Parse an ISO date or instant as UTC; without an offset it is taken as UTC.

    Days of the year, slashes or dots after the year, `UTC` for `Z` and leap seconds are understood; dates whose
    order of day and month cannot be told are refused.

    Example:
        >>> parse_instant("2018-01-01").isoformat(), parse_instant("2018/06/05 10:00 UTC").isoformat()
        ('2018-01-01T00:00:00+00:00', '2018-06-05T10:00:00+00:00')
        >>> parse_instant("2016-12-31T23:59:60Z").isoformat(), parse_instant("2018-156").isoformat()
        ('2017-01-01T00:00:00+00:00', '2018-06-05T00:00:00+00:00')

    Raises:
        InvalidValueError: not an ISO 8601 date or instant.
    """
    if isinstance(text, datetime):
        instant = text
    elif isinstance(text, date):
        instant = datetime(text.year, text.month, text.day, tzinfo=UTC)
    else:
        instant = _written(text)
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError as error:
        raise InvalidValueError(f"got {text!r}, expected an instant between the years 1 and 9999 in UTC") from error


def _written(text: str) -> datetime:
    """An instant as written; a leap second is the second after it, for clocks here know none."""
    words = _ZONE.sub("+00:00", str(text).strip())
    leap = _LEAP.search(words)
    if leap is not None:
        words = words[: leap.start(1)] + "59" + words[leap.end(1) :]
    if ordinal := _ORDINAL.fullmatch(words):
        words = f"{ordinal[1]}-01-01{ordinal[3] or ''}"
    elif slashed := _SLASHED.fullmatch(words):
        words = "-".join(slashed.groups()[:3]) + (slashed[4] or "")
    if words.isdigit() and len(words) != len("20180101"):
        words = ""  # seconds since 1970 are no date of the year 1528
    try:
        instant = datetime.fromisoformat(words)
        instant += timedelta(seconds=leap is not None, days=int(ordinal[2]) - 1 if ordinal else 0)
    except (ValueError, OverflowError) as error:
        raise InvalidValueError(f"got {text!r}, expected an ISO date such as 2018-01-01") from error
    if ordinal and instant.year != int(ordinal[1]):
        raise InvalidValueError(f"got {text!r}, expected a day of that year")
    return instant


def format_instant(instant: datetime) -> str:
    """Format an instant as STAC does: `2018-01-15T10:30:00Z`, with microseconds only if they are not zero."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A half-open interval of time: `start` is in it, `end` is not.

    Example:
        >>> year = Period.parse("2018-01-01", "2019-01-01")
        >>> parse_instant("2018-12-31T23:59") in year, parse_instant("2019-01-01") in year
        (True, False)
    """

    start: datetime
    """First instant, UTC."""
    end: datetime
    """First instant after it, UTC."""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InvalidValueError("got an instant without an offset, expected UTC")
        if self.end <= self.start:
            raise InvalidValueError(
                f"got a period that ends ({format_instant(self.end)}) before it begins ({format_instant(self.start)})"
            )

    @classmethod
    def parse(cls, start: str | date | datetime, end: str | date | datetime) -> Self:
        """Read two ISO dates or instants."""
        return cls(parse_instant(start), parse_instant(end))

    @classmethod
    def year(cls, number: int) -> Self:
        """A calendar year."""
        return cls(datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC))

    @classmethod
    def calendar(cls, text: str) -> Self | None:
        """A year, a month or a day; None for any other text.

        Example:
            >>> str(Period.calendar("2018-06")), Period.calendar("June")
            ('2018-06-01T00:00:00Z/2018-07-01T00:00:00Z', None)

        Raises:
            InvalidValueError: no such month or day.
        """
        found = _CALENDAR.fullmatch(text)
        if found is None:
            return None
        year, month, day = found.groups()
        start = parse_instant(f"{year}-{month or '01'}-{day or '01'}")
        following = start + timedelta(days=1 if day else 31 if month else 366)
        if day is None:
            following = following.replace(day=1, month=following.month if month else 1)
        return cls(start, following)

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def overlaps(self, other: Period) -> bool:
        """Whether the two share an instant."""
        return self.start < other.end and other.start < self.end

    def __str__(self) -> str:
        start = OPEN if self.start == FIRST else format_instant(self.start)
        return f"{start}/{OPEN if self.end == LAST else format_instant(self.end)}"


@dataclass(frozen=True, slots=True, order=True)
class Timestep:
    """One step of a regular time axis: its instant and the period that it represents."""

    stamp: datetime
    """The instant of the step, UTC."""
    name: str
    """Its name in file names and asset keys: `2018-01` or `2018-01-03`."""
    period: Period
    """Period of the observations that belong to it."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """A rule that defines the timesteps of a period.

    Example:
        >>> [step.name for step in Cadence.parse("month").timesteps(Period.year(2018))][:2]
        ['2018-01', '2018-02']
        >>> steps = Cadence.parse("5 days").timesteps(Period.parse("2018-01-01", "2020-01-01"))
        >>> len(steps), steps[0].name, steps[-1].name
        (146, '2018-01-03', '2019-12-29')
    """

    days: int | None = None
    """Length of a step in days; None for calendar months."""

    def __post_init__(self) -> None:
        if self.days is not None and self.days < 1:
            raise InvalidValueError(f"got a cadence of {self.days} days, expected at least 1")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `month`, or `5 days`."""
        if text == "month":
            return cls()
        match = re.fullmatch(r"(\d+) days?", text)
        if match is None:
            raise InvalidValueError(f"got {text!r}, expected a cadence: 'month' or '5 days'")
        return cls(int(match[1]))

    def timesteps(self, period: Period) -> tuple[Timestep, ...]:
        """The timesteps that begin within a period, in time order.

        A month is stamped the 15th at 10:30; a step of n days is stamped at 10:30 of its middle day, and its
        days are counted from the start of the period. Steps are cut at the period's end.
        """
        return self._months(period) if self.days is None else self._days(period, self.days)

    @staticmethod
    def _months(period: Period) -> tuple[Timestep, ...]:
        steps = []
        first = datetime(period.start.year, period.start.month, 1, tzinfo=UTC)
        while first < period.end:
            following = (first + timedelta(days=32)).replace(day=1)
            part = Period(max(first, period.start), min(following, period.end))
            stamp = first.replace(day=MID_MONTH) + NOON_PASS
            steps.append(Timestep(stamp, f"{first:%Y-%m}", part))
            first = following
        return tuple(steps)

    @staticmethod
    def _days(period: Period, days: int) -> tuple[Timestep, ...]:
        steps = []
        first = period.start
        while first < period.end:
            following = first + timedelta(days=days)
            middle = (first + timedelta(days=days // 2)).replace(hour=0, minute=0, second=0, microsecond=0)
            part = Period(first, min(following, period.end))
            steps.append(Timestep(middle + NOON_PASS, f"{middle:%Y-%m-%d}", part))
            first = following
        return tuple(steps)

    def __str__(self) -> str:
        return "month" if self.days is None else f"{self.days} days"
