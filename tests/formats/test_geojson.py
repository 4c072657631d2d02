"""GeoJSON against shapely and the examples of RFC 7946."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import shapely

from landloom.formats.geojson import feature, geometry

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

HOLED = shapely.Polygon([(0, 0), (0, 3), (3, 3), (3, 0)], [[(1, 1), (2, 1), (2, 2)]])


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(1.23456789, 2),
        shapely.LineString([(0, 0), (1, 1)]),
        HOLED,
        shapely.MultiPolygon([HOLED, shapely.box(5, 5, 6, 6)]),
        shapely.MultiPoint([(1, 2), (3, 4)]),
    ],
)
def test_shapely_reads_every_geometry_back(shape: BaseGeometry) -> None:
    text = json.dumps(geometry(shape, digits=None))
    assert shapely.equals_identical(shapely.from_geojson(text), shape)
    rounded = shapely.from_geojson(json.dumps(geometry(shape)))
    assert shapely.equals_exact(rounded, shape, tolerance=1e-7)


def test_features() -> None:
    one = feature(shapely.Point(1, 2), {"sample_id": "a"}, feature_id="a")
    document = [one, feature(HOLED, {})]
    assert document[0] == {
        "type": "Feature",
        "id": "a",
        "geometry": {"type": "Point", "coordinates": [1.0, 2.0]},
        "properties": {"sample_id": "a"},
    }
    assert "id" not in document[1]
