"""Resampling, against GDAL, the pixel-by-pixel definition, and the stated rule for boundaries."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT
from rasterio.warp import reproject
from scipy.ndimage import map_coordinates

from landloom.errors import InvalidValueError
from landloom.imagery.resample import interpolated, nearest_indices, repeat, to_grid
from landloom.model.grid import Grid, transformer


def random(grid: Grid, dtype: Any = np.uint16, bands: int | None = None) -> np.ndarray:
    rng = np.random.default_rng(0)
    shape = grid.shape if bands is None else (bands, *grid.shape)
    return rng.integers(1, 250, shape).astype(dtype)


def gdal(array: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    """GDAL's nearest neighbour with exact coordinates.

    rasterio.warp.reproject always errs by up to an eighth of a source pixel, whatever `tolerance` it is given.
    """
    height, width = source.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": array.dtype}
    with MemoryFile() as memory:
        with memory.open(**profile, crs=CRS.from_epsg(source.epsg), transform=source.affine) as file:
            file.write(array, 1)
        options = {"width": target.width, "height": target.height, "transform": target.affine}
        with (
            memory.open() as file,
            WarpedVRT(
                file, crs=CRS.from_epsg(target.epsg), resampling=Resampling.nearest, tolerance=1e-6, nodata=0, **options
            ) as warped,
        ):
            return np.asarray(warped.read(1))


def neighbour(source_epsg: int, target_epsg: int, middle: tuple[float, float], size: float) -> tuple[float, ...]:
    """Bounds on the 60 m grid around where a point lies in another CRS."""
    x, y = transformer(source_epsg, target_epsg).transform(*middle)
    west, south = round((x - size / 2) / 60) * 60, round((y - size / 2) / 60) * 60
    return west, south, west + size, south + size


@st.composite
def aligned(draw: Any) -> tuple[Grid, Grid]:
    """Two grids of one CRS whose corners and pixel sizes are any whole metres."""

    def grid() -> Grid:
        return Grid(
            epsg=32633,
            west=float(draw(st.integers(-30, 30))),
            north=float(draw(st.integers(-30, 30))),
            pixel_width=float(draw(st.integers(1, 12))),
            pixel_height=float(draw(st.integers(1, 12))),
            width=draw(st.integers(1, 9)),
            height=draw(st.integers(1, 9)),
        )

    return grid(), grid()


def holding(start: Fraction, size: Fraction, count: int) -> int:
    """The source pixel that holds a position in exact arithmetic; the lower one on a boundary."""
    index = ceil(start / size) - 1
    return index if 0 <= index < count else -1


@settings(deadline=None)
@given(case=aligned())
def test_one_crs_is_the_definition_in_exact_arithmetic(case: tuple[Grid, Grid]) -> None:
    source, target = case
    array = random(source, np.int32)
    wanted = np.full(target.shape, -7, np.int32)
    for row, column in np.ndindex(target.shape):
        down = Fraction(source.north) - Fraction(target.north) + (row + Fraction(1, 2)) * Fraction(target.pixel_height)
        along = Fraction(target.west) - Fraction(source.west) + (column + Fraction(1, 2)) * Fraction(target.pixel_width)
        i = holding(down, Fraction(source.pixel_height), source.height)
        j = holding(along, Fraction(source.pixel_width), source.width)
        if i >= 0 and j >= 0:
            wanted[row, column] = array[i, j]
    assert np.array_equal(to_grid(array, source, target, nodata=-7), wanted)


@pytest.mark.parametrize(("native", "wanted"), [(20, 10), (60, 10), (60, 20)])
def test_nested_pixels_are_repeated_as_gdal_does(native: float, wanted: float) -> None:
    source = Grid.of_bounds(32633, (500_040, 5_000_040, 502_440, 5_002_440), native)
    array = random(source)
    target = source.at(wanted)
    assert np.array_equal(to_grid(array, source, target), repeat(array, round(native / wanted)))
    shifted = target.window(-3, 5, target.height, target.width + 11)
    out = np.zeros(shifted.shape, array.dtype)
    options = {"src_crs": "EPSG:32633", "dst_crs": "EPSG:32633", "resampling": Resampling.nearest}
    reproject(array, out, src_transform=source.affine, dst_transform=shifted.affine, **options)
    assert np.array_equal(to_grid(array, source, shifted), out)


def test_a_source_centre_on_a_boundary_goes_to_the_cell_east_and_south() -> None:
    source = Grid.of_bounds(32633, (60, 0, 540, 480), 120)
    target = Grid.of_bounds(32633, (0, -60, 600, 540), 120)
    array = np.arange(1, 17, dtype=np.uint16).reshape(4, 4)
    found = to_grid(array, source, target)
    # The centre of the first pixel, (120, 420), is a corner of the target: the cell with x from 120, y down from 420.
    assert np.array_equal(found[1:, 1:], array)
    assert not found[0].any()
    assert not found[:, 0].any()


def test_the_same_edges_are_cut_and_padded() -> None:
    source = Grid.of_bounds(32633, (0, 0, 100, 100), 10)
    array = random(source, np.float32, bands=2)
    found = to_grid(array, source, source.window(-2, 3, 5, 12), nodata=np.nan)
    assert np.array_equal(found[:, 2:, :7], array[:, :3, 3:])
    assert np.isnan(found[:, :2]).all()
    assert np.isnan(found[:, :, 7:]).all()
    assert not to_grid(array, source, source.window(40, 40, 2, 2)).any()


@pytest.mark.parametrize(
    ("source", "pixel", "target", "dtype"),
    [
        (32634, 10.0, 32633, np.uint16),
        (32634, 20.0, 32633, np.uint8),
        (32634, 60.0, 32633, np.float32),
        (3035, 100.0, 32633, np.uint8),
        (32733, 10.0, 32633, np.uint16),
    ],
)
def test_another_crs_equals_gdal(source: int, pixel: float, target: int, dtype: Any) -> None:
    middle = transformer(4326, source).transform(17.9, 46.1)
    west, north = round(middle[0] / 60) * 60 - 3000, round(middle[1] / 60) * 60 + 3000
    grid = Grid(
        epsg=source,
        west=west,
        north=north,
        pixel_width=pixel,
        pixel_height=pixel,
        width=round(6000 / pixel),
        height=round(6000 / pixel),
    )
    wanted = Grid.of_bounds(target, neighbour(source, target, middle, 7200), 10)  # type: ignore[arg-type]
    array = random(grid, dtype)
    found, peer = to_grid(array, grid, wanted), gdal(array, grid, wanted)
    assert np.mean(found == peer) >= 0.9999
    assert 0.5 < np.mean(found != 0) < 0.75
    assert np.array_equal(to_grid(np.stack([array, array]), grid, wanted), np.stack([found, found]))


def test_where_coordinates_are_not_smooth_every_pixel_is_transformed() -> None:
    source = Grid(epsg=4326, west=-180, north=80, pixel_width=2, pixel_height=2, width=180, height=80)
    target = Grid(
        epsg=3035,
        west=-9e6,
        north=9e6,
        pixel_width=1e5,
        pixel_height=1e5,
        width=180,
        height=180,
    )
    array = random(source)
    x, y = np.meshgrid(target.west + np.arange(0.5, 180) * 1e5, target.north - np.arange(0.5, 180) * 1e5)
    lon, lat = transformer(3035, 4326).transform(x, y)
    wanted = np.zeros(target.shape, np.uint16)
    for row, column in np.ndindex(target.shape):
        place = (80 - lat[row, column]) / 2, (lon[row, column] + 180) / 2
        if np.isfinite(place).all() and 0 < place[0] <= 80 and 0 < place[1] <= 180:
            wanted[row, column] = array[ceil(place[0] - 1e-6) - 1, ceil(place[1] - 1e-6) - 1]
    assert np.array_equal(to_grid(array, source, target), wanted)


@settings(deadline=None, max_examples=20)
@given(row=st.integers(0, 500), column=st.integers(0, 500))
def test_a_window_is_cut_as_the_whole_is(row: int, column: int) -> None:
    source = Grid.of_bounds(32634, (200_040, 5_100_000, 206_040, 5_106_000), 20)
    middle = ((source.west + source.east) / 2, (source.south + source.north) / 2)
    target = Grid.of_bounds(32633, neighbour(32634, 32633, middle, 6000), 10)  # type: ignore[arg-type]
    array = random(source)
    whole = to_grid(array, source, target)
    part = to_grid(array, source, target.window(row, column, 90, 70))
    assert np.array_equal(part, whole[row : row + 90, column : column + 70])


def test_what_does_not_go_together_is_refused() -> None:
    grid = Grid.of_bounds(32633, (0, 0, 100, 100), 10)
    with pytest.raises(InvalidValueError, match=r"\(9, 10\)"):
        to_grid(np.zeros((9, 10)), grid, grid)
    with pytest.raises(InvalidValueError, match="one CRS"):
        nearest_indices(grid, Grid.of_bounds(32634, (0, 0, 100, 100), 10))
    with pytest.raises(InvalidValueError, match="factor"):
        repeat(np.zeros((2, 2)), 0)


@settings(deadline=None)
@given(st.floats(-90, 90), st.floats(-90, 90), st.sampled_from([10.0, 20.0]))
def test_interpolation_is_bilinear_between_pixel_centres(east: float, north: float, pixel: float) -> None:
    source = Grid.of_bounds(32633, (0, 0, 600, 600), pixel)
    values = random(source)
    target = Grid.of_bounds(32633, (120 + east, 120 + north, 480 + east, 480 + north), 10)
    x = (target.west - source.west + np.arange(5, 360, 10)) / pixel - 0.5
    y = (source.north - target.north + np.arange(5, 360, 10)) / pixel - 0.5
    wanted = map_coordinates(values.astype(float), np.meshgrid(y, x, indexing="ij"), order=1)
    found = interpolated(values, source, target)
    assert found.dtype == np.uint16
    assert np.abs(found - wanted).max() <= 0.5 + 1e-6


def test_interpolation_across_zones_follows_the_ground() -> None:
    """A plane stays a plane: its value at each centre is that of the centre's place in the other zone."""
    source = Grid.of_bounds(32632, (699_960, 5_560_020, 709_980, 5_570_040), 10)
    west, south, east, north = neighbour(32632, 32633, (705_000, 5_565_000), 3_000)
    target = Grid.of_bounds(32633, (west, south, east, north), 10)
    plane = 1_000 + 3 * np.arange(source.width)[None] + 2 * np.arange(source.height)[:, None]
    x, y = np.meshgrid(target.west + np.arange(5, 3_000, 10), target.north - np.arange(5, 3_000, 10))
    x, y = transformer(32633, 32632).transform(x, y)
    wanted = 1_000 + 3 * ((x - source.west) / 10 - 0.5) + 2 * ((source.north - y) / 10 - 0.5)
    found = interpolated(plane.astype(np.uint16), source, target)
    assert np.abs(found - wanted).max() <= 0.51


def test_interpolation_takes_nothing_from_nodata_and_keeps_what_is_saturated() -> None:
    source = Grid.of_bounds(32633, (0, 0, 60, 10), 10)
    values = np.array([[500, 0, 700, 800, 65_535, 900]], np.uint16)
    half = Grid.of_bounds(32633, (5, 0, 65, 10), 10)
    assert interpolated(values, source, half).tolist() == [[0, 0, 750, 65_535, 65_535, 900]]
    assert interpolated(values, source, source).tolist() == values.tolist()
    assert not interpolated(values, source, Grid.of_bounds(32633, (600, 0, 660, 10), 10)).any()
    with pytest.raises(InvalidValueError, match="an array of"):
        interpolated(values[:, :3], source, source)
