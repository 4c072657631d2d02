"""Outlines against shapely: nothing is lost at the antimeridian, and nothing reaches beyond it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

from landloom.errors import InvalidValueError
from landloom.model.antimeridian import split_antimeridian

CORNERS = st.tuples(st.floats(-180, 180), st.floats(-80, 70), st.floats(0.1, 8), st.floats(0.1, 8))


@given(CORNERS)
def test_split_outline_is_the_outline_wrapped(corners: tuple[float, float, float, float]) -> None:
    west, south, width, height = corners
    whole = box(west, south, west + width, south + height)
    wrapped = Polygon([((x + 180) % 360 - 180, y) for x, y in whole.exterior.coords])
    parts = split_antimeridian(wrapped)
    assert parts.is_valid
    assert -180 <= parts.bounds[0] <= parts.bounds[2] <= 180
    assert parts.area == pytest.approx(whole.area, rel=1e-6)
    point = whole.representative_point()
    assert parts.distance(Point((point.x + 180) % 360 - 180, point.y)) < 1e-9


def test_split_keeps_what_is_split_already_and_holes() -> None:
    plain = box(10, 10, 11, 11)
    assert split_antimeridian(plain) is plain
    ring = [(178, 0), (-178, 0), (-178, 4), (178, 4)]
    hole = [(179, 1), (-179, 1), (-179, 2), (179, 2)]
    parts = split_antimeridian(Polygon(ring, [hole]))
    assert parts.area == pytest.approx(4 * 4 - 2 * 1)
    again = split_antimeridian(parts)
    assert again.equals(parts)


def test_split_refuses_a_pole() -> None:
    with pytest.raises(InvalidValueError, match="pole"):
        split_antimeridian(Polygon([(-120, 85), (0, 85), (120, 85)]))


def test_longitudes_beyond_the_antimeridian_are_brought_back() -> None:
    parts = split_antimeridian(box(178, 10, 184, 12))
    assert parts.equals(MultiPolygon([box(178, 10, 180, 12), box(-180, 10, -176, 12)]))
    assert split_antimeridian(box(190, 10, 191, 12)).equals(box(-170, 10, -169, 12))


def test_what_is_no_polygon_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="got a Point, expected a polygon"):
        split_antimeridian(Point(1, 2))
