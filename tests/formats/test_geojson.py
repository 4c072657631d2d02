"""GeoJSON, gzip and digests against the standard library's own readers."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.formats.geojson import dump_json, feature, feature_collection, geometry, gunzip_bytes, gzip_bytes

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
    text = dump_json(geometry(shape, digits=None))
    assert shapely.equals_identical(shapely.from_geojson(text), shape)
    rounded = shapely.from_geojson(dump_json(geometry(shape)))
    assert shapely.equals_exact(rounded, shape, tolerance=1e-7)


def test_collections() -> None:
    one = feature(shapely.Point(1, 2), {"sample_id": "a"}, feature_id="a")
    document = json.loads(dump_json(feature_collection([one, feature(HOLED, {})])))
    assert document["features"][0] == {
        "type": "Feature",
        "id": "a",
        "geometry": {"type": "Point", "coordinates": [1.0, 2.0]},
        "properties": {"sample_id": "a"},
    }
    assert "id" not in document["features"][1]
    assert dump_json(document, indent=True).count(b"\n") > 10


@given(st.binary(max_size=2000), st.integers(1, 9))
def test_gzip_is_read_by_the_standard_library(data: bytes, level: int) -> None:
    packed = gzip_bytes(data, level)
    assert gzip.decompress(packed) == data
    assert gunzip_bytes(packed) == data
    assert gunzip_bytes(gzip.compress(data)) == data


def test_gzip_holds_no_time() -> None:
    first = gzip_bytes(b"data")
    time.sleep(1.1)
    assert gzip_bytes(b"data") == first


@pytest.mark.parametrize("broken", [b"", b"plain", gzip_bytes(b"data" * 99)[:-3]])
def test_broken_gzip_is_named(broken: bytes) -> None:
    with pytest.raises(InvalidInputError, match="gzip"):
        gunzip_bytes(broken)
