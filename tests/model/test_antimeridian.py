"""Outlines across 180°, split as RFC 7946 has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.model.antimeridian import (
    is_across,
    lie_together,
    require_plain_steps,
    split_antimeridian,
    split_shape,
)


def written(west: float, east: float, south: float = 0.0, north: float = 1.0) -> list[Any]:
    """One outline from 180 - west to -180 + east in every way that people write it."""
    beyond = shapely.box(180 - west, south, 180 + east, north)
    naive = shapely.Polygon([(180 - west, south), (east - 180, south), (east - 180, north), (180 - west, north)])
    corners = [(180 - west, south), (180, south), (-180, south), (east - 180, south)]
    corners += [(east - 180, north), (-180, north), (180, north), (180 - west, north)]
    below = shapely.transform(beyond, lambda xy: xy - [360, 0])
    return [beyond, below, naive, shapely.Polygon(corners)]


@given(st.floats(0.01, 80), st.floats(0.01, 80))
def test_every_way_to_write_it_is_the_same_outline(west: float, east: float) -> None:
    wanted = shapely.union(shapely.box(180 - west, 0, 180, 1), shapely.box(-180, 0, east - 180, 1))
    for outline in written(west, east):
        assert is_across(outline)
        found = split_antimeridian(outline)
        assert found.is_valid
        assert found.symmetric_difference(wanted).area < 1e-9


def test_what_does_not_cross_stays_itself() -> None:
    for shape in (
        shapely.box(170, 0, 180, 1),
        shapely.box(-180, -90, 180, 90),
        shapely.Polygon([(-180, -90), (-180, -70), (0, -65), (180, -70), (180, -90)]),  # Antarctica in degrees
        shapely.MultiPolygon([shapely.box(179, 0, 180, 1), shapely.box(-180, 0, -179, 1)]),
    ):
        assert split_antimeridian(shape) is shape
        assert not is_across(shape)


def test_holes_keep_beside_their_shell() -> None:
    hole = [(-179.5, 0.2), (-179.5, 0.8), (-179.2, 0.8), (-179.2, 0.2)]
    found = split_antimeridian(shapely.Polygon(shapely.box(179, 0, 181, 1).exterior.coords, [hole]))
    assert found.area == pytest.approx(2 - 0.3 * 0.6)


def test_an_outline_around_a_pole_and_a_line_are_refused() -> None:
    around = shapely.Polygon([(0, 80), (90, 80), (180, 80), (-90, 80)])
    with pytest.raises(InvalidValueError, match="around a pole"):
        split_antimeridian(around)
    with pytest.raises(InvalidValueError, match="expected a polygon"):
        split_antimeridian(shapely.LineString([(0, 0), (1, 1)]))


def test_shapes_of_any_kind_are_split() -> None:
    line = shapely.LineString([(179, 0), (-179, 0)])
    assert split_shape(line).length == pytest.approx(2)
    assert split_shape(shapely.Point(-181, 3)).equals(shapely.Point(179, 3))
    mixed = split_shape(shapely.GeometryCollection([line, written(1, 1)[2], shapely.Point(0, 0)]))
    assert mixed.bounds == (-180, 0, 180, 1)


@pytest.mark.parametrize("width", [181, 200, 340, 349])
def test_steps_that_may_go_either_way_are_refused(width: float) -> None:
    wide = shapely.box(-width / 2, 0, width / 2, 1)
    for shape in (wide, wide.exterior, shapely.GeometryCollection([shapely.Point(0, 0), wide])):
        with pytest.raises(InvalidInputError, match="either way round"):
            require_plain_steps(shape)


@pytest.mark.parametrize("width", [100, 180, 351, 359.9, 360])
def test_other_steps_are_plain(width: float) -> None:
    require_plain_steps(shapely.box(-width / 2, 0, width / 2, 1))


@given(st.lists(st.floats(-40, 40), min_size=1, max_size=6))
def test_shapes_around_180_lie_together(offsets: list[float]) -> None:
    longitudes = [(180 + offset + 180) % 360 - 180 for offset in offsets]
    points = np.array([shapely.Point(x, 0) for x in longitudes])
    west, _, east, _ = shapely.total_bounds(lie_together(points))
    assert east - west == pytest.approx(max(offsets) - min(offsets), abs=1e-9)
