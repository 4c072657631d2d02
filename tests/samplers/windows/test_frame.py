"""Windows: laid over regions, where labels are, and around parcels."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.labels.parcels import Parcels, parcels_of
from landloom.model.grid import WGS84
from landloom.model.ids import WindowId
from landloom.model.sample import Sample
from landloom.model.shapes import reproject
from landloom.samplers.windows.frame import WindowFrame, anchor_corner, around_parcels, resampled, striding
from landloom.samplers.windows.section import ParcelWindows, WindowGrid

REGION = reproject(shapely.box(500_007, 5_000_013, 503_000, 5_002_000), 32633, WGS84)


def some_parcels(*boxes: tuple[float, float, float, float]) -> Parcels:
    frame = geopandas.GeoDataFrame(
        {"id": range(1, len(boxes) + 1), "ground_truth": 1}, geometry=[shapely.box(*box) for box in boxes], crs=32633
    )
    return parcels_of(frame)


def test_windows_cover_the_region_from_its_own_corner() -> None:
    frame = WindowFrame.of(WindowGrid(draw="windows"), REGION)
    samples = striding(frame, REGION)
    assert (frame.west % 60, frame.north % 60) == (0, 0)
    assert len({sample.id for sample in samples}) == len(samples)
    joined = shapely.union_all([shapely.box(*sample.bounds) for sample in samples])
    assert joined.area == pytest.approx(len(samples) * 240**2)
    area = reproject(REGION, WGS84, 32633)
    assert joined.buffer(125).contains(area)


def test_a_granule_as_anchor_counts_from_its_corner() -> None:
    frame = WindowFrame.of(WindowGrid(draw="windows", anchor="33TWL", size=48), REGION)
    assert (frame.west, frame.north) == (499_980, 5_100_000)
    assert all(str(sample.id).startswith("33TWL_") for sample in striding(frame, REGION))


def test_labelled_shares_decide() -> None:
    frame = WindowFrame.of(WindowGrid(draw="windows"), REGION)
    shares = np.zeros((frame.rows, frame.columns), np.float32)
    shares[2, 3], shares[4, 5] = 0.2, 0.05
    assert [str(one.id)[-9:] for one in striding(frame, REGION, shares, 0.1)] == ["0003_0004"]
    assert len(striding(frame, REGION, shares, 0.0)) == 2


def test_windows_are_around_their_parcels() -> None:
    rows = some_parcels((500_300, 5_000_300, 500_400, 5_000_450), (501_001, 5_001_001, 501_400, 5_001_100))
    found = around_parcels(WindowFrame.of(ParcelWindows(draw="parcels"), REGION), REGION, rows)
    assert sorted(found.parcel_of.values()) == [1, 2]
    for sample in found.samples:
        own = shapely.box(*shapely.bounds(rows.geometries[found.parcel_of[str(sample.id)] - 1]))
        middle = shapely.box(*sample.bounds).centroid
        assert max(abs(middle.x - own.centroid.x), abs(middle.y - own.centroid.y)) <= 30
        assert sample.bounds[0] % 60 == sample.bounds[3] % 60 == 0
        assert found.whole[str(sample.id)] == shapely.box(*sample.bounds).contains(own)
    strict = around_parcels(WindowFrame.of(ParcelWindows(draw="parcels"), REGION), REGION, rows, whole=True)
    assert [own for own, _ in strict.left_out] == [2]


def test_parcels_in_one_place_keep_windows_of_their_own() -> None:
    box = (500_300, 5_000_300, 500_400, 5_000_450)
    found = around_parcels(WindowFrame.of(ParcelWindows(draw="parcels"), REGION), REGION, some_parcels(box, box, box))
    assert len({sample.id for sample in found.samples}) == 3
    assert sorted(found.parcel_of.values()) == [1, 2, 3]
    wests = [sample.bounds[0] for sample in found.samples]
    assert max(wests) - min(wests) <= 60
    assert found.whole[next(name for name, own in found.parcel_of.items() if own == 1)]


@given(st.integers(3, 64), st.integers(0, 2**31))
def test_resampled_outlines_keep_to_the_ring(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 12))
    ring = np.column_stack([np.cos(angles), np.sin(angles)]) * rng.uniform(20, 100, (12, 1))
    shape = shapely.Polygon(ring)
    if not shape.is_valid or shape.area == 0:
        return
    points = resampled(shape, count)
    assert points.shape == (count, 2)
    assert shapely.distance(shapely.points(points), shape.exterior).max() < 1e-6
    np.testing.assert_allclose(points, resampled(shape.reverse(), count), atol=1e-9)


@given(st.sampled_from([24, 25, 48, 64]), st.sampled_from([20.0, 60.0]), st.integers(0, 400))
def test_coarse_grids_cover_windows_with_one_shape(size: int, resolution: float, column: int) -> None:
    left = 500_040.0 + column * size * 10
    identity = WindowId("33N-500040E-5000040N", 1, column + 1)
    sample = Sample(id=identity, epsg=32633, bounds=(left, 5_000_040 - size * 10, left + size * 10, 5_000_040))
    grid = sample.grid(resolution)
    assert (grid.west % resolution, grid.north % resolution) == (0, 0)
    assert grid.west <= left
    assert grid.east >= left + size * 10
    assert grid.north >= 5_000_040
    assert grid.south <= 5_000_040 - size * 10
    first = Sample(id=identity, epsg=32633, bounds=(500_040, 5_000_040 - size * 10, 500_040 + size * 10, 5_000_040))
    assert grid.shape == first.grid(resolution).shape


@given(st.integers(1, 60), st.integers(0, 99), st.integers(0, 99), st.sampled_from([None, 2018]))
def test_a_window_says_where_it_lies(size: int, row: int, column: int, year: int | None) -> None:
    """Its id alone gives its north-west corner back."""
    frame = WindowFrame.of(WindowGrid(draw="windows", anchor="33N-499980E-5100000N", size=size), REGION)
    sample = frame.sample(row, column, year)
    identity = WindowId.parse(str(sample.id))
    _, west, north = anchor_corner(identity.anchor)
    assert sample.bounds[0] == west + (identity.column - 1) * size * 10
    assert sample.bounds[3] == north - (identity.row - 1) * size * 10
    assert (sample.side, sample.epsg, identity.year) == (size * 10, 32633, year)


@given(st.sampled_from([24, 25, 48]), st.sampled_from([2.5, 10.0, 20.0, 60.0]), st.floats(0, 500))
def test_one_grid_holds_all_windows_pixel_by_pixel(size: int, resolution: float, margin: float) -> None:
    frame = WindowFrame.of(WindowGrid(draw="windows", size=size), REGION)
    grid = frame.grid(resolution, margin)
    assert (grid.west % 60, grid.north % 60) == (0, 0)
    for row, column in ((0, 0), (frame.rows - 1, frame.columns - 1)):
        west, south, east, north = frame.sample(row, column).bounds
        assert grid.west <= west - margin
        assert grid.north >= north + margin
        if row:
            assert grid.south <= south - margin + 1e-6
            assert grid.east >= east + margin - 1e-6
    if size * 10 % resolution == 0:
        exact = frame.exact_grid(resolution)
        assert exact.shape == (frame.rows * size * 10 / resolution, frame.columns * size * 10 / resolution)


def test_rows_and_columns_that_a_recipe_states_are_those() -> None:
    frame = WindowFrame.of(WindowGrid(draw="windows", rows=3, columns=5), REGION)
    assert (frame.rows, frame.columns) == (3, 5)
    assert len(striding(frame, REGION)) == 15


def test_more_windows_than_ids_can_count_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="at most 9999"):
        WindowFrame.of(WindowGrid(draw="windows", size=1), shapely.box(14, 44, 16, 46))
