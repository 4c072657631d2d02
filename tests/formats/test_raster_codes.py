"""Codes of label rasters of any type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from landloom.errors import InvalidInputError
from landloom.labels.raster_codes import NOTHING, as_codes


@pytest.mark.parametrize("nodata", [np.nan, -3.4e38, -9999.0, None, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_whole_numbers_or_nothing(dtype: Any, nodata: float | None) -> None:
    missing = np.nan if nodata is None else nodata
    codes, nothing = as_codes(np.array([[311, missing]], dtype), nodata)
    assert codes.dtype == np.int32
    assert (codes.tolist(), nothing) == ([[311, NOTHING]], NOTHING)


def test_whole_numbers_stay_as_they_are() -> None:
    raster = np.array([[1, 255]], np.uint8)
    assert as_codes(raster, 255)[0] is raster
    assert [as_codes(raster, nodata)[1] for nodata in (255, np.nan, None)] == [255, None, None]


@pytest.mark.parametrize("value", [311.5, 1e20])
def test_what_is_no_code_is_refused(value: float) -> None:
    with pytest.raises(InvalidInputError, match="expected whole numbers"):
        as_codes(np.array([[value]]), None)
