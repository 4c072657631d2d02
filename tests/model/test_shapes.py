"""Shapes from one CRS into another, against points sampled densely along their edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import CRS, Proj

from landloom.errors import InvalidInputError
from landloom.model.grid import WGS84, transformer
from landloom.model.ids import Zone
from landloom.model.shapes import TOLERANCE, in_place, middle_of, reach, reproject, reproject_all, together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.grid import Crs

DENSE = 1001
"""Points along an edge that the truth is made of."""
LAEA = CRS.from_proj4("+proj=laea +lat_0=-41 +lon_0=173 +datum=WGS84 +units=m")
PROJECTED: tuple[Crs, ...] = (3035, 3857, 6933, 3832, 3413, 3031, LAEA)
ZONES = [Zone(number, north).epsg for number in range(1, 61) for north in (True, False)]


def along(edge: shapely.LineString, source: Crs, target: Crs) -> NDArray[np.float64]:
    """Points along an edge as it truly runs, in the target."""
    points = shapely.get_coordinates(shapely.line_interpolate_point(edge, np.linspace(0, 1, DENSE), normalized=True))
    return np.column_stack(transformer(source, target).transform(*points.T))


def metres(points: NDArray[np.float64], shape: shapely.Geometry, crs: Crs) -> float:
    """How far the farthest point lies from the edges of a shape, seen close by."""
    parsed = CRS.from_user_input(crs)
    edges = shapely.boundary(shape) if shapely.get_dimensions(shape) == 2 else shape
    if not parsed.is_geographic:
        return float(shapely.distance(shapely.points(points), edges).max()) * parsed.axis_info[0].unit_conversion_factor
    scale = np.array([np.cos(np.radians(points[:, 1].mean())), 1.0]) * 111_195.0
    flat = shapely.transform(edges, lambda xy: xy * scale)
    return float(shapely.distance(shapely.points(points * scale), flat).max())


def ground_metres(degrees: shapely.Geometry, crs: Crs) -> float:
    """Most metres on the ground that are one metre in a projection, from Tissot's indicatrix at the vertices."""
    factors = Proj(CRS.from_user_input(crs)).get_factors(*shapely.get_coordinates(degrees).T)
    return max(1.0, float((1 / np.asarray(factors.tissot_semiminor)).max()))


spans = st.tuples(st.floats(-3, 3), st.floats(-3, 3))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(ZONES), st.floats(-3, 3), st.floats(0.5, 80), spans)
def test_edges_in_degrees_lie_where_they_run_in_every_zone(
    epsg: int, off: float, height: float, span: tuple[float, float]
) -> None:
    zone = epsg % 100
    start = (zone * 6 - 183 + off, height if epsg < 32700 else -height)
    edge = shapely.LineString([start, (start[0] + span[0], max(min(start[1] + span[1], 84), -84))])
    assume(edge.length > 1e-3)
    moved = reproject(edge, WGS84, epsg)
    assert metres(along(edge, WGS84, epsg), moved, epsg) < 1.1 * TOLERANCE


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(ZONES), st.floats(1e5, 9e5), st.floats(5e4, 9.2e6), st.floats(-4e5, 4e5), st.floats(-4e5, 4e5))
def test_edges_in_metres_lie_where_they_run_in_degrees(epsg: int, x: float, y: float, dx: float, dy: float) -> None:
    y = y if epsg < 32700 else 1e7 - y
    edge = shapely.LineString([(x, y), (x + dx, min(max(y + dy, 5e4), 9.9e6))])
    truth = along(edge, epsg, WGS84)
    assume(edge.length > 100 and np.abs(truth[:, 1]).max() < 84)
    moved = reproject(edge, epsg, WGS84)
    west, _, east, _ = moved.bounds
    assert -180 <= west <= east <= 180
    if west == -180 and east == 180:  # both sides of 180°: each is held to the points of its own side
        parts = shapely.get_parts(moved)
        for side in (parts[shapely.bounds(parts)[:, 0] < 0], parts[shapely.bounds(parts)[:, 2] > 0]):
            own = truth[truth[:, 0] < 0] if side[0].bounds[0] < 0 else truth[truth[:, 0] > 0]
            assert len(own) == 0 or metres(own, shapely.union_all(side), WGS84) < 1.2 * TOLERANCE
    else:
        assert metres(truth, moved, WGS84) < 1.2 * TOLERANCE


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(PROJECTED),
    st.sampled_from(ZONES),
    st.floats(1.5e5, 8.5e5),
    st.floats(1e5, 9e6),
    st.floats(1e3, 3e5),
)
def test_polygons_of_any_projection_go_to_degrees_and_back(
    crs: Crs, epsg: int, x: float, y: float, side: float
) -> None:
    square = shapely.box(x, y, x + side, y + side / 3)
    degrees = reproject(square, epsg, WGS84)
    assert degrees.is_valid
    assert -180 <= degrees.bounds[0] <= degrees.bounds[2] <= 180
    (there,), refused = reproject_all([square], epsg, crs)
    if refused:
        assert any(word in refused[0] for word in ("no place", "crosses the edge", "pole"))
        return
    back = reproject(there, crs, epsg)
    off = TOLERANCE * (1 + ground_metres(degrees, crs))  # the way back, and the way there on the ground
    assert back.symmetric_difference(square).area < 2 * off * square.length + 1


