"""Assignment, masks, bits and distances against brute force over shapely; and what happens to bad parcels."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labels.whole import rasterise_parcels

from landloom.errors import InvalidInputError, NotFoundError
from landloom.labels.claims import Ambiguity
from landloom.labels.classes import class_mapping
from landloom.labels.coverage import coverage_of
from landloom.labels.parcels import parcels_of
from landloom.model.grid import Grid, reproject

GRID = Grid.of_bounds(32633, (0, 0, 300, 200), 10)
BOW_TIE = shapely.Polygon([(0, 0), (50, 50), (50, 0), (0, 50)])


def table(shapes: list[Any], crs: int | None = 32633, **columns: Any) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame({"ground_truth": [1] * len(shapes), **columns}, geometry=shapes, crs=crs)


def scattered(seed: int, count: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    shapes = []
    for x, y, r in rng.uniform((0, 0, 5), (300, 200, 60), (count, 3)):
        shape = shapely.Point(x, y).buffer(r, quad_segs=int(rng.integers(1, 9)))
        shapes.append(shape.difference(shapely.Point(x, y).buffer(r / 3)) if rng.random() < 0.4 else shape)
    return [*shapes, shapely.box(100, 100, 150, 150), shapely.box(120, 100, 170, 150)]


@given(st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_every_layer_is_what_brute_force_says(seed: int, count: int) -> None:
    shapes = scattered(seed, count)
    codes = np.random.default_rng(seed).integers(1, 3, len(shapes))
    layers, _ = rasterise_parcels(table(shapes, ground_truth=codes, id=range(1, len(shapes) + 1)), GRID)
    claims = coverage_of(shapes, GRID)
    dense = np.zeros((len(shapes), GRID.height * GRID.width))
    dense[claims.polygon, claims.pixel] = claims.coverage
    for pixel in range(dense.shape[1]):
        row, column = divmod(pixel, GRID.width)
        touching = np.flatnonzero(dense[:, pixel] > 1e-9)
        full = np.flatnonzero(dense[:, pixel] >= 1 - 1e-9)
        if not len(touching):
            assert layers.ids[row, column] == layers.classes[row, column] == layers.ambiguity[row, column] == 0
            continue
        best = dense[touching, pixel].max()
        winner = touching[dense[touching, pixel] > best - 1e-9][0]
        assert layers.ids[row, column] == winner + 1
        assert layers.classes[row, column] == codes[winner]
        assert layers.ratios[row, column] == pytest.approx(best, abs=1e-7)
        mask = 2 if len(set(codes[full])) > 1 else int(len(set(codes[touching])) > 1)
        assert layers.masks[row, column] == mask
        bits = Ambiguity(int(layers.ambiguity[row, column])) & ~Ambiguity.EDGE
        others = codes[touching[touching != winner]]
        assert bool(bits & Ambiguity.PARTIAL) == bool((others != codes[winner]).any())
        assert bool(bits & Ambiguity.SAME_CLASS) == bool((others == codes[winner]).any())
        assert bool(bits & Ambiguity.FULL) == (len(full) > 1)
        centre = shapely.Point(column * 10 + 5, GRID.north - row * 10 - 5)
        assert layers.distances[row, column] == pytest.approx(shapes[winner].boundary.distance(centre), abs=1e-4)


def test_distances_inside_one_large_parcel_of_many_vertices() -> None:
    grid = Grid.of_bounds(32633, (0, 0, 2000, 1500), 10)
    shape = shapely.Point(1000, 700).buffer(900, quad_segs=300)
    layers, _ = rasterise_parcels(table([shape]), grid, block=64)
    rows, columns = np.nonzero(layers.ids)
    centres = shapely.points(columns * 10 + 5, grid.north - rows * 10 - 5)
    assert np.abs(layers.distances[rows, columns] - shapely.distance(shape.boundary, centres)).max() < 1e-3


def test_rejected_parcels_are_all_in_the_table_with_a_reason() -> None:
    good = shapely.box(0, 0, 50, 50)
    shapes = [
        good,
        BOW_TIE,
        None,
        shapely.Polygon(),
        shapely.Point(1, 1),
        good,
        good,
        good,
        shapely.box(900, 0, 950, 50),
    ]
    ids = [1, 2, 3, 4, 5, 6, 7, 7, 8]
    values = [1, 1, 1, 1, 1, float("nan"), 1, 1, 1]
    layers, located = rasterise_parcels(table(shapes, id=ids, ground_truth=values), GRID)
    assert [(row.id, row.reason) for row in located.rejected] == [
        ("2", "Self-intersection[25 25]"),
        ("3", "no geometry"),
        ("4", "empty geometry"),
        ("5", "got a Point, expected a polygon"),
        ("6", "no ground truth"),
        ("7", "id 7 occurs 2 times"),
        ("7", "id 7 occurs 2 times"),
        ("8", "outside the grid"),
    ]
    assert np.unique(layers.ids).tolist() == [0, 1]


def test_invalid_geometries_can_be_repaired_and_are_listed() -> None:
    parcels = parcels_of(table([BOW_TIE, None], id=[1, 2]), invalid="repair")
    assert [(row.id, row.reason) for row in parcels.repaired] == [("1", "Self-intersection[25 25]")]
    assert [row.id for row in parcels.rejected] == ["2"]
    assert parcels.geometries[0].area == pytest.approx(1250)


def test_validity_selects_years_and_days() -> None:
    shapes = [shapely.box(x, 0, x + 10, 10) for x in range(0, 60, 10)]
    frame = table(
        shapes,
        id=range(1, 7),
        year=[2019, 2020, 2021, None, None, None],
        valid_from=[None, None, None, "2020-09-01", "2021-09-01", None],
        valid_to=[None, None, None, "2021-08-31", None, "2020-08-31"],
    )
    assert parcels_of(frame).ids.tolist() == [1, 2, 3, 4, 5, 6]
    season = parcels_of(frame, period=("2020-09-01", "2021-09-01"))
    assert season.ids.tolist() == [2, 3, 4]
    assert [row.reason for row in season.rejected] == [
        "valid 2019-01-01 to 2019-12-31, not in 2020-09-01 to 2021-09-01",
        "valid 2021-09-01 to 9999-12-31, not in 2020-09-01 to 2021-09-01",
        "valid 0001-01-01 to 2020-08-31, not in 2020-09-01 to 2021-09-01",
    ]


def test_a_crs_for_each_row_is_honoured() -> None:
    here = shapely.box(500_000, 5_000_000, 500_100, 5_000_100)
    grid = Grid.of_bounds(32633, (500_000, 5_000_000, 500_200, 5_000_100), 10)
    there = reproject(shapely.transform(here, lambda v: v + np.array([100.0, 0.0])), 32633, 3035)
    frame = table([here, there], crs=None)
    frame["epsg"] = ["EPSG:32633", 3035]
    layers, _ = rasterise_parcels(frame, grid, columns={"crs": "epsg"})
    assert (layers.ratios > 0.999).all()
    assert len(np.unique(layers.ids)) == 2
    frame["epsg"] = ["WGS", 3035]
    with pytest.raises(InvalidInputError, match=r"no EPSG code in `crs` of rows \[0\]"):
        parcels_of(frame, columns={"crs": "epsg"})


def test_parcels_without_a_crs_or_far_from_the_grid_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="without a CRS"):
        parcels_of(table([BOW_TIE], crs=None))
    with pytest.raises(InvalidInputError, match="no parcel lies on the grid: got parcels at"):
        rasterise_parcels(table([shapely.box(15, 46, 16, 47)]), Grid.of_bounds(32633, (500_000, 0, 500_010, 10), 10))
    with pytest.raises(NotFoundError, match="crop"):
        parcels_of(table([BOW_TIE]), columns={"ground_truth": "crops"}, classes={})
    with pytest.raises(NotFoundError, match="role"):
        parcels_of(table([BOW_TIE]), columns={"label": "ground_truth"})


def test_ids_may_be_text_or_missing() -> None:
    shapes = [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(20, 0, 30, 10)]
    named = parcels_of(table(shapes, id=["b", "a", "c"]))
    assert (named.ids.tolist(), named.names) == ([1, 2, 3], ("a", "b", "c"))
    assert named.geometries[0].bounds[0] == 10
    as_text = parcels_of(table(shapes, id=["30", "10", str(2**53 + 1)]))
    assert (as_text.ids.tolist(), as_text.names) == ([10, 30, 2**53 + 1], ())
    zero = parcels_of(table(shapes, id=[0, 1, 2]))
    assert (zero.ids.tolist(), zero.names) == ([1, 2, 3], ("0", "1", "2"))
    forward, backward = parcels_of(table(shapes)), parcels_of(table(shapes[::-1]))
    assert shapely.equals(forward.geometries, backward.geometries).all()


def test_regression_keeps_numbers_and_nan() -> None:
    shapes = [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(20, 0, 30, 10)]
    frame = table(shapes, id=[1, 2, 3], ground_truth=["0.25", "3e3", "much"])
    layers, located = rasterise_parcels(frame, GRID, regression=True)
    assert layers.classes.dtype == np.float32
    assert layers.classes[-1, :2].tolist() == [0.25, 3000]
    assert np.isnan(layers.classes[-1, 2])
    assert located.rejected[0].reason == "got ground truth 'much', expected a finite number"


def test_classes_are_mapped_several_to_one_with_a_policy() -> None:
    values = ["wheat", "maize", "vines", 513, "0513"]
    classes = {"wheat": 1, "maize": 1, 513: 2}
    with pytest.raises(InvalidInputError, match="'0513', 'vines'"):
        class_mapping(values, classes)
    codes = {
        policy: class_mapping(values, classes, unmapped=policy).codes["vines"]
        for policy in ("unknown", "background", "ignore")
    }
    assert codes == {"unknown": 254, "background": 0, "ignore": 255}
    from_0 = class_mapping(values, {**classes, "vines": 0}, unmapped="ignore")
    assert (from_0.codes["vines"], from_0.background, from_0.ignore) == (0, 253, 255)
    with pytest.raises(InvalidInputError, match="background's"):
        class_mapping(values, {**classes, "vines": 0}, unmapped="ignore", background=0)
    with pytest.raises(InvalidInputError, match="expected them different"):
        class_mapping(values, classes, unmapped="ignore", ignore=0)
    with pytest.raises(InvalidInputError, match="whole number"):
        class_mapping(values, {"wheat": -1}, unmapped="ignore")
    with pytest.raises(InvalidInputError, match="expected one"):
        class_mapping([1], {1: 1, "1": 2})


def test_the_class_map_has_the_smallest_type_and_a_record() -> None:
    assert class_mapping([252]).dtype == np.uint8
    assert class_mapping([253]).dtype == np.uint16
    assert class_mapping([65533]).dtype == np.uint32
    text = class_mapping(["b", "a"])
    assert text.codes == {"a": 1, "b": 2}
    assert text.rows() == [
        {"value": "a", "code": 1, "role": "class"},
        {"value": "b", "code": 2, "role": "class"},
        {"value": "", "code": 0, "role": "background"},
        {"value": "", "code": 254, "role": "unknown"},
        {"value": "", "code": 255, "role": "ignore"},
    ]
