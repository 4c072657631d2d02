"""Days and years as tables write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidValueError
from landloom.labels.validity import read_day, read_year


@given(st.dates(date(1000, 1, 1)))
def test_every_way_to_write_a_day_is_that_day(day: date) -> None:
    forms: tuple[Any, ...] = (
        day,
        datetime(day.year, day.month, day.day, 23, tzinfo=UTC),
        day.isoformat(),
        f"{day.isoformat()}T23:59:59Z",
        f"{day.isoformat()} 00:00:00+05:00",
        f"{day:%Y/%m/%d}",
        f"{day:%Y.%m.%d}",
        f"{day:%Y%m%d}",
        int(f"{day:%Y%m%d}"),
        float(f"{day:%Y%m%d}"),
        f" {day.day}.{day.month}.{day:%Y} ",
    )
    assert {read_day(form) for form in forms} == {day}
    assert {read_year(form) for form in forms} == {day.year}


def test_a_year_or_month_is_its_first_or_last_day() -> None:
    assert [read_day(value, last=True) for value in (2020, "2020", 2020.0, "2020-02")] == [
        date(2020, 12, 31),
        date(2020, 12, 31),
        date(2020, 12, 31),
        date(2020, 2, 29),
    ]
    assert read_day("2020-02") == date(2020, 2, 1)
    assert read_year(np.int64(2020)) == read_year(pd.Timestamp("2020-05-01")) == 2020


@pytest.mark.parametrize(
    "value",
    ["01/02/2018", "1-2-2018", "2018/19", "unknown", "2018-13-01", "31.02.2018", "0", 43101, "18", "2018-1-1-1"],
)
def test_what_may_mean_two_things_or_none_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValueError, match="expected a day such as"):
        read_day(value)


@pytest.mark.parametrize("value", ["2018/19", "2011-12", "0000", "n/a", 18])
def test_a_season_is_no_year(value: Any) -> None:
    with pytest.raises(InvalidValueError, match="expected a year such as"):
        read_year(value)