@settings(max_examples=60, deadline=None)
@given(
    north=st.booleans(),
    latitude=st.floats(-84, 83.9),
    west=st.floats(0.01, 2),
    east=st.floats(0.01, 2),
    height=st.floats(0.01, 1),
)
def test_both_sides_of_180_are_one_place(
    *, north: bool, latitude: float, west: float, east: float, height: float
) -> None:
    """However a ring across 180° is written, it is the same shape in both zones and comes back split."""
    south = round(latitude, 9)  # GEOS joins nothing at subnormal numbers, which no outline holds
    top = min(south + height, 84.0)
    split = shapely.MultiPolygon([shapely.box(180 - west, south, 180, top), shapely.box(-180, south, east - 180, top)])
    naive = shapely.Polygon([(180 - west, south), (east - 180, south), (east - 180, top), (180 - west, top)])
    beyond = shapely.box(180 - west, south, 180 + east, top)
    for number in (60, 1):
        epsg = Zone(number, north).epsg
        shifted = shapely.transform(beyond, lambda xy: xy - [360, 0])
        moved, refused = reproject_all([split, naive, beyond, shifted], WGS84, epsg)
        assert not refused
        for one in moved:
            assert one.geom_type == "Polygon"
            assert one.is_valid
            assert one.symmetric_difference(moved[0]).area < TOLERANCE * one.length
        back = reproject(moved[0], epsg, WGS84)
        assert back.bounds[::2] == (-180, 180)
        assert back.symmetric_difference(split).area < 1e-5 * split.length


def test_a_parallel_is_no_straight_line() -> None:
    """Two degrees of a parallel at 52.7° N leave the chord by 240 m; a raster of the same edge knows it, too."""
    below = shapely.box(12.3, 51.7, 14.3, 52.7)
    column = shapely.LineString([(384_300, 5_838_000), (384_300, 5_842_000)])
    crossing = reproject(below, WGS84, 32633).boundary.intersection(column).centroid
    y = np.linspace(5_838_000, 5_842_000, 400_001)
    latitude = transformer(32633, WGS84).transform(np.full_like(y, 384_300), y)[1]
    assert abs(crossing.y - y[np.argmin(np.abs(latitude - 52.7))]) < TOLERANCE


def test_short_edges_gain_no_vertices_and_one_crs_changes_nothing() -> None:
    square = shapely.box(500_000, 5_000_000, 500_300, 5_000_300)
    assert shapely.get_num_coordinates(reproject(square, 32633, WGS84)) == 5
    assert reproject(square, 32633, "EPSG:32633") is square
    wide = shapely.box(-180, -90, 180, 90)
    assert reproject(wide, WGS84, "OGC:CRS84") is wide


@pytest.mark.parametrize(("epsg", "pole"), [(3413, "north"), (3995, "north"), (3031, "south"), (3035, "north")])
def test_what_encloses_a_pole_is_refused_by_name(epsg: int, pole: str) -> None:
    x, y = transformer(WGS84, epsg).transform(10.0, 90.0 if pole == "north" else -90.0)
    with pytest.raises(InvalidInputError, match=f"{pole} pole"):
        reproject(shapely.Point(x, y).buffer(3e5), epsg, WGS84)
    with pytest.raises(InvalidInputError, match=f"{pole} pole"):
        reproject(shapely.box(x - 3e5, y, x + 3e5, y + 3e5), epsg, WGS84)


