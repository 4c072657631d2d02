from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, Polygon, box, equals

from landloom.errors import InvalidDocumentError, InvalidValueError
from landloom.formats.antimeridian import split_antimeridian
from landloom.formats.stac.items import parse_scene
from landloom.formats.stac.profiles import (
    COPERNICUS,
    EARTH_SEARCH,
    GENERIC,
    LANDSAT,
    PLANETARY_COMPUTER,
    PROFILES,
    Profile,
    detect_profile,
)
from landloom.model.product import RAPIDAI4EO_BANDS
from landloom.model.scene import Role
from landloom.model.sensor import LANDSAT_C2_L2

if TYPE_CHECKING:
    from landloom.errors import Problem
    from landloom.model.scene import SceneFile

DECLARED = [{"nodata": 0, "scale": 0.0001, "offset": -0.1}]
KEYS = {
    "earth-search": "blue green red nir rededge1 rededge2 rededge3 nir08 swir16 swir22 coastal nir09",
    "planetary-computer": "B02 B03 B04 B08 B05 B06 B07 B8A B11 B12 B01 B09",
    "copernicus-data-space": (
        "B02_10m B03_10m B04_10m B08_10m B05_20m B06_20m B07_20m B8A_20m B11_20m B12_20m B01_60m B09_60m"
    ),
    "generic": "B02 B03 B04 B08 B05 B06 B07 B8A B11 B12 B01 B09",
    "landsat": "coastal blue green red nir08 swir16 swir22",
}
BANDS = dict.fromkeys(KEYS, RAPIDAI4EO_BANDS) | {"landsat": tuple(LANDSAT_C2_L2.bands)}


def item(**properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": "scene",
        "geometry": box(15, 45, 16, 46).__geo_interface__,
        "properties": {"datetime": "2023-08-20T09:58:11.072Z"} | properties,
        "assets": {"B04": {"href": "B04.tif"}, "SCL": {"href": "SCL.tif"}},
    }


def offset(document: dict[str, Any], profile: Profile, band: str = "B04") -> int:
    return parse_scene(document, "/a/item.json", profile).bands[band].offset


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_each_provider_names_the_published_bands(name: str) -> None:
    document = item(**{"s2:processing_baseline": "05.09"})
    document["assets"] = {key: {"href": f"{key}.tif"} for key in (*KEYS[name].split(), "thumbnail", "blue-jp2")}
    scene = parse_scene(document, "https://example.org/x/item.json", PROFILES[name])
    hrefs = [f"https://example.org/x/{key}.tif" for key in KEYS[name].split()]
    assert {band: asset.href for band, asset in scene.bands.items()} == dict(zip(BANDS[name], hrefs, strict=True))
    assert tuple(scene.bands) == BANDS[name]
    assert scene.sensor == PROFILES[name].sensor


@pytest.mark.parametrize("name", sorted(KEYS.keys() - {"planetary-computer", "landsat"}))
def test_profiles_are_told_by_their_keys(name: str) -> None:
    assert detect_profile({"assets": {key: {} for key in KEYS[name].split()}}).name == name


def test_landsat_is_told_by_its_platform_or_its_classification() -> None:
    assets: dict[str, Any] = {key: {} for key in KEYS["landsat"].split()}
    assert detect_profile({"assets": assets, "properties": {"platform": "LANDSAT_8"}}) is LANDSAT
    assert detect_profile({"assets": assets | {"qa_pixel": {}}}) is LANDSAT


