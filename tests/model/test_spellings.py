"""One value for every spelling, and an error for what cannot be understood."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidValueError
from landloom.model import spellings

SPELLED: list[tuple[Any, list[Any], Any]] = [
    (spellings.number, [12.5, "12.5", " 12.5 ", "12.5 %", "1.25e1", "+12.5"], 12.5),
    (spellings.whole_number, [22, 22.0, "22", "22.0"], 22),
    (spellings.percentage, [100, "100", 100.00000000000001, 100.2, "100 %"], 100.0),
    (spellings.percentage, [0, "0", -1e-12, -0.4], 0.0),
    (spellings.flag, [True, "true", "True", " TRUE ", 1, "1", "yes"], True),
    (spellings.flag, [False, "false", "False", 0, "0", "no"], False),
    (spellings.baseline_name, [2.06, "2.06", "02.06", "N0206", "0206", "n02.06"], "02.06"),
    (spellings.baseline_name, [4, 4.0, "04.00", "N0400", "4"], "04.00"),
    (spellings.baseline_name, [5.1, "05.10", "N0510"], "05.10"),
    (
        spellings.platform_name,
        ["S2A", "s2a", "Sentinel-2A", "SENTINEL_2A", "sentinel 2a", "sentinel2a", "SENTINEL-2A"],
        "sentinel-2a",
    ),
    (spellings.platform_name, ["Sentinel-2", "S2", "SENTINEL2"], "sentinel-2"),
    (spellings.platform_name, ["landsat-8", "LANDSAT_8", "Landsat 8", "landsat8", "LC08", "L8"], "landsat-8"),
    (spellings.level_name, ["L2A", "l2a", "S2MSI2A", "Level-2A", "LEVEL_2A", "2A", "L2", "S2MSI2Ap"], "L2A"),
    (spellings.level_name, ["L1C", "S2MSI1C", "Level-1C", "L1"], "L1C"),
    (spellings.epsg_code, [32633, 32633.0, "32633", "EPSG:32633", "epsg:32633", "urn:ogc:def:crs:EPSG::32633"], 32633),
]


@pytest.mark.parametrize(("read", "written", "value"), SPELLED)
def test_spellings_of_one_value(read: Any, written: list[Any], value: Any) -> None:
    assert [read(one) for one in written] == [value] * len(written)


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (spellings.number, ["", "x", "1,5", None, True, "nan", "inf", float("inf"), [1], 10**400]),
        (spellings.whole_number, [1.5, "1.5", True]),
        (spellings.percentage, [-1, 101, "many", 150]),
        (spellings.flag, ["maybe", 2, None, 0.5]),
        (spellings.baseline_name, ["latest", True, None, -1, "05.09.1", 509123]),
        (spellings.level_name, ["L3", "GRD", "my_L1_scene"]),
        (spellings.epsg_code, ["UTM 33", True, None, 12, "EPSG:", 32633.5]),
    ],
)
def test_what_cannot_be_understood_is_refused(read: Any, written: list[Any]) -> None:
    for one in written:
        with pytest.raises(InvalidValueError, match="expected"):
            read(one)


ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(st.integers(), max_size=2)
)


NUMBERS = [spellings.number, spellings.whole_number, spellings.percentage, spellings.flag]


@pytest.mark.parametrize("read", [*NUMBERS, spellings.baseline_name, spellings.epsg_code])
@given(value=ODD)
def test_whatever_is_written_ends_in_a_value_or_an_error(read: Any, value: Any) -> None:
    with suppress(InvalidValueError):
        read(value)
