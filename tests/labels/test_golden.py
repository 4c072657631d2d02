"""The golden cases: a 10 m grid, and what any rasteriser of parcels must say of it."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from tests.labels.whole import clipped_ids, rasterise_parcels

from landloom.labels.claims import Ambiguity
from landloom.labels.layers import LAYERS, ParcelLayers
from landloom.model.grid import Grid
from landloom.model.shapes import reproject

GRID = Grid.of_bounds(32633, (500_000, 5_000_000, 500_600, 5_000_600), 10)


def square(west: float, south: float, size: float = 200, height: float | None = None) -> Any:
    """A square by its offset from the grid's south-west corner."""
    x, y = 500_000 + west, 5_000_000 + south
    return shapely.box(x, y, x + size, y + (height or size))


def frame(shapes: list[Any], codes: list[Any], ids: list[int] | None = None) -> geopandas.GeoDataFrame:
    table = {"id": ids or list(range(1, len(shapes) + 1)), "ground_truth": codes}
    return geopandas.GeoDataFrame(table, geometry=shapes, crs=32633)


def layers_of(shapes: list[Any], codes: list[Any], ids: list[int] | None = None) -> ParcelLayers:
    return rasterise_parcels(frame(shapes, codes, ids), GRID)[0]


def test_an_aligned_square_is_400_full_pixels_with_exact_distances() -> None:
    layers = layers_of([square(100, 100)], [3])
    assert (layers.classes == 3).sum() == (layers.ids == 1).sum() == (layers.ratios == 1).sum() == 400
    assert layers.valid.sum() == 400
    assert not layers.boundary.any()
    assert (layers.ids[30:50, 10:30] == 1).all()
    steps = np.arange(5, 100, 10)
    assert layers.distances[39, 10:30].tolist() == [*steps, *steps[::-1]]
    assert np.isnan(layers.distances[layers.ids == 0]).all()
    assert not layers.masks.any()
    assert not layers.ambiguity.any()


def test_an_aligned_hole_of_40_m_leaves_384() -> None:
    shape = square(100, 100).difference(square(180, 180, 40))
    layers = layers_of([shape], [3])
    assert (layers.ids == 1).sum() == (layers.ratios == 1).sum() == 384
    assert (layers.classes[layers.ids == 0] == 0).all()
    assert layers.distances[39, 10:18].tolist() == [5, 15, 25, 35, 35, 25, 15, 5]


def test_a_square_moved_by_4_m_has_361_full_pixels_and_known_shares() -> None:
    layers = layers_of([square(104, 104)], [3])
    assert (layers.ratios == 1).sum() == 361
    ratios = layers.ratios[layers.ids == 1].reshape(21, 21)
    assert ratios[1:-1, 0] == pytest.approx(np.full(19, 0.6), abs=1e-7)
    assert ratios[1:-1, -1] == pytest.approx(np.full(19, 0.4), abs=1e-7)
    assert ratios[0, 1:-1] == pytest.approx(np.full(19, 0.4), abs=1e-7)
    assert ratios[-1, 1:-1] == pytest.approx(np.full(19, 0.6), abs=1e-7)
    corners = sorted(float(ratios[r, c]) for r in (0, -1) for c in (0, -1))
    assert corners == pytest.approx([0.16, 0.24, 0.24, 0.36], abs=1e-7)
    assert layers.boundary.sum() == 441 - 361


def test_an_overlap_of_5_m_of_two_classes_is_partial_not_full() -> None:
    layers = layers_of([square(100, 100), square(295, 100)], [1, 2])
    doubtful = layers.ambiguity != 0
    assert doubtful.sum() == 20
    assert np.flatnonzero(doubtful.any(axis=0)).tolist() == [29]
    column = (slice(30, 50), 29)
    assert (layers.ids[column] == 1).all()
    assert (layers.ratios[column] == 1).all()
    assert (layers.ambiguity[column] == Ambiguity.PARTIAL).all()
    assert (layers.masks[column] == 1).all()
    other = layers_of([square(295, 100)], [2])
    assert (other.ratios[column] == 0.5).all()


def test_the_same_overlap_of_one_class_is_no_conflict() -> None:
    layers = layers_of([square(100, 100), square(295, 100)], [1, 1])
    assert not layers.masks.any()
    assert not (layers.ambiguity & (Ambiguity.PARTIAL | Ambiguity.FULL)).any()
    assert (layers.ambiguity == Ambiguity.SAME_CLASS).sum() == 20


def test_two_parcels_on_the_same_pixels_are_a_geocoding_error() -> None:
    layers = layers_of([square(100, 100), square(100, 100)], [1, 2], [9, 4])
    assert (layers.ids[layers.ids > 0] == 4).all()
    assert (layers.masks == 2).sum() == ((layers.ambiguity & Ambiguity.FULL) > 0).sum() == 400
    same = layers_of([square(100, 100), square(100, 100)], [1, 1])
    assert not same.masks.any()
    assert ((same.ambiguity & Ambiguity.FULL) > 0).sum() == 400