def test_landsat_is_converted_as_its_sensor_says_and_has_no_offset() -> None:
    document = item(platform="landsat-9", **{"grid:code": "WRS2-001002", "proj:epsg": 32633})
    document["assets"] = {key: {"href": f"{key}.tif"} for key in ("red", "qa_pixel", "qa_aerosol", "qa_radsat")}
    scene = parse_scene(document, "/a/item.json", LANDSAT)
    (red,) = scene.bands.values()
    assert (red.href, red.offset, red.conversion) == ("/a/red.tif", 0, LANDSAT_C2_L2.conversion)
    assert {role: (asset.href, asset.conversion) for role, asset in scene.layers.items()} == {
        Role.CLASSIFICATION: ("/a/qa_pixel.tif", None),
        Role.AEROSOL: ("/a/qa_aerosol.tif", None),
    }
    assert (scene.sensor, scene.granule) == ("landsat-c2-l2", None)


@pytest.mark.parametrize(
    ("profile", "properties", "asset", "wanted"),
    [
        (EARTH_SEARCH, {"earthsearch:boa_offset_applied": True, "s2:processing_baseline": "05.09"}, DECLARED, 0),
        (EARTH_SEARCH, {"earthsearch:boa_offset_applied": False, "s2:processing_baseline": "04.00"}, DECLARED, -1000),
        (EARTH_SEARCH, {"earthsearch:boa_offset_applied": False, "s2:processing_baseline": "02.14"}, DECLARED, 0),
        (EARTH_SEARCH, {"earthsearch:boa_offset_applied": False}, DECLARED, -1000),
        (EARTH_SEARCH, {"s2:processing_baseline": "05.09"}, None, 0),
        (PLANETARY_COMPUTER, {"s2:processing_baseline": "04.00"}, None, -1000),
        (PLANETARY_COMPUTER, {"s2:processing_baseline": "03.01"}, None, 0),
        (PLANETARY_COMPUTER, {"s2:processing_baseline": "02.14", "datetime": "2023-08-20T00:00:00Z"}, None, 0),
        (PLANETARY_COMPUTER, {"s2:processing_baseline": "05.00", "datetime": "2016-08-20T00:00:00Z"}, None, -1000),
        (COPERNICUS, {"processing:version": "05.11"}, DECLARED, -1000),
        (COPERNICUS, {"processing:version": "05.11"}, None, -1000),
        (COPERNICUS, {"processing:version": "02.07"}, DECLARED, 0),
        (GENERIC, {"s2:processing_baseline": "05.09"}, None, 0),
        (GENERIC, {}, [{"offset": -1000}], -1000),
        (GENERIC, {}, [{"offset": 0, "scale": 0.0001}], 0),
    ],
)
def test_offset_comes_from_the_item(
    profile: Profile, properties: dict[str, Any], asset: list[dict[str, Any]] | None, wanted: int
) -> None:
    document = item(**properties)
    key = next(key for key, band in profile.bands.items() if band == "B04")
    document["assets"] = {key: {"href": "x"} | ({"raster:bands": asset} if asset else {})}
    assert offset(document, profile) == wanted


def test_offset_as_stac_1_1_writes_it_and_never_for_classes() -> None:
    document = item(**{"processing:version": "05.11"})
    document["assets"] = {
        "B04_10m": {"href": "x", "raster:scale": 0.0001, "raster:offset": -0.1},
        "B03_10m": {"href": "x", "bands": [{"name": "B03", "raster:scale": 0.0001, "raster:offset": -0.05}]},
        "SCL_20m": {"href": "x"},
    }
    scene = parse_scene(document, "s3://eodata/x/item.json", COPERNICUS)
    assert {name: asset.offset for name, asset in scene.bands.items()} == {"B04": -1000, "B03": -500}
    assert {role: asset.offset for role, asset in scene.layers.items()} == {Role.CLASSIFICATION: 0}


def test_files_as_esa_made_them_without_baseline_are_refused() -> None:
    with pytest.raises(InvalidDocumentError, match="nothing tells the offset"):
        parse_scene(item(), "/a/item.json", PLANETARY_COMPUTER)


