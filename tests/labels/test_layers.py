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

from landloom.errors import InvalidInputError
from landloom.labels.claims import Ambiguity
from landloom.labels.classes import class_mapping
from landloom.labels.coverage import coverage_of
from landloom.model.grid import Grid

GRID = Grid.of_bounds(32633, (0, 0, 300, 200), 10)


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
    with pytest.raises(InvalidInputError, match="expected different ones"):
        class_mapping(values, classes, unmapped="ignore", ignore=0)
    with pytest.raises(InvalidInputError, match="whole number"):
        class_mapping(values, {"wheat": -1}, unmapped="ignore")
    with pytest.raises(InvalidInputError, match="expected one"):
        class_mapping([1], {1: 1, "1": 2})
