"""Sections of every recipe: what they take, and what each refuses in words of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from landloom.model.recipe.sections import PeriodSection, RegionSection, StacSection, Terms


@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90))
def test_bounds_are_taken_where_they_enclose_ground(west: float, south: float, east: float, north: float) -> None:
    bounds = (west, south, east, north)
    if west != east and south < north:  # west above east crosses 180°
        assert RegionSection(bounds=bounds).bounds == bounds
    else:
        with pytest.raises(ValidationError, match="west, south, east, north"):
            RegionSection(bounds=bounds)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "either bounds or file"),
        ({"bounds": (0, 0, 1, 1), "file": "a.gpkg"}, "either bounds or file"),
        ({"bounds": (-181, 0, 1, 1)}, "longitudes -181 to 1"),
        ({"bounds": (0, 0, 1, 91)}, "latitudes 0 to 91"),
        ({"bounds": (0, 0, 1)}, "Field required"),
        ({"file": "a.gpkg", "layers": "x"}, "Extra inputs"),
    ],
)
def test_a_region_is_bounds_or_a_file(section: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RegionSection.model_validate(section)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_periods_are_half_open_days_in_utc(start: date, end: date) -> None:
    for given_start in (start, start.isoformat()):
        if start < end:
            period = PeriodSection.model_validate({"start": given_start, "end": end.isoformat()}).value
            assert period.start == datetime(start.year, start.month, start.day, tzinfo=UTC)
            assert period.end == datetime(end.year, end.month, end.day, tzinfo=UTC)
        else:
            with pytest.raises(ValidationError, match="ends"):
                PeriodSection.model_validate({"start": given_start, "end": end.isoformat()})


@pytest.mark.parametrize("text", ["2018-02-30", "soon", "2018", "", None, 5])
def test_what_is_no_date_is_shown(text: object) -> None:
    with pytest.raises(ValidationError, match="expected a date such as 2018-01-01"):
        PeriodSection.model_validate({"start": text, "end": "2019-01-01"})


@pytest.mark.parametrize(
    ("key", "pattern", "message"),
    [
        ("item", "{collection}", "with sample"),
        ("item", "{sample}_{collection}_{date}", "out of {collection}, {sample}"),
        ("dated_item", "{collection}_{sample}", "date or timestep"),
        ("band_asset", "{prefix}", "with band"),
        ("band_asset", "{band", "expected a pattern such as"),
    ],
)
def test_patterns_that_would_give_two_things_one_name_are_refused(key: str, pattern: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StacSection.model_validate({key: pattern})


def test_patterns_that_differ_from_the_schemes_are_told() -> None:
    assert StacSection().names == {}
    told = {"item": "{collection}-{sample}", "label_link": "source"}
    assert StacSection.model_validate(told | {"json_items": False}).names == told


def test_sections_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Terms(licence="MIT", attribution="x").licence = "CC0-1.0"  # type: ignore[misc]
