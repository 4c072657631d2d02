"""Whatever stands in a vector file: each row is read exactly or named with its reason, or the file is, in one error."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import geopandas
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cases.vector_files import FORMS, parcels

from landloom.engine.sources.check import check_source
from landloom.engine.sources.parcels import read_parcels
from landloom.errors import LandloomError
from landloom.model.recipe import LabelSource
from landloom.query.region import resolve_region
from landloom.store.vector import read_vector

SLOW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
SQUARE = shapely.box(500_000, 5_800_000, 500_020, 5_800_030)
SHAPES = st.sampled_from(
    [
        SQUARE,
        SQUARE,
        None,
        shapely.Polygon(),
        shapely.MultiPolygon([SQUARE, shapely.box(500_040, 5_800_000, 500_060, 5_800_030)]),
        shapely.force_3d(SQUARE, 7.0),
        shapely.Polygon([(500_000, 5_800_000), (500_020, 5_800_030), (500_020, 5_800_000), (500_000, 5_800_030)]),
        shapely.Polygon([(500_000, 5_800_000), (math.inf, 5_800_030), (500_020, 5_800_000)]),
        shapely.GeometryCollection([SQUARE, shapely.Point(500_000, 5_800_000)]),
        shapely.Point(500_000, 5_800_000),
    ]
)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=6)
IDS = st.one_of(
    st.lists(st.none() | st.integers(0, 2**63 - 1), min_size=1, max_size=6),
    st.lists(st.none() | WORDS, min_size=1, max_size=6),
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6),
)
TRUTHS = st.one_of(st.just("maize"), WORDS, st.none())
CRS = st.sampled_from([32633, 4326, "OGC:CRS84", "ESRI:102013", "EPSG:25833+7837"])


def cells(values: list[Any]) -> Any:
    """A column as a user's tool would hold it: whole numbers exact beside nulls."""
    if any(isinstance(value, int) for value in values):
        return geopandas.pd.array(values, dtype="Int64")
    return geopandas.pd.Series(values, dtype=None if any(isinstance(value, float) for value in values) else object)


@pytest.mark.parametrize("form", ["gpkg", "geojson", "shp", "parquet", "csv", "fgb"])
@SLOW
@given(ids=IDS, data=st.data(), crs=CRS)
def test_each_row_is_read_exactly_or_named(form: str, ids: list[Any], data: st.DataObject, crs: Any) -> None:
    shapes = [data.draw(SHAPES) for _ in ids]
    truths = [data.draw(TRUTHS) for _ in ids]
    frame = geopandas.GeoDataFrame({"id": cells(ids), "crop": truths}, geometry=shapes, crs=32633).to_crs(crs)
    with TemporaryDirectory() as folder:
        try:
            with warnings.catch_warnings(action="ignore"):
                path = FORMS[form](frame, Path(folder))
        except Exception:  # noqa: BLE001 - what a writer refuses, no reader sees
            return
        try:
            found = read_parcels(str(path), columns={"ground_truth": "crop"})
        except LandloomError as error:
            assert path.name in str(error)  # noqa: PT017 - either outcome is right
            return
        kept = len(read_vector(path))
    assert len(found) + len(found.rejected) == kept <= len(ids)
    assert all(row.reason for row in found.rejected)
    if all(isinstance(one, int) for one in ids) and not found.names:
        assert set(found.ids.tolist()) <= set(ids)
    assert shapely.is_valid(found.geometries).all()


@pytest.mark.parametrize("form", ["gpkg", "geojson", "shp", "parquet", "csv", "fgb", "kml", "topojson", "zip"])
@SLOW
@given(data=st.data())
def test_a_damaged_file_is_read_or_named(form: str, data: st.DataObject) -> None:
    """Cut anywhere, and with other bytes in places."""
    with TemporaryDirectory() as folder:
        path = FORMS[form](parcels(), Path(folder))
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(0, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        length = data.draw(st.just(len(content)) | st.integers(0, len(content)))
        path.write_bytes(content[:length])
        for read in (
            lambda name: read_parcels(name, columns={"ground_truth": "crop"}),
            lambda name: check_source(name, LabelSource(taxonomy="clc", file="x", column="crop", invalid="repair")),
            resolve_region,
        ):
            try:
                read(str(path))
            except LandloomError as error:
                assert path.stem in str(error)  # noqa: PT017 - either outcome is right
