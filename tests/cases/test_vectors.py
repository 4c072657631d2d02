"""Every form of vector file in every command that reads one: the same answer, or the file and the reason."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio
import shapely
from tests.cases.vector_files import CROPS, FORMS, GRID, IDS, SOUTH, WEST, parcels, signed_server

from landloom.engine.sources.check import check_source
from landloom.engine.sources.parcels import read_parcels
from landloom.errors import InvalidInputError, LandloomError
from landloom.model.recipe import LabelSource
from landloom.query.region import resolve_region
from landloom.store.vector import Told, frame_crs, layers_with_geometry, read_vector

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

COLUMNS = ("--columns", "ground_truth=crop", "id=id")
SOURCE = LabelSource(taxonomy="clc", file="x", column="crop")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLOOM_CACHE", str(tmp_path_factory.mktemp("cache")))


def area(region: Any) -> float:
    return float(geopandas.GeoSeries([region.shape], crs=4326).to_crs(32633).area.sum())


def drawn(out: Path) -> dict[int, int]:
    """Id → pixels that a parcel covers but for rounding."""
    with rasterio.open(out / "ids.tif") as file, rasterio.open(out / "ratios.tif") as ratios:
        ids, counts = np.unique(np.where(ratios.read(1) > 0.99, file.read(1), 0), return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_parcels(form: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    path = FORMS[form](parcels(), tmp_path)
    read = read_vector(path)
    read = read.iloc[np.argsort(shapely.bounds(read.geometry.to_numpy())[:, 0])]  # FlatGeobuf sorts by place
    assert [int(value) for value in read["id"]] == list(IDS)
    assert read["crop"].tolist() == list(CROPS)
    assert shapely.hausdorff_distance(
        read.to_crs(32633).geometry.to_numpy(), parcels().geometry.to_numpy()
    ).max() < 0.01  # fmt: skip
    done = run("parcels", "rasterise", path, *GRID, *COLUMNS, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert drawn(tmp_path / "out") == {0: 42} | dict.fromkeys(IDS, 6)
    assert area(resolve_region(str(path))) == pytest.approx(1800, rel=1e-3)


@pytest.mark.parametrize("form", ["gpkg", "geojson", "parquet", "csv", "zip", "kml"])
def test_every_form_is_read_from_behind_a_signature(form: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    FORMS[form](parcels(), tmp_path).rename(tmp_path / "download")
    with signed_server(tmp_path) as address:
        href = f"{address}/download?sv=1&sig=a%2Fb"
        assert [int(value) for value in read_vector(href)["id"]] == list(IDS)
        done = run("parcels", "rasterise", href, *GRID, *COLUMNS, "--out", tmp_path / "out")
        assert done.code == 0, done.err
        assert area(resolve_region(href)) == pytest.approx(1800, rel=1e-3)
        refused = run("parcels", "describe", f"{address}/download?sig=secret", *COLUMNS)
    assert refused.code == 1
    assert "403" in refused.err
    assert "secret" not in refused.err


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_by_address_with_a_query(form: str, tmp_path: Path) -> None:
    """Its bytes tell what it is, for the address has no ending; a file of several parts comes as a zip."""
    made = tmp_path / "made"
    made.mkdir()
    path = FORMS[form](parcels(), made)
    served = tmp_path / "download"
    if path.is_dir() or path.suffix == ".shp":
        with zipfile.ZipFile(served, "w") as archive:
            for part in (path if path.is_dir() else path.parent).rglob("*.*"):
                archive.write(part, part.name)
    else:
        served.write_bytes(path.read_bytes())
    with signed_server(tmp_path) as address:
        href = f"{address}/download?sv=1&sig=a%2Fb"
        read = read_vector(href)
        assert sorted(int(value) for value in read["id"]) == sorted(IDS)
        assert read.crs is not None
        assert area(resolve_region(href)) == pytest.approx(1800, rel=1e-3)
        local = read_vector(served)
    assert shapely.equals(read.geometry.to_numpy(), local.geometry.to_numpy()).all()


CRS = {
    "CRS84": "OGC:CRS84",
    "Albers": "ESRI:102013",
    "compound": "EPSG:25833+7837",
    "own": "+proj=laea +lat_0=50 +lon_0=9 +x_0=0 +y_0=0 +ellps=GRS80 +units=m",
}


@pytest.mark.parametrize("form", ["gpkg", "fgb", "parquet", "shp"])
@pytest.mark.parametrize("name", CRS)
def test_a_crs_needs_no_epsg_number(form: str, name: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    path = FORMS[form](parcels().to_crs(CRS[name]), tmp_path)
    done = run("parcels", "rasterise", path, *GRID, *COLUMNS, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert drawn(tmp_path / "out") == {0: 42} | dict.fromkeys(IDS, 6)
    assert area(resolve_region(str(path))) == pytest.approx(1800, rel=1e-2)


def test_geoparquet_says_degrees_where_it_says_nothing_and_nothing_where_it_says_null(tmp_path: Path) -> None:
    path = FORMS["parquet"](parcels(4326), tmp_path)
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    for crs, expected in ((..., 4326), (None, None)):
        about = geo["columns"]["geom"]
        del about["crs"]
        if crs is None:
            about["crs"] = None
        pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), path)
        if expected is None:
            with pytest.raises(InvalidInputError, match=r"p\.parquet has no CRS"):
                read_vector(path)
            assert frame_crs(read_vector(path, told=Told(crs=4326))) == 4326
        else:
            assert frame_crs(read_vector(path)) == expected
        about["crs"] = None


def test_a_told_crs_counts_before_anything_is_cut(tmp_path: Path, run: Callable[..., Ran]) -> None:
    path = FORMS["shp"](parcels(4326), tmp_path)
    path.with_suffix(".prj").unlink()
    command = ("parcels", "rasterise", path, *GRID, *COLUMNS, "--out", tmp_path / "out")
    assert "has no CRS" in run(*command).err
    assert run(*command, "--parcels-crs", "OGC:CRS84").code == 0
    assert drawn(tmp_path / "out") == {0: 42} | dict.fromkeys(IDS, 6)
    known = FORMS["gpkg"](parcels(), tmp_path)
    refused = run("parcels", "describe", known, *COLUMNS, "--parcels-crs", "EPSG:4326")
    assert "got EPSG:4326, but the file says EPSG:32633" in refused.err


@pytest.mark.parametrize("form", ["gpkg", "shp", "geojson", "parquet", "csv"])
def test_rows_without_geometry_are_listed(form: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    bare = geopandas.GeoDataFrame(
        {"id": [8, 9], "crop": ["rye", "oats"]}, geometry=[None, shapely.Polygon()], crs=32633
    )
    path = FORMS[form](pd.concat([parcels(), bare]), tmp_path)
    assert run("parcels", "rasterise", path, *GRID, *COLUMNS, "--out", tmp_path / "out").code == 0
    rejected = pd.read_csv(tmp_path / "out" / "rejected.csv")
    assert rejected["id"].tolist() == [8, 9]
    assert set(rejected["reason"]) <= {"no geometry", "empty geometry"}
    with pytest.raises(InvalidInputError, match="bad row"):
        check_source(str(path), SOURCE)


@pytest.mark.parametrize("form", ["gpkg", "fgb", "shp", "geojson", "parquet", "csv"])
def test_a_null_beside_long_ids_changes_none(form: str, tmp_path: Path) -> None:
    frame = parcels()
    frame["id"] = pd.array([IDS[0], IDS[1], None], dtype="Int64")
    found = read_parcels(str(FORMS[form](frame, tmp_path)), columns={"ground_truth": "crop"})
    assert found.ids.tolist() == list(IDS[:2])
    assert [row.reason for row in found.rejected] == ["no id"]


def test_digits_that_a_format_has_lost_are_not_taken_for_an_id(tmp_path: Path) -> None:
    frame = parcels().assign(id=[float(IDS[0]), 2.0, 3.0])
    found = read_parcels(str(FORMS["gpkg"](frame, tmp_path)), columns={"ground_truth": "crop"})
    assert found.ids.tolist() == [2, 3]
    assert "lost digits" in found.rejected[0].reason


@pytest.mark.parametrize("form", ["gpkg", "fgb", "parquet", "csv", "shp"])
def test_an_empty_layer_holds_no_rows(form: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    path = FORMS[form](parcels().iloc[:0], tmp_path)
    assert "holds no rows" in run("parcels", "rasterise", path, *GRID, *COLUMNS, "--out", tmp_path / "out").err
    with pytest.raises(InvalidInputError, match="holds no rows"):
        check_source(str(path), SOURCE)
    with pytest.raises(InvalidInputError, match="holds no rows"):
        resolve_region(str(path))


@pytest.mark.parametrize(("shape", "kind"), [(lambda s: s.centroid, "Points"), (lambda s: s.boundary, "LineStrings")])
def test_what_has_no_area_is_refused_with_the_reason(
    shape: Callable[[Any], Any], kind: str, tmp_path: Path, run: Callable[..., Ran]
) -> None:
    path = FORMS["gpkg"](parcels().assign(geometry=shape(parcels().geometry)), tmp_path)
    done = run("parcels", "rasterise", path, *GRID, *COLUMNS, "--out", tmp_path / "out")
    assert (done.code, f"got {kind}, expected polygons" in done.err) == (1, True)


def two_layers(folder: Path) -> Path:
    path = folder / "m.gpkg"
    parcels().to_file(path, layer="one")
    parcels().iloc[:1].to_file(path, layer="two")
    return path


def test_a_layer_is_named_in_every_command(tmp_path: Path, run: Callable[..., Ran]) -> None:
    path = two_layers(tmp_path)
    assert layers_with_geometry(path) == ("one", "two")
    for call in (read_vector, resolve_region, lambda name: check_source(name, SOURCE)):
        with pytest.raises(InvalidInputError, match="several layers with geometry: one, two; name one"):
            call(str(path))
    assert len(read_vector(f"{path}|two")) == len(read_vector(f"{path}|layername=two")) == 1
    assert area(resolve_region(f"{path}|two")) == pytest.approx(600, rel=1e-3)
    for told in ((f"{path}|two",), (path, "--layer", "two")):
        done = run("parcels", "rasterise", *told, *GRID, *COLUMNS, "--out", tmp_path / "out")
        assert done.code == 0, done.err
        assert drawn(tmp_path / "out") == {0: 54, IDS[0]: 6}
    with pytest.raises(InvalidInputError, match="'two' and 'one', expected one"):
        read_vector(f"{path}|two", layer="one")


def test_several_files_of_an_archive_are_layers_too(tmp_path: Path) -> None:
    import zipfile

    two_layers(tmp_path)
    parcels().to_file(tmp_path / "roads.geojson")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("m.gpkg", "roads.geojson"):
            archive.write(tmp_path / name, f"x/{name}")
    with pytest.raises(InvalidInputError, match="several vector files: m, roads; name one"):
        read_vector(tmp_path / "a.zip")
    assert len(read_vector(f"{tmp_path / 'a.zip'}|roads")) == 3


def test_a_view_is_never_run(tmp_path: Path) -> None:
    path = tmp_path / "v.gpkg"
    parcels().to_file(path, layer="good")
    with sqlite3.connect(path) as database:
        database.execute(
            "create view evil as with recursive c(x) as (select 1 union all select x + 1 from c)"
            " select x as fid, (select geom from good) as geom, 'a' as crop from c"
        )
        database.execute(
            "insert into gpkg_contents(table_name, data_type, identifier, srs_id)"
            " values ('evil', 'features', 'e', 32633)"
        )
        database.execute(
            "insert into gpkg_geometry_columns select 'evil', column_name, geometry_type_name, srs_id, z, m"
            " from gpkg_geometry_columns"
        )
    database.close()
    assert layers_with_geometry(path) == ("good",)
    assert len(read_vector(path)) == 3
    with sqlite3.connect(path) as database:
        database.execute("delete from gpkg_geometry_columns where table_name = 'good'")
    database.close()
    for call in (read_vector, resolve_region, lambda name: check_source(name, SOURCE)):
        with pytest.raises(LandloomError, match="the views evil"):
            call(str(path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.gpkg", b"SQLite format 3\x00 and then nothing", "a.gpkg"),
        ("a.json", b'{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read x"}', "a.json"),
        ("a.vrt", b"<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>", "something else"),
        ("a.gml", b"<?xml version='1.0'?><gml:FeatureCollection/>", "something else"),
        ("a.html", b"<!DOCTYPE html><html>log in</html>", "a web page"),
        ("a.tif", b"II*\x00\x08\x00\x00\x00", "a raster"),
        ("a.dbf", b"\x03", "name the .shp"),
        ("a.geojson", b"no json", "plain text"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [', "a.geojson"),
        ("a.parquet", b"PAR1 nothing PAR1", "a.parquet"),
        ("a.zip", b"PK\x03\x04 nothing", "a.zip"),
        ("a.fgb", b"fgb\x03fgb\x00 nothing", "a.fgb"),
        ("a.shp", b"\x00\x00\x27\x0a nothing", "a.shp"),
        ("a.csv", b"id,crop\n1,2\n", "expected `geometry`"),
        ("a.csv", b"", "a.csv"),
    ],
)
def test_what_is_no_vector_file_is_said(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    checks: list[Callable[[str], Any]] = (
        [] if name.endswith((".tif", ".vrt")) else [lambda path: check_source(path, SOURCE)]
    )
    calls: list[Callable[[str], Any]] = [read_vector, read_parcels, *checks]
    for call in calls:
        with pytest.raises(LandloomError, match=message):
            call(str(tmp_path / name))


def test_a_file_of_many_zeros_is_not_unpacked(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", b"\x00" * (100 << 20))
    with pytest.raises(InvalidInputError, match="unpack to more than"):
        read_vector(tmp_path / "a.zip")


def test_curves_become_lines_and_heights_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    high = shapely.force_3d(parcels().geometry.to_numpy(), 7.0)
    parcels().assign(geometry=high).to_file(path)
    assert not read_vector(path).geometry.has_z.any()
    assert read_vector(path, bbox=(WEST, SOUTH, WEST + 10, SOUTH + 20))["id"].tolist() == [IDS[0]]


def test_metres_in_a_form_of_degrees_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.geojson"
    document = json.loads(parcels().to_json(drop_id=True, to_wgs84=False))
    document.pop("crs", None)
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="expected degrees"):
        read_vector(path)
    assert frame_crs(read_vector(path, told=Told(crs=32633))) == 32633
    assert pyogrio.list_drivers()["GML"]  # whoever uses pyogrio beside us has all of its drivers
