"""Fractions against shapely's areas and brute force, and what is said of bad label sources."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely

from landloom.errors import InvalidInputError
from landloom.labels.cell_blocks import outlines_in
from landloom.labels.fractions import fractions_from_polygons, fractions_from_raster, raster_window
from landloom.labels.polygons import label_polygons
from landloom.model.apportion import apportion
from landloom.model.grid import Grid
from landloom.model.ids import SampleId
from landloom.model.shapes import reproject
from landloom.model.taxonomy import taxonomy

CLC = taxonomy("clc")
WEST, NORTH = 499_800.0, 5_001_000.0


def cells(count: int = 6, size: float = 600, epsg: int = 32633) -> list[Grid]:
    return [
        Grid.of_bounds(epsg, (WEST + c * size, NORTH - (r + 1) * size, WEST + (c + 1) * size, NORTH - r * size), size)
        for r in range(count)
        for c in range(count)
    ]


def patchwork(seed: int = 0, count: int = 60) -> tuple[list[Any], list[str]]:
    rng = np.random.default_rng(seed)
    points = shapely.MultiPoint(np.column_stack((rng.uniform(-500, 4000, count), rng.uniform(-4000, 500, count))))
    shapes = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=shapely.box(-500, -4000, 4000, 500)))
    shapes = shapely.transform(shapes[: count - 5], lambda v: v + np.array([WEST, NORTH]))
    return list(shapes), [str(rng.choice(CLC.codes()[:-1])) for _ in shapes]


def truth(shapes: list[Any], codes: list[str], where: list[Grid]) -> np.ndarray[Any, np.dtype[np.float64]]:
    result = np.zeros((len(where), 45))
    for i, cell in enumerate(where):
        outline = cell.outline()
        for shape, code in zip(shapes, codes, strict=True):
            result[i, CLC.index[code]] += outline.intersection(shape).area / outline.area
    result[:, CLC.index["999"]] += 1 - result.sum(axis=1)
    return result


def test_polygons_give_shapelys_areas() -> None:
    shapes, codes = patchwork()
    table = fractions_from_polygons(shapes, codes, cells(), CLC, epsg=32633)
    expected = truth(shapes, codes, cells())
    assert np.abs(table.shares - expected).max() <= 1e-9
    assert (table.millionths.sum(axis=1) == 1_000_000).all()
    assert np.abs(table.millionths / 1e6 - expected).max() <= 1e-6
    assert (table.millionths == apportion(table.shares)).all()
    assert table.overlaps == ()


def test_order_of_rows_and_choice_of_cells_change_no_bit() -> None:
    shapes, codes = patchwork()
    shapes += [shapely.Point(WEST + 900, NORTH - 900).buffer(400), shapely.Point(WEST + 1300, NORTH - 900).buffer(400)]
    codes += ["512", "311"]
    whole = fractions_from_polygons(shapes, codes, cells(), CLC, epsg=32633)
    order = np.random.default_rng(3).permutation(len(shapes))
    shuffled = fractions_from_polygons([shapes[i] for i in order], [codes[i] for i in order], cells(), CLC, epsg=32633)
    assert (whole.shares == shuffled.shares).all()
    some = [20, 3, 17]
    alone = fractions_from_polygons(shapes, codes, [cells()[i] for i in some], CLC, epsg=32633)
    assert (alone.shares == whole.shares[some]).all()


def test_a_grid_is_as_good_as_its_cells() -> None:
    shapes, codes = patchwork()
    grid = Grid.of_bounds(32633, (WEST, NORTH - 3600, WEST + 3600, NORTH), 600)
    as_grid = fractions_from_polygons(shapes, codes, grid, CLC, epsg=32633)
    assert (as_grid.shares == fractions_from_polygons(shapes, codes, cells(), CLC, epsg=32633).shares).all()


def test_overlaps_are_reported_and_go_to_the_smaller_polygon() -> None:
    lake, island, same = shapely.box(0, 0, 600, 600), shapely.box(0, 0, 300, 300), shapely.box(0, 300, 300, 600)
    cell = Grid.of_bounds(32633, (0, 0, 600, 600), 600)
    for order in ([0, 1, 2], [2, 1, 0]):
        shapes, codes = [(lake, island, same)[i] for i in order], [("512", "311", "211")[i] for i in order]
        table = fractions_from_polygons(shapes, codes, [cell], CLC, epsg=32633)
        assert {c: int(table.of(c)[0]) for c in ("512", "311", "211")} == {
            "512": 500_000,
            "311": 250_000,
            "211": 250_000,
        }
        assert sorted((item.codes, item.area) for item in table.overlaps) == [
            (("211", "512"), 90_000),
            (("311", "512"), 90_000),
        ]
    twins = fractions_from_polygons([lake, lake], ["512", "311"], [cell], CLC, epsg=32633)
    assert twins.of("311").tolist() == [1_000_000]
    assert str(twins.overlaps[0]) == "row 1 (311) and row 0 (512) share 360000"


def test_touching_neighbours_are_no_overlap() -> None:
    shapes, codes = patchwork(4)
    assert label_polygons(shapes, codes, CLC, epsg=32633).overlaps == ()


def test_edges_of_another_crs_lie_where_they_run() -> None:
    shapes, codes = patchwork()
    moved = [reproject(shape, 32633, 3035) for shape in shapes]
    back = [reproject(shapely.segmentize(shape, 20.0), 3035, 32633) for shape in moved]
    table = fractions_from_polygons(moved, codes, cells(), CLC, epsg=3035)
    assert np.abs(table.shares - truth(back, codes, cells())).max() <= 3e-5
    assert table.shares.sum(axis=1) == pytest.approx(1)


def test_bad_label_sources_name_their_rows() -> None:
    good, bow_tie = shapely.box(0, 0, 600, 600), shapely.Polygon([(0, 0), (600, 600), (600, 0), (0, 600)])
    cell = Grid.of_bounds(32633, (0, 0, 600, 600), 600)
    with pytest.raises(InvalidInputError, match="without a CRS"):
        fractions_from_polygons([good], ["311"], [cell], CLC, epsg=None)
    with pytest.raises(InvalidInputError, match="one code for each"):
        fractions_from_polygons([good], [], [cell], CLC, epsg=32633)
    shapes = [good, bow_tie, None, shapely.Polygon(), shapely.Point(0, 0)]
    with pytest.raises(InvalidInputError) as caught:
        fractions_from_polygons(shapes, ["311", "311", "311", "31", float("nan")], [cell], CLC, epsg=32633)
    text = str(caught.value)
    assert "6 bad rows" in text
    for part in ("1: Self-int", "2: no geom", "3: empty", "4: got a Point", "3: no class", "4: no class"):
        assert f"row {part}" in text
    with pytest.raises(InvalidInputError) as many:
        fractions_from_polygons([good] * 30, ["x"] * 30, [cell], CLC, epsg=32633)
    assert "30 bad rows" in str(many.value)
    assert "and 10 more" in str(many.value)


def test_bad_geometries_are_repaired_or_dropped_with_a_report() -> None:
    bow_tie = shapely.Polygon([(0, 0), (600, 600), (600, 0), (0, 600)])
    cell = Grid.of_bounds(32633, (0, 0, 600, 600), 600)
    codes = ["311", "311"]
    mended = fractions_from_polygons([bow_tie, None], codes, [cell], CLC, epsg=32633, invalid="repair")
    assert mended.of("311").tolist() == [500_000]
    assert [problem.where for problem in mended.problems] == ["row 0", "row 1"]
    dropped = fractions_from_polygons([bow_tie, None], codes, [cell], CLC, epsg=32633, invalid="drop")
    assert dropped.of("999").tolist() == [1_000_000]
    assert len(dropped.problems) == 2


def raster_of(grid: Grid, seed: int = 1, dtype: str = "uint8") -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(1, 45, (grid.height // 3 + 1, grid.width // 3 + 1))
    return np.kron(coarse, np.ones((3, 3), int))[: grid.height, : grid.width].astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32"])
def test_an_aligned_raster_is_counted(dtype: str) -> None:
    grid = Grid.of_bounds(32633, (WEST, NORTH - 3000, WEST + 3000, NORTH), 100)
    raster = raster_of(grid, dtype=dtype)
    table = fractions_from_raster(raster, grid, cells(), CLC)
    for place, cell in enumerate(cells()):
        row, column = cell.at(100).offset_in(grid)
        inside = raster[row : row + 6, column : column + 6]
        counts = np.zeros(45)
        for value in inside.ravel():
            counts[CLC.index[CLC.grid_codes[int(value)]]] += 1
        counts[-1] = 36 - inside.size
        assert table.shares[place] == pytest.approx(counts / 36, abs=1e-15)


def test_a_raster_off_the_cells_edges_is_weighed() -> None:
    grid = Grid.of_bounds(32633, (WEST - 30, NORTH - 3970, WEST + 3970, NORTH + 30), 100)
    raster = raster_of(grid)
    table = fractions_from_raster(raster, grid, cells(), CLC)
    fine = Grid.of_bounds(32633, grid.bounds, 10)
    counted = fractions_from_raster(np.kron(raster, np.ones((10, 10), np.uint8)), fine, cells(), CLC)
    assert np.abs(table.shares - counted.shares).max() <= 1e-12


def test_a_raster_of_another_crs_weighs_pixels_by_the_cells_true_outline() -> None:
    sample = SampleId.parse("33N_16E-243N_29_01").grid(10)
    where = [sample, sample.window(0, 60, 60, 60), sample.window(200, 400, 60, 60)]
    corner = shapely.union_all(outlines_in(where, 3035)).bounds
    west, south = (corner[0] // 100) * 100, (corner[1] // 100) * 100
    grid = Grid.of_bounds(3035, (west, south, west + 6000, south + 6000), 100)
    raster = raster_of(grid, 5)
    table = fractions_from_raster(raster, grid, where, CLC)
    for place, cell in enumerate(where):
        outline = reproject(shapely.segmentize(cell.outline(), 1.0), cell.epsg, 3035)
        expected = np.zeros(45)
        for row, column in np.ndindex(grid.shape):
            part = grid.window(row, column, 1, 1).outline().intersection(outline).area
            expected[CLC.index[CLC.grid_codes[int(raster[row, column])]]] += part / outline.area
        expected[-1] += 1 - expected.sum()
        assert np.abs(table.shares[place] - expected).max() <= 1e-9


def test_the_window_needed_is_enough_and_small() -> None:
    sample = SampleId.parse("33N_16E-243N_29_01").grid(10)
    west, south, _, _ = (v // 100 * 100 for v in outlines_in([sample], 3035)[0].bounds)
    grid = Grid.of_bounds(3035, (west - 5000, south - 5000, west + 5000, south + 5000), 100)
    raster = raster_of(grid, 8)
    window = raster_window([sample], grid)
    assert window is not None
    row, column, height, width = window
    assert max(height, width) <= 10
    part = fractions_from_raster(
        raster[row : row + height, column : column + width], grid.window(*window), [sample], CLC
    )
    assert np.abs(part.shares - fractions_from_raster(raster, grid, [sample], CLC).shares).max() <= 1e-12
    assert raster_window([sample], grid.window(0, 0, 5, 5)) is None
    nothing = fractions_from_raster(raster[:5, :5], grid.window(0, 0, 5, 5), [sample], CLC)
    assert nothing.of("999").tolist() == [1_000_000]


def test_unknown_numbers_in_a_raster_are_named_and_nodata_is_not() -> None:
    grid = Grid.of_bounds(32633, (0, 0, 600, 600), 100)
    raster = np.full((6, 6), 255, np.uint8)
    raster[:, :3] = 23
    for shift in (0, 30):
        cell = [Grid.of_bounds(32633, (shift, 0, shift + 600, 600), 600)]
        with pytest.raises(InvalidInputError, match=r"\[255\]"):
            fractions_from_raster(raster, grid, cell, CLC)
        table = fractions_from_raster(raster, grid, cell, CLC, nodata=255)
        assert table.of("999")[0] == 500_000 + shift / 600 * 1_000_000
        mapped = fractions_from_raster(raster, grid, cell, CLC, codes={23: "111", 255: "523"})
        assert mapped.of("523")[0] == 500_000
    with pytest.raises(InvalidInputError, match="whole numbers"):
        fractions_from_raster(raster.astype(float), grid, cell, CLC)