def test_200_interior_parcels_are_all_kept() -> None:
    rng = np.random.default_rng(4)
    shapes = [
        shapely.Point(500_000 + x, 5_000_000 + y).buffer(rng.uniform(8, 14.9))
        for x in range(15, 600, 30)
        for y in range(30, 600, 60)
    ]
    assert len(shapes) == 200
    layers, located = rasterise_parcels(frame(shapes, [1] * 200), GRID)
    assert len(np.unique(layers.ids)) == 201
    assert located.rejected == ()


def test_a_polygon_across_the_edge_is_clipped_flagged_and_no_background() -> None:
    layers, located = rasterise_parcels(frame([square(-100, 100), square(300, 100)], [7, 8]), GRID)
    assert clipped_ids(located) == (1,)
    assert (layers.classes == 7).sum() == 200
    assert (layers.ambiguity[layers.ids == 1] == Ambiguity.EDGE).all()
    assert not layers.ambiguity[layers.ids == 2].any()
    assert layers.distances[39, 0] == pytest.approx(95)


def test_ids_above_2_to_the_24_and_the_53_survive() -> None:
    ids = [2**24 + 1, 2**53 + 1, 2**63 - 1]
    layers = layers_of([square(0, 0), square(200, 0), square(400, 0)], [1, 1, 1], ids)
    assert sorted(np.unique(layers.ids[layers.ids > 0]).tolist()) == ids


def test_class_0_is_kept_apart_from_background() -> None:
    layers, located = rasterise_parcels(frame([square(0, 0), square(200, 0)], [0, 4]), GRID)
    mapping = located.parcels.mapping
    assert mapping is not None
    assert mapping.codes == {"0": 1, "4": 5}
    assert mapping.background == 0
    assert np.unique(layers.classes).tolist() == [0, 1, 5]
    assert (layers.classes == 1).sum() == 400


def test_any_order_of_rows_and_any_block_gives_the_same_bytes() -> None:
    rng = np.random.default_rng(8)
    shapes = [
        shapely.Point(500_000 + x, 5_000_000 + y).buffer(r) for x, y, r in rng.uniform(20, 580, (80, 3)) / (1, 1, 6)
    ]
    codes = rng.integers(1, 4, 80).tolist()
    whole, _ = rasterise_parcels(frame(shapes, codes), GRID)
    for block in (7, 32, 1024):
        order = rng.permutation(80)
        table = frame([shapes[i] for i in order], [codes[i] for i in order], [int(i) + 1 for i in order])
        other, _ = rasterise_parcels(table, GRID, block=block)
        for name in LAYERS:
            assert getattr(other, name).tobytes() == getattr(whole, name).tobytes(), (name, block)


@pytest.mark.parametrize("resolution", [2.5, 5, 20, 60])
def test_labels_finer_and_coarser_than_the_imagery(resolution: float) -> None:
    shapes = [square(104, 104), square(290, 100, 133)]
    layers, _ = rasterise_parcels(frame(shapes, [1, 2]), GRID.at(resolution))
    area = sum(float(layers.ratios[layers.ids == k].sum()) * resolution**2 for k in (1, 2))
    union = shapely.union_all(shapes).area
    if resolution == 2.5:
        assert area == pytest.approx(union, rel=1e-2)
    assert layers.ids.shape == (600 / resolution, 600 / resolution)
    assert area <= sum(shape.area for shape in shapes)


def test_parcels_of_lambert_93_agree_with_shapely_on_granule_32t() -> None:
    west, south = reproject(shapely.Point(6.5, 44.0), 4326, 32632).coords[0]
    west, south = west // 60 * 60, south // 60 * 60
    grid = Grid.of_bounds(32632, (west, south, west + 2400, south + 2400), 10)
    rng = np.random.default_rng(2)
    local = [shapely.Point(west + x, south + y).buffer(150, quad_segs=6) for x, y in rng.uniform(300, 2100, (12, 2))]
    lambert = [reproject(shape, 32632, 2154) for shape in local]
    table = geopandas.GeoDataFrame({"id": range(1, 13), "ground_truth": range(1, 13)}, geometry=lambert, crs=2154)
    layers, located = rasterise_parcels(table, grid)
    for shape, place in zip(located.parcels.geometries, local, strict=True):
        assert shapely.hausdorff_distance(shape, place) < 0.01
    rows, columns = np.mgrid[:240, :240]
    pixels = shapely.box(
        west + columns * 10, grid.north - rows * 10 - 10, west + columns * 10 + 10, grid.north - rows * 10
    )
    shares = np.array([shapely.area(shapely.intersection(pixels, shape)) / 100 for shape in local])
    best = shares.max(axis=0)
    # A centimetre along the edge of a pixel of 10 m is a thousandth of it.
    assert np.abs(layers.ratios - best).max() < 2e-3
    sure = np.sort(shares, axis=0)[-2] < best - 2e-3
    assert (layers.ids[sure] == shares.argmax(axis=0)[sure] + 1).all()
