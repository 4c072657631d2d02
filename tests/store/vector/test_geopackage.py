"""What a GeoPackage says of itself, without a query of its own being run."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import geopandas
import pytest
import shapely
from tests.cases.vector_files import FORMS, parcels

from landloom.errors import InvalidInputError, StoreError
from landloom.store.vector.geopackage import feature_tables, rows_without_place

if TYPE_CHECKING:
    from pathlib import Path


def test_tables_and_rows_that_the_index_lacks(tmp_path: Path) -> None:
    bare = geopandas.GeoDataFrame({"id": [8, 9]}, geometry=[None, shapely.Polygon()], crs=32633)
    path = FORMS["gpkg"](geopandas.pd.concat([bare, parcels()]), tmp_path)
    assert feature_tables(path, "p.gpkg") == {"p": "geom"}
    assert rows_without_place(path, "p.gpkg", "p", "geom") == [1, 2]
    plain = tmp_path / "q.gpkg"
    parcels().to_file(plain, SPATIAL_INDEX="NO")
    assert rows_without_place(plain, "q.gpkg", "q", "geom") is None


def test_what_is_no_geopackage_is_said(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.gpkg") as database:
        database.execute("create table a (b)")
    database.close()
    with pytest.raises(InvalidInputError, match=r"a\.gpkg: got a SQLite database without layers"):
        feature_tables(tmp_path / "a.gpkg", "a.gpkg")
    with sqlite3.connect(tmp_path / "a.gpkg") as database:
        database.execute("create table gpkg_geometry_columns (b)")
        database.execute("create view gpkg_contents as select 1")
    database.close()
    with pytest.raises(InvalidInputError, match="the view gpkg_contents, expected a table"):
        feature_tables(tmp_path / "a.gpkg", "a.gpkg")
    (tmp_path / "b.gpkg").write_bytes(b"SQLite format 3\x00" + b"x" * 4096)
    with pytest.raises(StoreError, match=r"cannot read b\.gpkg"):
        feature_tables(tmp_path / "b.gpkg", "b.gpkg")