def test_an_edge_that_may_go_either_way_round_is_refused() -> None:
    ambiguous = shapely.box(-100, -10, 100, 10)
    with pytest.raises(InvalidInputError, match="either way round"):
        reproject(ambiguous, WGS84, 32633)
    world = np.array([ambiguous, shapely.box(-180, -60, 180, 75)])
    shapes, refused = in_place(world, WGS84)
    assert list(refused) == [0]
    assert shapes[1] is world[1]


def test_one_bad_shape_costs_only_itself() -> None:
    opposite = shapely.box(1.6e7, 0, 1.7e7, 1e6)
    shapes = [shapely.box(4.3e6, 3.2e6, 4.4e6, 3.3e6), opposite, None, shapely.Polygon()]
    moved, refused = reproject_all(shapes, 3035, WGS84)
    assert list(refused) == [1]
    assert "EPSG:3035" in refused[1]
    assert moved[0].is_valid
    assert moved[2] is None
    assert moved[3].is_empty


@pytest.mark.parametrize("source", [WGS84, 3857, 3035])
def test_far_parts_are_cut_off_before_they_do_harm(source: int) -> None:
    """A polygon that reaches round half the world still has its edge where it runs, near a cell."""
    wide = reproject(shapely.box(-30, -20, 60, 52.7), WGS84, source, tolerance=1.0)
    near = (384_000.0, 5_836_000.0, 386_000.0, 5_842_000.0)
    moved = reproject(wide, source, 32633, near=[near])
    local = reproject(shapely.box(13, 52, 14, 52.7), WGS84, 32633)
    window = shapely.box(*near)
    assert moved.intersection(window).symmetric_difference(local.intersection(window)).area < 2_000 * 1.5


def test_a_shape_far_from_what_is_near_leaves_nothing() -> None:
    fiji, _ = reproject_all([shapely.box(177, -19, 178, -17)], WGS84, 32633, near=[(5e5, 5e6, 5.1e5, 5.1e6)])
    assert fiji[0].is_empty


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.floats(2e5, 8e5), st.floats(1e5, 9e6), st.sampled_from([WGS84, 3857, 6933, 4258]))
def test_boxes_hold_all_points_of_what_they_are_of(epsg: int, x: float, y: float, target: int) -> None:
    inside = np.random.default_rng(1).uniform((x, y), (x + 3e4, y + 3e4), (200, 2))
    boxes = reach((x, y, x + 3e4, y + 3e4), epsg, target, margin=1e-5)
    points = np.column_stack(transformer(epsg, target).transform(*inside.T))
    assert len(boxes) in (1, 2)
    assert shapely.intersects_xy(shapely.MultiPolygon([shapely.box(*box) for box in boxes]).buffer(0), *points.T).all()


def test_boxes_across_180() -> None:
    assert [box[::2] for box in reach((179, 0, -179, 1), WGS84, WGS84)] == [(179, 180), (-180, -179)]
    assert len(reach((179, 0, -179, 1), WGS84, 32660)) == 1
    assert len(reach((179, 0, -179, 1), WGS84, 3857)) == 2
    with pytest.raises(InvalidInputError, match="too large"):
        reach((-180, -60, 180, 75), WGS84, 3035)


@given(st.floats(0.1, 60), st.floats(0.1, 60))
def test_the_middle_of_both_sides(west: float, east: float) -> None:
    parts = [shapely.box(180 - west, 0, 180, 2), shapely.box(-180, 0, -180 + east, 2)]
    longitude, latitude = middle_of(shapely.MultiPolygon(parts))
    assert abs(latitude - 1) < 1e-9
    assert abs((longitude - (180 + (east - west) / 2) + 180) % 360 - 180) < 1e-9
    assert shapely.total_bounds(together(np.array(parts), WGS84))[2] == pytest.approx(180 + east)
    assert middle_of(shapely.box(-60, 0, -50, 2)) == (-55, 1)
