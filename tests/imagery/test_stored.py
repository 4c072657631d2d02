"""Numbers of every stored type become 10,000 × reflectance exactly, and nothing wraps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from landloom.errors import InvalidInputError
from landloom.imagery.stored import Storage, class_numbers, number_rule
from landloom.model.sensor import Conversion

WHOLE = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
TYPES = (*WHOLE, "float32", "float64")
STEPS = np.arange(1, 65_535)


def rule(
    dtype: str, *nodata: float, scaling: tuple[float, float] | None = None, sample: Any = None, **rest: Any
) -> Any:
    storage = Storage(dtype=np.dtype(dtype), nodata=nodata, scaling=scaling)
    preview = None if sample is None else lambda: np.asarray(sample, dtype)
    return number_rule(storage, preview=preview, **rest)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float_reflectance_times_ten_thousand_is_exact(dtype: str) -> None:
    numbers = (STEPS / 10_000).astype(dtype)
    found, clamped = rule(dtype, sample=numbers[:9_000]).apply(numbers)
    assert np.array_equal(found, STEPS)
    assert clamped == 0


@pytest.mark.parametrize("dtype", [one for one in TYPES if np.dtype(one).itemsize > 1])
def test_numbers_that_are_ten_thousand_times_reflectance_stay(dtype: str) -> None:
    fitting = STEPS if np.dtype(dtype).kind == "f" else np.arange(1, min(np.iinfo(dtype).max, 65_534) + 1)
    found, clamped = rule(dtype, sample=fitting).apply(fitting.astype(dtype))
    assert np.array_equal(found, fitting)
    assert clamped == 0


@pytest.mark.parametrize("dtype", TYPES)
@given(data=st.data())
def test_whatever_is_stored_nothing_wraps(dtype: str, data: st.DataObject) -> None:
    """Each number is nothing, saturated, clamped, or what its own arithmetic says."""
    numbers = data.draw(hnp.arrays(dtype, st.integers(1, 20)))
    scaling = data.draw(st.sampled_from([(0.0001, 0.0), (0.0001, -0.1), (1.0, 0.5), (0.0000275, -0.2)]))
    nodata = data.draw(st.sampled_from([(), (7.0,), (-9999.0,), (float("nan"),), (1e300,)]))
    made = rule(dtype, *nodata, scaling=scaling, conversion=Conversion(scale=scaling[0], offset=scaling[1]))
    found, _ = made.apply(numbers)
    assert found.dtype == np.uint16
    for number, got in zip(numbers.tolist(), found.tolist(), strict=True):
        exact = 10_000 * (number * scaling[0] + scaling[1])
        if number == 0 or not np.isfinite(number) or number in nodata or exact < -2_001:
            assert got == 0
        elif exact > 65_536 or (dtype == "uint16" and number == 65_535):
            assert got == 65_535
        elif -1_999 < exact < 65_534:
            assert abs(got - min(max(exact, 1), 65_534)) <= 0.5 + 1e-6 * abs(exact)


@pytest.mark.parametrize(
    ("dtype", "nodata", "number"),
    [
        ("uint16", 7, 7),
        ("uint16", 65_535, 65_535),
        ("int16", -9999, -9999),
        ("int16", -32_768, -32_768),
        ("int32", -9999, -9999),
        ("float32", -9999.9, -9999.9),
        ("float32", np.nan, np.nan),
        ("float64", 1e20, 1e20),
        ("float32", -3.4028234663852886e38, -3.4028235e38),
        ("uint16", -9999, 0),
        ("int16", 0, 0),
    ],
)
def test_declared_nodata_of_any_value_is_nothing(dtype: str, nodata: float, number: float) -> None:
    sample = [2_000, 2_100]
    found, clamped = rule(dtype, nodata, sample=sample).apply(np.array([number, 2_000], dtype))
    assert found.tolist() == [0, 2_000]
    assert clamped == 0


@pytest.mark.parametrize(("dtype", "number"), [("int16", -9999), ("int32", -(2**31)), ("float32", -9999.0)])
def test_fill_that_nobody_declares_is_nothing(dtype: str, number: float) -> None:
    found, _ = rule(dtype, sample=[2_000]).apply(np.array([number, 2_000], dtype))
    assert found.tolist() == [0, 2_000]


def test_valid_numbers_never_become_nodata() -> None:
    found, clamped = rule("int16", -9999).apply(np.array([-9999, -1_500, -1, 0, 1], np.int16))
    assert found.tolist() == [0, 1, 1, 0, 1]
    assert clamped == 2
    found, clamped = rule("float32", sample=[0.2]).apply(np.array([0.00001, 0.0], np.float32))
    assert found.tolist() == [1, 0]


def test_a_declared_scale_and_offset_count_once() -> None:
    numbers = np.array([0, 1_000, 1_001, 3_000, 65_535], np.uint16)
    both = rule("uint16", scaling=(0.0001, -0.1))
    assert both.apply(numbers)[0].tolist() == rule("uint16", offset=-1000).apply(numbers)[0].tolist()
    assert rule("uint8", scaling=(0.004, 0.0)).apply(np.array([0, 50, 255], np.uint8))[0].tolist() == [0, 2_000, 10_200]
    assert rule("int16", scaling=(0.0001, 0.0)).said == "int16"


def test_numbers_as_sentinel_2_has_them_are_not_touched() -> None:
    numbers = np.array([0, 1, 65_535], np.uint16)
    plain = rule("uint16", 0.0, scaling=(0.0001, 0.0))
    assert plain.plain
    assert plain.apply(numbers)[0] is numbers
    assert plain.said == ""


@pytest.mark.parametrize("dtype", ["complex64", "bool"])
def test_what_are_no_numbers_is_refused(dtype: str) -> None:
    with pytest.raises(InvalidInputError, match=dtype):
        rule(dtype)
    with pytest.raises(InvalidInputError, match=dtype):
        class_numbers(np.zeros(3, dtype), np.uint8, ())


def test_what_nothing_explains_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="uint8 numbers without a scale"):
        rule("uint8")
    with pytest.raises(InvalidInputError, match="around 30"):
        rule("float32", sample=[12.5, 30.0, 55.5])
    with pytest.raises(InvalidInputError, match="scale"):
        rule("int16", scaling=(0.0, 0.0))
    with pytest.raises(InvalidInputError, match="offset of -10000000"):
        rule("uint16", offset=-10_000_000)


def test_floating_numbers_are_told_by_the_whole_file() -> None:
    """Dark water that an offset has clamped to 1 is no reflectance of 1."""
    assert rule("float32", sample=[1.0] * 9 + [2_000.0]).apply(np.array([1.0, 2.0], np.float32))[0].tolist() == [1, 2]
    assert rule("float32", sample=[0.01, 0.3, 1.4]).apply(np.array([1.0], np.float32))[0].tolist() == [10_000]


@pytest.mark.parametrize("dtype", TYPES)
def test_classes_of_any_type_are_the_same_classes(dtype: str) -> None:
    codes = np.arange(12)
    assert class_numbers(codes.astype(dtype), np.uint8, ()).tolist() == codes.tolist()
    assert class_numbers(np.array([4, 99], dtype), np.uint8, (99.0,)).tolist() == [4, 0]


def test_bits_that_are_none_are_never_usable() -> None:
    found = class_numbers(np.array([21_824, -1, 70_000], np.int32), np.uint16, ())
    assert found.tolist() == [21_824, 0, 0]
