"""Validity and offsets, against the definitions written out."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from landloom.errors import InvalidValueError
from landloom.imagery.valid import apply_offset, data_valid, scaled_numbers, scl_valid
from landloom.model.sensor import CLEAR, Conversion

if TYPE_CHECKING:
    from decimal import Decimal

NUMBERS = hnp.arrays(np.uint16, hnp.array_shapes(min_dims=1, max_dims=3, max_side=6))


@settings(deadline=None)
@given(
    scl=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=4, max_side=6)),
    clear=st.frozensets(st.integers(-2, 20)),
)
def test_classes_outside_the_list_or_above_fifteen_are_invalid(scl: np.ndarray, clear: frozenset[int]) -> None:
    wanted = np.isin(scl, [code for code in clear if 0 <= code <= 15])
    assert np.array_equal(scl_valid(scl, clear=clear), wanted)


@settings(deadline=None)
@given(
    scl=hnp.arrays(np.uint8, (2, 9, 11), elements=st.sampled_from([0, 4, 4, 4, 4, 4, 9, 16])), grow=st.integers(0, 3)
)
def test_clouds_grow_as_squares_and_the_swath_edge_does_not(scl: np.ndarray, grow: int) -> None:
    wanted = np.isin(scl, list(CLEAR))
    for layer, y, x in np.argwhere(~wanted & (scl != 0)):
        wanted[layer, max(0, y - grow) : y + grow + 1, max(0, x - grow) : x + grow + 1] = False
    assert np.array_equal(scl_valid(scl, dilate=grow), wanted)


@pytest.mark.parametrize(
    ("scl", "dilate"),
    [(np.zeros((3, 3), np.uint16), 0), (np.zeros(3, np.uint8), 0), (np.zeros((3, 3), np.uint8), -1)],
)
def test_scl_of_another_kind_is_refused(scl: np.ndarray, dilate: int) -> None:
    with pytest.raises(InvalidValueError, match="expected uint8"):
        scl_valid(scl, dilate=dilate)


@settings(deadline=None)
@given(dn=NUMBERS)
def test_data_is_neither_nodata_nor_saturated(dn: np.ndarray) -> None:
    assert np.array_equal(data_valid(dn), (dn != 0) & (dn != 65535))


@settings(deadline=None)
@given(dn=NUMBERS, offset=st.integers(-3000, 3000))
def test_the_offset_is_the_formula_and_never_makes_or_unmakes_data(dn: np.ndarray, offset: int) -> None:
    shifted = dn.astype(np.int64) + offset
    wanted = np.where(dn == 0, 0, np.clip(shifted, 1, 65534))
    wanted[dn == 65535] = 65535
    found, clamped = apply_offset(dn, offset)
    assert found.dtype == np.uint16
    assert np.array_equal(found, wanted)
    assert np.array_equal(data_valid(found), data_valid(dn))
    assert clamped == np.count_nonzero(data_valid(dn) & ((shifted < 1) | (shifted > 65534)))


def test_every_stored_number_under_the_published_offset() -> None:
    dn = np.arange(65_536, dtype=np.uint16).reshape(2, 128, 256)[:, :, ::-1]
    found, clamped = apply_offset(dn, -1000)
    wanted = np.where(dn == 0, 0, np.maximum(dn.astype(int) - 1000, 1))
    wanted[dn == 65535] = 65535
    assert np.array_equal(found, wanted)
    assert clamped == 1000


def test_offsets_of_other_types_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="int16"):
        apply_offset(np.zeros(3, np.int16), -1000)
    with pytest.raises(InvalidValueError, match="70000"):
        apply_offset(np.zeros(3, np.uint16), 70_000)


@settings(deadline=None, max_examples=40)
@given(
    scale=st.decimals(min_value="0.00001", max_value="2", places=7),
    offset=st.decimals(min_value="-1", max_value="1", places=4),
)
def test_every_stored_number_is_converted_as_its_decimals_say(scale: Decimal, offset: Decimal) -> None:
    numbers = np.arange(1, 65_536, 7, dtype=np.uint16)
    got = scaled_numbers(numbers, Conversion(scale=float(scale), offset=float(offset)))
    ratio, summand = Fraction(scale) * 10_000, Fraction(offset) * 10_000
    assert got.tolist() == [floor(int(number) * ratio + summand + Fraction(1, 2)) for number in numbers.tolist()]
