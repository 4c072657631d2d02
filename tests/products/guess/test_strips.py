"""Strips of an area: every row once, and every drawn pixel in one of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landloom.model.grid import Grid
from landloom.products.guess.strips import ROWS, around, drawn_by_strip, native, strips


def area(height: int, width: int = 7) -> Grid:
    return Grid.of_bounds(32633, (0, 0, 10 * width, 10 * height), 10)


@given(st.integers(1, 4_000), st.integers(1, 900))
def test_strips_are_the_area_cut_between_rows(height: int, rows: int) -> None:
    found = list(strips(area(height), rows))
    assert [row for row, _ in found] == list(range(0, height, rows))
    for row, strip in found:
        assert strip == area(height).window(row, 0, strip.height, 7)
    assert sum(strip.height for _, strip in found) == height
    assert ROWS % 6 == 0, "bands of 60 m nest"


@given(st.integers(1, 3_000), st.sets(st.integers(0, 10**6), max_size=40))
def test_every_drawn_pixel_is_found_in_its_strip(height: int, places: set[int]) -> None:
    picked = np.array(sorted(place % (7 * height) for place in places), np.int64)
    picked = np.unique(picked)
    seen = []
    for own, strip, rows, columns in drawn_by_strip(area(height), picked):
        assert own.start < own.stop, "strips without a pixel are passed over"
        row, column = strip.offset_in(area(height))
        assert column == 0
        assert ((rows >= 0) & (rows < strip.height)).all()
        np.testing.assert_array_equal((row + rows) * 7 + columns, picked[own])
        seen += picked[own].tolist()
    assert seen == picked.tolist()


@given(st.integers(1, 40), st.sampled_from([10.0, 20.0, 60.0]), st.integers(-6, 6))
def test_strips_are_read_in_the_pixels_of_the_file_where_these_nest(side: int, metres: float, shift: int) -> None:
    strip = Grid.of_bounds(32633, (600, 600, 600 + 10 * side, 600 + 10 * side), 10)
    source = Grid.of_bounds(32633, (10 * shift, 10 * shift, 6_000 + 10 * shift, 6_000 + 10 * shift), metres)
    found = native(strip, source)
    assert found.bounds == strip.bounds
    if found != strip:
        assert found.pixel_width == metres > 10
        assert found.offset_in(source)
    elif metres > 10:
        assert (side * 10) % metres or (600 - 10 * shift) % metres or (10 * shift + 6_000 - 600 - 10 * side) % metres


@given(st.integers(0, 90), st.integers(0, 90), st.integers(1, 10), st.integers(0, 200))
def test_surroundings_are_clipped_to_the_area(row: int, column: int, side: int, buffer: int) -> None:
    whole = area(100, 100)
    mask = np.zeros(whole.shape, np.bool_)
    mask[around(whole.window(row, column, side, side), whole, buffer)] = True
    rows, columns = np.indices(whole.shape)
    near = (row - buffer <= rows) & (rows < row + side + buffer)
    near &= (column - buffer <= columns) & (columns < column + side + buffer)
    np.testing.assert_array_equal(mask, near)