@pytest.mark.parametrize(
    ("properties", "granule"),
    [
        ({"grid:code": "MGRS-33TWL"}, "33TWL"),
        ({"grid:code": "MGRS-1CCV"}, "01CCV"),
        ({"s2:mgrs_tile": "33TWL"}, "33TWL"),
        ({"mgrs:utm_zone": 1, "mgrs:latitude_band": "C", "mgrs:grid_square": "CV"}, "01CCV"),
        ({"s2:product_uri": "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817.SAFE"}, "33TWL"),
        ({"grid:code": "WRS2-001002"}, None),
        ({}, None),
    ],
)
def test_granule(properties: dict[str, Any], granule: str | None) -> None:
    assert parse_scene(item(**properties), "/a/item.json", GENERIC).granule == granule


def test_product_name_tells_what_properties_do_not() -> None:
    document = item()
    document["id"] = "S2A_MSIL1C_20160820T094549_N0204_R079_T33TWL_20160820T124817"
    scene = parse_scene(document, "/a/item.json", GENERIC)
    assert (scene.baseline, scene.orbit, scene.granule, scene.level) == ("02.04", 79, "33TWL", "L1C")


@pytest.mark.parametrize(
    ("properties", "level"),
    [
        ({"s2:product_type": "S2MSI1C"}, "L1C"),
        ({"processing:level": "L2"}, "L2A"),
        ({"product:type": "S2MSI2A"}, "L2A"),
    ],
)
def test_level(properties: dict[str, Any], level: str) -> None:
    assert parse_scene(item(**properties), "/a/item.json", GENERIC).level == level


@pytest.mark.parametrize("code", [{"proj:epsg": 32633}, {"proj:code": "EPSG:32633"}, {"proj:epsg": 32633.0}])
def test_epsg(code: dict[str, Any]) -> None:
    assert parse_scene(item(**code), "/a/item.json", GENERIC).epsg == 32633
    document = item()
    document["assets"]["B04"] |= code
    assert parse_scene(document, "/a/item.json", GENERIC).epsg == 32633


def test_sizes_checksums_and_missing_values() -> None:
    document = item(**{"eo:cloud_cover": float("nan"), "statistics": {"nodata": 12.5}, "platform": "Sentinel-2C"})
    document["assets"]["B04"] |= {"file:size": 17, "file:checksum": "1220abcd"}
    document["assets"]["Product"] = {"href": "x.zip", "file:size": 99}
    scene = parse_scene(document, "/a/item.json", GENERIC)
    assert (scene.bands["B04"].size, scene.bands["B04"].checksum) == (17, "1220abcd")
    assert (scene.cloud_cover, scene.nodata_share, scene.platform, scene.size) == (None, 12.5, "sentinel-2c", 99)


def test_bands_inside_one_file() -> None:
    document = item()
    document["assets"] = {
        "image": {
            "href": "all.tif",
            "eo:bands": [{"name": "B02"}, {"name": "B04"}],
            "raster:bands": [{"scale": 0.0001, "offset": 0}, {"scale": 0.0001, "offset": -0.1}],
        }
    }
    bands = parse_scene(document, "/a/item.json", GENERIC).bands
    assert {name: (asset.band, asset.offset) for name, asset in bands.items()} == {"B02": (1, 0), "B04": (2, -1000)}


def test_every_problem_is_listed_with_its_place() -> None:
    document = item(**{"datetime": "soon", "eo:cloud_cover": 101, "grid:code": "MGRS-33TW", "proj:code": "UTM"})
    document["geometry"] = {"type": "Point", "coordinates": [1, 2]}
    document["assets"] = {
        "B04": {"href": 3, "file:size": -1, "raster:bands": [{"offset": "x"}]},
        "B03": {"href": "a", "raster:bands": [{"offset": -0.10005, "scale": 0.0001}]},
        "B02": "a",
    }
    with pytest.raises(InvalidDocumentError) as caught:
        parse_scene(document, "/a/item.json", GENERIC)
    places = [problem.where for problem in caught.value.problems]
    assert sorted(places) == [
        "assets.B02",
        "assets.B03.raster:bands",
        "assets.B04.file:size",
        "assets.B04.href",
        "assets.B04.raster:bands",
        "geometry",
        "properties.datetime",
        "properties.eo:cloud_cover",
        "properties.grid:code",
        "properties.proj:epsg",
    ]


