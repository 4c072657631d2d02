from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidValueError
from landloom.model.grid import WGS84, Grid, transformer
from landloom.model.shapes import reproject

GRID = Grid.of_bounds(32633, (499_980, 4_990_200, 609_780, 5_100_000), 120)


def test_transform_bounds_and_shape_agree() -> None:
    assert GRID.shape == (915, 915)
    assert Grid.of_transform(32633, GRID.affine, GRID.shape) == GRID
    assert Grid.of_transform(32633, GRID.transform, GRID.shape) == GRID
    assert GRID.affine @ (GRID.width, GRID.height) == (GRID.east, GRID.south)
    assert GRID.geobox.shape == GRID.shape
    assert GRID.geobox.affine == GRID.affine
    assert GRID.resolution == 120


@given(st.integers(-20, 950), st.integers(-20, 950), st.integers(1, 40), st.integers(1, 40))
def test_windows_know_where_they_lie(row: int, column: int, height: int, width: int) -> None:
    window = GRID.window(row, column, height, width)
    assert window.offset_in(GRID) == (row, column)
    assert window.shape == (height, width)
    assert window.west == GRID.west + column * 120
    assert window.north == GRID.north - row * 120


@given(st.integers(-10_000, 10_000), st.integers(-10_000, 10_000), st.integers(1, 500), st.integers(1, 500))
def test_snapping_covers_with_less_than_a_step_to_spare(west: int, south: int, width: int, height: int) -> None:
    bounds = (west * 10, south * 10, (west + width) * 10, (south + height) * 10)
    grid = Grid.of_bounds(32633, bounds, 10)
    snapped = grid.snapped()
    assert all(value % 60 == 0 for value in snapped.bounds)
    for outer, inner, sign in zip(snapped.bounds, bounds, (-1, -1, 1, 1), strict=True):
        assert 0 <= sign * (outer - inner) < 60
    assert snapped.snapped() == snapped


def test_grids_that_share_no_edges_are_refused() -> None:
    for other in (
        Grid.of_bounds(32633, (499_981, 4_990_200, 609_781, 5_100_000), 120),
        Grid.of_bounds(32634, GRID.bounds, 120),
        GRID.at(60),
    ):
        with pytest.raises(InvalidValueError, match="do not share pixel edges"):
            other.offset_in(GRID)


@pytest.mark.parametrize(
    "transform", [(10, 1, 0, 0, -10, 0), (10, 0, 0, 1, -10, 0), (10, 0, 0, 0, 10, 0), (-10, 0, 0, 0, -10, 0)]
)
def test_rotated_and_south_up_transforms_are_refused(transform: tuple[float, ...]) -> None:
    with pytest.raises(InvalidValueError, match="north-up"):
        Grid.of_transform(32633, transform, (5, 5))


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="whole multiples of 60"):
        Grid.of_bounds(32633, (0, 0, 100, 60), 60)
    with pytest.raises(InvalidValueError, match="at least 1 x 1"):
        Grid.of_bounds(32633, (0, 0, 0, 60), 60)
    with pytest.raises(InvalidValueError, match="positive sizes"):
        Grid(epsg=32633, west=0, north=0, pixel_width=0, pixel_height=1, width=1, height=1)


@pytest.mark.parametrize("epsg", [32601, 32660, 32701, 32733, 3035])
def test_reprojection_moves_every_vertex_and_comes_back(epsg: int) -> None:
    centre = transformer(WGS84, epsg).transform(10.0, 50.0) if epsg == 3035 else (500_000.0, 5_000_000.0)
    shape = shapely.Point(centre).buffer(9_000)
    there = reproject(shape, epsg, WGS84)
    assert shapely.get_num_coordinates(there) == shapely.get_num_coordinates(shape)
    assert reproject(shape, epsg, epsg) is shape
    back = reproject(there, WGS84, epsg)
    assert np.abs(shapely.get_coordinates(back) - shapely.get_coordinates(shape)).max() < 1e-3


def test_footprints_gain_vertices_when_asked() -> None:
    assert shapely.get_num_coordinates(GRID.footprint()) == 5
    fine = GRID.footprint(densify=20)
    assert shapely.get_num_coordinates(fine) == 81
    # At 46° N the sides of 110 km bend by hundreds of metres.
    assert 1e-4 < fine.hausdorff_distance(GRID.footprint()) < 1e-2
