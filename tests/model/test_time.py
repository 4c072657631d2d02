from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from landloom.errors import InvalidValueError
from landloom.model.time import Cadence, Period, format_instant, parse_instant


def test_two_years_of_five_days_are_146_steps_and_one_is_73() -> None:
    cadence = Cadence.parse("5 days")
    both = cadence.timesteps(Period.parse("2018-01-01", "2020-01-01"))
    assert len(both) == 146
    assert (both[0].name, both[1].name, both[72].name, both[73].name) == (
        "2018-01-03",
        "2018-01-08",
        "2018-12-29",
        "2019-01-03",
    )
    assert len(cadence.timesteps(Period.year(2018))) == 73
    assert all(step.stamp.hour == 10 and step.stamp.minute == 30 for step in both)


def test_a_year_of_months_is_stamped_the_fifteenth() -> None:
    months = Cadence.parse("month").timesteps(Period.year(2018))
    assert [step.name for step in months] == [f"2018-{m:02d}" for m in range(1, 13)]
    assert [format_instant(step.stamp) for step in months][:2] == ["2018-01-15T10:30:00Z", "2018-02-15T10:30:00Z"]
    assert [(step.period.end - step.period.start).days for step in months] == [
        31,
        28,
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ]


@pytest.mark.parametrize("cadence", ["month", "1 day", "5 days", "10 days", "400 days"])
@pytest.mark.parametrize(
    ("start", "end"), [("2018-01-01", "2019-01-01"), ("2020-02-10", "2020-03-11"), ("2019-12-31", "2020-01-01T06:00")]
)
def test_steps_share_the_period_out_without_gap_or_overlap(cadence: str, start: str, end: str) -> None:
    period = Period.parse(start, end)
    steps = Cadence.parse(cadence).timesteps(period)
    assert steps[0].period.start == period.start
    assert steps[-1].period.end == period.end
    assert all(a.period.end == b.period.start for a, b in pairwise(steps))
    assert len({step.name for step in steps}) == len(steps)


def test_leap_years_have_a_day_more() -> None:
    assert len(Cadence.parse("1 day").timesteps(Period.year(2020))) == 366
    assert len(Cadence.parse("5 days").timesteps(Period.year(2020))) == 74  # the last one is cut short


def test_periods_are_half_open_and_ordered() -> None:
    period = Period.parse(date(2018, 1, 1), datetime(2018, 1, 2, tzinfo=UTC))
    assert period.start in period
    assert period.end not in period
    assert period < Period.parse("2018-01-01", "2018-01-03") < Period.parse("2018-01-02", "2018-01-03")
    for start, end in (("2018-01-02", "2018-01-02"), ("2018-01-03", "2018-01-02")):
        with pytest.raises(InvalidValueError, match="ends"):
            Period.parse(start, end)
    with pytest.raises(InvalidValueError, match="offset"):
        Period(datetime(2018, 1, 1), datetime(2018, 1, 2))  # noqa: DTZ001 - what the test is about


def test_instants_are_utc_whatever_offset_they_come_with() -> None:
    assert parse_instant("2018-01-01T02:00:00+02:00") == datetime(2018, 1, 1, tzinfo=UTC)
    assert parse_instant(datetime(2018, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))).hour == 0
    assert format_instant(parse_instant("2018-01-15T10:30:00Z")) == "2018-01-15T10:30:00Z"
    assert format_instant(parse_instant("2018-01-15T10:30:00.5")) == "2018-01-15T10:30:00.500000Z"
    with pytest.raises(InvalidValueError, match="expected an ISO date"):
        parse_instant("15 January")


@pytest.mark.parametrize("text", ["week", "0 days", "-1 days", "5", "days", ""])
def test_other_cadences_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="cadence"):
        Cadence.parse(text)


@pytest.mark.parametrize("text", ["month", "1 days", "5 days"])
def test_cadences_read_what_they_write(text: str) -> None:
    assert str(Cadence.parse(text)) == text
