"""Whatever a user calls a region becomes one form, or is refused by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import geopandas as gpd
import numpy as np
import pytest
import shapely

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.region import resolve_region

if TYPE_CHECKING:
    from pathlib import Path

    from tests.query.conftest import Truth

BOX = (13.05, 52.35, 13.72, 52.69)


@pytest.mark.parametrize(
    "value",
    [
        BOX,
        list(BOX),
        np.array(BOX),
        shapely.box(*BOX),
        shapely.geometry.mapping(shapely.box(*BOX)),
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shapely.box(*BOX))},
        shapely.box(*BOX).wkt,
        gpd.GeoSeries([shapely.box(*BOX)], crs=4326),
        resolve_region(BOX),
    ],
    ids=["tuple", "list", "array", "shapely", "geometry", "feature", "wkt", "series", "region"],
)
def test_a_box_is_a_box_however_it_is_given(value: Any) -> None:
    region = resolve_region(value)
    assert region.boxes == (BOX,)
    assert region.bounds == BOX
    assert region.shape.equals(shapely.box(*BOX))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((52.35, 113.05, 52.69, 113.72), "axes are swapped"),
        ((0, 0, 200, 10), "longitudes"),
        ((0, 200, 10, 210), "latitudes"),
        ((0, 10, 10, 0), "empty box"),
        ((0, 0, 0, 10), "empty box"),
        ((0, 0, float("nan"), 10), "finite"),
        (shapely.Polygon(), "empty geometry"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), r"Self-intersection\[0.5 0.5\]"),
        (shapely.Polygon([(52, 113), (53, 113), (53, 114)]), "axes are swapped"),
        (shapely.Point(float("inf"), 0), "finite"),
        ({"type": "Nonsense"}, "not a GeoJSON"),
        ({"type": "Feature"}, "not a GeoJSON"),
        ("POLYGON((", "not WKT"),
        ("Germany", "without a layer of countries"),
        ("absent.gpkg", "no file"),
        (3, "got int"),
        (gpd.GeoSeries([shapely.Point(0, 0)]), "without a CRS"),
    ],
)
def test_what_is_no_region_is_named(value: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        resolve_region(value)


@pytest.fixture
def countries(tmp_path: Path) -> Path:
    frame = gpd.GeoDataFrame(
        {
            "NAME": ["Alphaland", "Betaland ", "Gamma"],
            "ISO": ["AL", "BE", "GA"],
            "continent": ["Earth", "Earth", "Sky"],
            "rank": [1, 2, 3],
        },
        geometry=[
            shapely.box(0, 0, 1, 1),
            shapely.box(1, 0, 2, 1).union(shapely.Point(5, 5).buffer(0.1)),
            shapely.box(3, 3, 4, 4),
        ],
        crs=4326,
    )
    path = tmp_path / "countries.geojson"
    frame.to_file(path, driver="GeoJSON")
    return path


def test_countries_are_found_by_any_name(countries: Path) -> None:
    for name in ("Alphaland", "alphaland", "AL", " al "):
        assert resolve_region(name, countries).boxes == ((0.0, 0.0, 1.0, 1.0),)
    beta = resolve_region("Betaland", countries).geometry
    assert beta is not None
    assert beta.geom_type == "MultiPolygon"
    assert resolve_region("Earth", countries).bounds == pytest.approx((0, 0, 5.1, 5.1), abs=0.01)
    with pytest.raises(NotFoundError, match="Alphaland"):
        resolve_region("Alfaland", countries)


@pytest.mark.parametrize("name", ["region.gpkg", "region.geojson", "region.parquet", "region.fgb"])
def test_files_are_brought_to_longitude_and_latitude(tmp_path: Path, name: str) -> None:
    shape = shapely.Point(500_000, 5_800_000).buffer(20_000, quad_segs=4)
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shape], crs=32633)
    path = tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    elif name.endswith("geojson"):
        frame.to_crs(4326).to_file(path)
    else:
        frame.to_file(path)
    region = resolve_region(path)
    assert region.geometry is not None
    written = gpd.read_file(path) if not name.endswith("parquet") else frame
    true = written.geometry.segmentize(10).to_crs(4326).union_all()  # geojson is in degrees, where no edge bends
    assert shapely.hausdorff_distance(region.geometry, true) < 2e-6
    assert resolve_region(str(path)).bounds == region.bounds


def test_files_without_what_is_needed_are_named(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)])
    frame.to_parquet(tmp_path / "bare.parquet")
    with pytest.raises(InvalidInputError, match="no CRS"):
        resolve_region(tmp_path / "bare.parquet")
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    gpd.GeoDataFrame({"a": [1, 2]}, geometry=[shapely.box(0, 0, 1, 1), bow], crs=4326).to_file(tmp_path / "bow.gpkg")
    with pytest.raises(InvalidInputError, match="features 2 cross themselves"):
        resolve_region(tmp_path / "bow.gpkg")
    (tmp_path / "empty.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": []}))
    with pytest.raises(InvalidInputError, match="holds no rows"):
        resolve_region(tmp_path / "empty.geojson")


def test_what_is_not_there_is_said_by_its_kind(tmp_path: Path) -> None:
    for name in ("a.topojson", "x.pq", "r.csv", "layer.abc"):
        with pytest.raises(InvalidInputError, match="no file"):
            resolve_region(str(tmp_path / name))


def test_topojson_is_in_degrees(tmp_path: Path) -> None:
    arcs = [[[13, 52], [14, 52], [14, 53], [13, 53], [13, 52]]]
    objects = {"land": {"type": "Polygon", "arcs": [[0]]}}
    for name in ("a.json", "a.topojson"):
        (tmp_path / name).write_text(json.dumps({"type": "Topology", "objects": objects, "arcs": arcs}))
        assert resolve_region(str(tmp_path / name)).boxes == ((13, 52, 14, 53),)


def test_layers_are_named_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "m.gpkg"
    for number, name in enumerate(("one", "two")):
        shape = shapely.box(number, 0, number + 1, 1)
        gpd.GeoDataFrame({"NAME": [name]}, geometry=[shape], crs=4326).to_file(path, layer=name)
    for value in (path, str(path)):
        with pytest.raises(InvalidInputError, match=r"one, two.*m\.gpkg\|LAYER"):
            resolve_region(value)
    with pytest.raises(InvalidInputError, match="one, two"):
        resolve_region("two", path)
    assert resolve_region(f"{path}|two").boxes == ((1, 0, 2, 1),)
    assert resolve_region("TWO", f"{path}|two").boxes == ((1, 0, 2, 1),)


@pytest.mark.parametrize(
    "value",
    [
        "POLYGON((179 -17, -179 -17, -179 -16, 179 -16, 179 -17))",
        "SRID=4326;POLYGON((179 -17, -179 -17, -179 -16, 179 -16, 179 -17))",
        shapely.Polygon([(179, -17), (-179, -17), (-179, -16), (179, -16)]),
        {"type": "Polygon", "coordinates": [[(179, -17), (-179, -17), (-179, -16), (179, -16), (179, -17)]]},
    ],
)
def test_a_ring_across_180_is_as_wide_as_it_is(value: Any) -> None:
    region = resolve_region(value)
    assert region.shape.area == pytest.approx(2)
    assert region.bounds == (-180, -17, 180, -16)


def test_a_wide_region_is_as_wide_as_it_is_written(tmp_path: Path) -> None:
    wide = shapely.box(-170, -60, 170, 80)
    assert resolve_region(wide).boxes == ((-170, -60, 170, 80),)
    gpd.GeoDataFrame(geometry=[wide], crs=4326).to_file(tmp_path / "wide.gpkg")
    with pytest.raises(InvalidInputError, match="either way round"):  # a file may mean either
        resolve_region(tmp_path / "wide.gpkg")
    assert resolve_region(shapely.box(-180, -60, 180, 75)).boxes == ((-180, -60, 180, 75),)


def test_wkt_with_its_crs_is_brought_to_degrees() -> None:
    west, south, east, north = resolve_region(
        "SRID=32633;POLYGON((5e5 0, 500600 0, 500600 600, 5e5 600, 5e5 0))"
    ).bounds
    assert (west, south) == pytest.approx((15, 0), abs=1e-9)
    assert east - west == pytest.approx(0.0054, rel=0.01)
    assert north == pytest.approx(0.0054, rel=0.01)
    with pytest.raises(InvalidInputError, match="EPSG knows"):
        resolve_region("SRID=1;POINT(1 1)")


def test_features_without_geometry_do_not_cost_the_others() -> None:
    shape = shapely.geometry.mapping(shapely.box(*BOX))
    features = [{"type": "Feature", "geometry": one, "properties": {}} for one in (None, shape)]
    assert resolve_region({"type": "FeatureCollection", "features": features}).boxes == (BOX,)
    with pytest.raises(InvalidInputError, match="empty geometry"):
        resolve_region({"type": "FeatureCollection", "features": features[:1]})


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_countries_are_found_however_accents_are_written(tmp_path: Path, form: Any) -> None:
    frame = gpd.GeoDataFrame({"NAME": [normalize(form, "Åland")]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    frame.to_file(tmp_path / "c.gpkg")
    for typed in ("NFC", "NFD"):
        assert resolve_region(normalize(typed, "åland"), tmp_path / "c.gpkg").boxes == ((0, 0, 1, 1),)


def test_a_far_country_that_no_outline_can_hold_costs_no_other(tmp_path: Path) -> None:
    pole = shapely.Point(0, 0).buffer(1e6)
    near = shapely.box(1e6, -2e6, 1.1e6, -1.9e6)
    frame = gpd.GeoDataFrame({"NAME": ["Pole", "Here"]}, geometry=[pole, near], crs=3413)
    frame.to_file(tmp_path / "c.gpkg")
    assert resolve_region("here", tmp_path / "c.gpkg").shape.is_valid
    with pytest.raises(InvalidInputError, match="encloses the north pole"):
        resolve_region("pole", tmp_path / "c.gpkg")


def test_a_query_by_country_equals_brute_force(published: Truth, tmp_path: Path) -> None:
    middle = shapely.centroid(published.shapes[100])
    shape = middle.buffer(3)
    frame = gpd.GeoDataFrame({"name": ["Here"]}, geometry=[shape], crs=4326)
    frame.to_file(tmp_path / "countries.gpkg")
    from landloom.query.corpus import Corpus

    corpus = Corpus.open(published.folder, cache=published.folder / "cache", countries=tmp_path / "countries.gpkg")
    stored = gpd.read_file(tmp_path / "countries.gpkg").geometry.iloc[0]
    expected = [i for i, own in zip(published.ids, published.shapes, strict=True) if own.within(stored)]
    assert list(corpus.query(region="here", relation="within").ids) == expected
    assert len(expected) > 10
