"""What is read of a table of parcels, and what becomes of rows that cannot be used."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from tests.labels.whole import rasterise_parcels

from landloom.errors import InvalidInputError, NotFoundError
from landloom.labels.parcels import parcels_of
from landloom.model.grid import Grid
from landloom.model.shapes import reproject

GRID = Grid.of_bounds(32633, (0, 0, 300, 200), 10)


BOW_TIE = shapely.Polygon([(0, 0), (50, 50), (50, 0), (0, 50)])


def table(shapes: list[Any], crs: int | None = 32633, **columns: Any) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame({"ground_truth": [1] * len(shapes), **columns}, geometry=shapes, crs=crs)


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
    (lost,) = parcels_of(frame, columns={"crs": "epsg"}).rejected
    assert (lost.id, lost.reason) == ("row 0", "got CRS 'WGS', expected an EPSG code, such as EPSG:32633, or WKT")


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
    assert (zero.ids.tolist(), zero.names, zero.nobody) == ([0, 1, 2], (), -1)
    forward, backward = parcels_of(table(shapes)), parcels_of(table(shapes[::-1]))
    assert shapely.equals(forward.geometries, backward.geometries).all()
