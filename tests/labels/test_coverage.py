"""Coverage of pixels against shapely, and the laws that make it the same whatever the order or the block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.labels.coverage import coverage_of
from landloom.model.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID = Grid.of_bounds(32633, (0, 0, 400, 300), 10)


def dense(geometries: list[Any], grid: Grid, window: tuple[int, int, int, int] | None = None) -> NDArray[np.float64]:
    """(polygon, row, column) coverage, zeros where there is no claim."""
    claims = coverage_of(geometries, grid, window)
    result = np.zeros((len(geometries), claims.shape[0] * claims.shape[1]))
    result[claims.polygon, claims.pixel] = claims.coverage
    return result.reshape(len(geometries), *claims.shape)


def by_shapely(geometry: Any, grid: Grid) -> NDArray[np.float64]:
    rows, columns = np.mgrid[: grid.height, : grid.width]
    west, north = grid.west + columns * grid.pixel_width, grid.north - rows * grid.pixel_height
    pixels = shapely.box(west, north - grid.pixel_height, west + grid.pixel_width, north)
    area: NDArray[np.float64] = shapely.area(shapely.intersection(pixels, geometry))
    return area / (grid.pixel_width * grid.pixel_height)


def star(seed: int, *, pieces: int = 1) -> Any:
    """A jagged polygon, with a hole and a second part now and then, that may reach out of the grid."""
    rng = np.random.default_rng(seed)
    result: Any = shapely.Polygon()
    for _ in range(pieces):
        middle, turns = rng.uniform(-30, 330, 2), np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 40)))
        reach = rng.uniform(2, 150) * rng.uniform(0.3, 1, len(turns))
        ring = np.column_stack((middle[0] + reach * np.cos(turns), middle[1] + reach * np.sin(turns)))
        result = result.union(shapely.make_valid(shapely.Polygon(ring)))
        result = result.difference(shapely.Point(middle).buffer(rng.uniform(1, 20)))
    return shapely.box(3, 4, 55, 66) if result.is_empty else result


@given(st.integers(0, 2**32), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_coverage_is_shapelys_within_1e9(seed: int, pieces: int) -> None:
    shape = star(seed, pieces=pieces)
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        return
    assert np.abs(dense([shape], GRID)[0] - by_shapely(shape, GRID)).max() <= 1e-9


@pytest.mark.parametrize("resolution", [2.5, 10, 60])
def test_coverage_far_from_the_origin_and_at_any_resolution(resolution: float) -> None:
    grid = Grid.of_bounds(32633, (499_980, 4_999_980, 500_280, 5_000_280), resolution)
    shape = shapely.transform(star(7, pieces=2), lambda v: v + np.array([499_980.0, 4_999_980.0]))
    # Shapely itself is no better there: a coordinate of 5,000,000 m is a multiple of 1e-9 m.
    assert np.abs(dense([shape], grid)[0] - by_shapely(shape, grid)).max() <= 1e-9


def test_pixels_need_not_be_square_nor_round() -> None:
    grid = Grid(epsg=32633, west=1.1, north=280.7, pixel_width=9.9948, pixel_height=7.3, width=23, height=31)
    shape = star(11, pieces=2)
    assert np.abs(dense([shape], grid)[0] - by_shapely(shape, grid)).max() <= 1e-9


@given(st.integers(0, 2**32), st.integers(0, 20), st.integers(0, 30))
@settings(max_examples=30, deadline=None)
def test_a_window_gives_the_same_bits_as_the_whole(seed: int, row: int, column: int) -> None:
    shapes = [star(seed), star(seed + 1)]
    part = dense(shapes, GRID, (row, column, 10, 10))
    assert (part == dense(shapes, GRID)[:, row : row + 10, column : column + 10]).all()


@given(st.integers(0, 2**32), st.integers(1, 30), st.booleans())
@settings(max_examples=30, deadline=None)
def test_neither_direction_nor_first_vertex_changes_a_bit(seed: int, turn: int, backward: bool) -> None:  # noqa: FBT001
    shape = star(seed).convex_hull
    ring = shapely.get_coordinates(shape)[:-1]
    other = np.roll(ring, turn, axis=0)[:: -1 if backward else 1]
    assert (dense([shape], GRID) == dense([shapely.Polygon(other)], GRID)).all()


def test_neighbours_along_a_shared_edge_fill_their_pixels_exactly() -> None:
    rng = np.random.default_rng(5)
    seam = np.column_stack((rng.uniform(50, 350, 40), np.linspace(300, 0, 40)))
    left = shapely.Polygon([(0, 300), *seam, (0, 0)])
    right = shapely.Polygon([(400, 300), *seam, (400, 0)])
    if not (left.is_valid and right.is_valid):
        pytest.fail("the seam must give valid polygons")
    assert (dense([left, right], GRID).sum(axis=0) == 1).all()


def test_holes_subtract_whatever_their_direction() -> None:
    shell, hole = [(0, 0), (100, 0), (100, 100), (0, 100)], [(20, 20), (60, 20), (60, 60), (20, 60)]
    for ring in (hole, hole[::-1]):
        for outer in (shell, shell[::-1]):
            assert dense([shapely.Polygon(outer, [ring])], GRID).sum() == 84


def test_a_window_larger_than_a_band_is_swept_in_bands() -> None:
    grid = Grid.of_bounds(32633, (0, 0, 30_000, 20_000), 10)
    shape = shapely.Point(15_000, 10_000).buffer(12_345, quad_segs=64)
    claims = coverage_of([shape], grid)
    inside = shapely.box(0, 0, 30_000, 20_000).intersection(shape).area / 100
    assert claims.coverage.sum() == pytest.approx(inside, rel=1e-12)
    assert (np.diff(claims.pixel) > 0).all()


def test_nothing_claims_nothing() -> None:
    assert len(coverage_of([], GRID)) == 0
    assert len(coverage_of([shapely.box(1000, 1000, 1010, 1010), shapely.Polygon()], GRID)) == 0
    assert len(coverage_of([shapely.box(-100, 0, 0, 300)], GRID)) == 0


def test_what_is_no_polygon_is_refused_by_place() -> None:
    with pytest.raises(InvalidInputError, match=r"index \[1, 2\]"):
        coverage_of([shapely.box(0, 0, 1, 1), shapely.Point(0, 0), None], GRID)
    with pytest.raises(InvalidValueError, match="pixels per side"):
        coverage_of([], Grid.of_bounds(32633, (0, 0, 2**23, 10), 1))
