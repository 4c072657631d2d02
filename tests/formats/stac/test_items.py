from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box, equals

from landloom.errors import InvalidDocumentError
from landloom.formats.stac.items import parse_scene
from landloom.formats.stac.profiles import (
    COPERNICUS,
    EARTH_SEARCH,
    GENERIC,
    LANDSAT,
    PLANETARY_COMPUTER,
    Profile,
)
from landloom.model.scene import Role
from landloom.model.sensor import LANDSAT_C2_L2

if TYPE_CHECKING:
    from landloom.errors import Problem
    from landloom.model.scene import SceneFile

DECLARED = [{"nodata": 0, "scale": 0.0001, "offset": -0.1}]


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
    assert sorted(places) == ["assets.B02", "assets.B03", "assets.B04", "geometry", "properties.datetime"]


def test_what_nothing_needs_costs_a_note_alone() -> None:
    document = item(**{"eo:cloud_cover": 101, "grid:code": "MGRS-33TW", "proj:code": "UTM", "created": "soon"})
    document["assets"] |= {"B04": {"href": "B04.tif", "file:size": -1}, "B02": "a", "thumbnail": None}
    scene = parse_scene(document, "/a/item.json", GENERIC)
    assert (scene.cloud_cover, scene.granule, scene.epsg, scene.created, list(scene.bands)) == (
        None,
        None,
        None,
        None,
        ["B04"],
    )
    words = ["eo:cloud_cover", "grid:code", "proj:code", "created", "file:size", "assets.B02"]
    assert all(any(word in note for note in scene.notes) for word in words)
    assert len(scene.notes) == len(words)


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


def test_box_across_the_antimeridian_stands_in_for_an_outline() -> None:
    document = item()
    document["geometry"], document["bbox"] = None, [179, -17, -179, -16]
    scene = parse_scene(document, "/a/item.json", GENERIC)
    assert equals(scene.footprint, box(179, -17, 180, -16).union(box(-180, -17, -179, -16)))
    document["bbox"] = [15, 45, 0, 16, 46, 900]
    assert equals(parse_scene(document, "/a/item.json", GENERIC).footprint, box(15, 45, 16, 46))
