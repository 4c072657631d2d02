"""Codes of label rasters of any type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from landloom.errors import InvalidInputError
from landloom.formats.raster_codes import NOTHING, as_codes, code_numbers

WHOLE = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
TYPES = (*WHOLE, "float32", "float64")


@pytest.mark.parametrize("nodata", [np.nan, -3.4e38, -9999.0, None, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_whole_numbers_or_nothing(dtype: Any, nodata: float | None) -> None:
    missing = np.nan if nodata is None else nodata
    codes, nothing = as_codes(np.array([[311, missing]], dtype), nodata)
    assert codes.dtype == np.int64
    assert (codes.tolist(), nothing) == ([[311, NOTHING]], NOTHING)


def test_whole_numbers_stay_as_they_are() -> None:
    raster = np.array([[1, 255]], np.uint8)
    assert as_codes(raster, 255)[0] is raster
    assert [as_codes(raster, nodata)[1] for nodata in (255, np.nan, None)] == [255, None, None]


@pytest.mark.parametrize("value", [311.5, 1e20])
def test_what_is_no_code_is_refused(value: float) -> None:
    with pytest.raises(InvalidInputError, match="expected whole numbers"):
        as_codes(np.array([[value]]), None)


@pytest.mark.parametrize("dtype", TYPES)
def test_codes_of_a_map_of_any_type_are_exact(dtype: str) -> None:
    found = code_numbers(np.array([0, 11, 111, 7], dtype), 7.0, -1)
    assert found.tolist() == [0, 11, 111, -1]
    assert code_numbers(np.array([0, 11], dtype), 0.0, 99).tolist() == [99, 11]


def test_numbers_that_are_no_codes_are_named() -> None:
    assert code_numbers(np.array([np.nan, np.inf, 3]), None, 0).tolist() == [0, 0, 3]
    with pytest.raises(InvalidInputError, match=r"2\.5"):
        code_numbers(np.array([2.5, 3.0]), None, 0)
    with pytest.raises(InvalidInputError, match="1e\\+30"):
        code_numbers(np.array([1e30]), None, 0)