@pytest.mark.parametrize("missing", ["id", "geometry", "properties", "assets"])
def test_what_nothing_can_replace(missing: str) -> None:
    document = item()
    del document[missing]
    with pytest.raises(InvalidDocumentError) as caught:
        parse_scene(document, "/a/item.json", GENERIC)
    assert any(problem.where.startswith(missing) for problem in caught.value.problems)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(
    place=st.sampled_from(
        [
            ("geometry",),
            ("geometry", "coordinates"),
            ("properties",),
            ("properties", "datetime"),
            ("properties", "eo:cloud_cover"),
            ("properties", "statistics"),
            ("properties", "s2:processing_baseline"),
            ("properties", "proj:epsg"),
            ("properties", "sat:relative_orbit"),
            ("properties", "grid:code"),
            ("assets",),
            ("assets", "B04"),
            ("assets", "B04", "href"),
            ("assets", "B04", "raster:bands"),
            ("assets", "B04", "raster:offset"),
            ("assets", "B04", "file:size"),
            ("links",),
            ("id",),
        ]
    ),
    value=JSON,
)
def test_whatever_stands_there_ends_in_a_scene_or_in_listed_problems(place: tuple[str, ...], value: object) -> None:
    document = copy.deepcopy(item())
    holder = document
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    problems: tuple[Problem, ...] = ()
    files: tuple[SceneFile, ...] = ()
    try:
        scene = parse_scene(document, "/a/item.json", GENERIC)
        files = (*scene.bands.values(), *scene.layers.values())
    except InvalidDocumentError as error:
        problems = error.problems
    assert bool(files) != bool(problems)


CORNERS = st.tuples(st.floats(-180, 180), st.floats(-80, 70), st.floats(0.1, 8), st.floats(0.1, 8))


@given(CORNERS)
def test_split_outline_is_the_outline_wrapped(corners: tuple[float, float, float, float]) -> None:
    west, south, width, height = corners
    whole = box(west, south, west + width, south + height)
    wrapped = Polygon([((x + 180) % 360 - 180, y) for x, y in whole.exterior.coords])
    parts = split_antimeridian(wrapped)
    assert parts.is_valid
    assert -180 <= parts.bounds[0] <= parts.bounds[2] <= 180
    assert parts.area == pytest.approx(whole.area, rel=1e-6)
    point = whole.representative_point()
    assert parts.distance(Point((point.x + 180) % 360 - 180, point.y)) < 1e-9


def test_split_keeps_what_is_split_already_and_holes() -> None:
    plain = box(10, 10, 11, 11)
    assert split_antimeridian(plain) is plain
    ring = [(178, 0), (-178, 0), (-178, 4), (178, 4)]
    hole = [(179, 1), (-179, 1), (-179, 2), (179, 2)]
    parts = split_antimeridian(Polygon(ring, [hole]))
    assert parts.area == pytest.approx(4 * 4 - 2 * 1)
    again = split_antimeridian(parts)
    assert again.equals(parts)


def test_split_refuses_a_pole() -> None:
    with pytest.raises(InvalidValueError, match="pole"):
        split_antimeridian(Polygon([(-120, 85), (0, 85), (120, 85)]))


def test_box_across_the_antimeridian_stands_in_for_an_outline() -> None:
    document = item()
    document["geometry"], document["bbox"] = None, [179, -17, -179, -16]
    scene = parse_scene(document, "/a/item.json", GENERIC)
    assert equals(scene.footprint, box(179, -17, 180, -16).union(box(-180, -17, -179, -16)))
    document["bbox"] = [15, 45, 0, 16, 46, 900]
    assert equals(parse_scene(document, "/a/item.json", GENERIC).footprint, box(15, 45, 16, 46))
