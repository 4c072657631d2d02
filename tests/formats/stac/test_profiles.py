from __future__ import annotations

from typing import Any

import pytest

from landloom.errors import InvalidDocumentError
from landloom.formats.stac.items import parse_scene
from landloom.formats.stac.profiles import (
    GENERIC,
    LANDSAT,
    PLANETARY_COMPUTER,
    PROFILES,
    Profile,
    detect_profile,
)
from landloom.model.product import RAPIDAI4EO_BANDS
from landloom.model.sensor import SENSORS

KEYS = {
    "earth-search": "blue green red nir rededge1 rededge2 rededge3 nir08 swir16 swir22 coastal nir09",
    "planetary-computer": "B02 B03 B04 B08 B05 B06 B07 B8A B11 B12 B01 B09",
    "copernicus-data-space": (
        "B02_10m B03_10m B04_10m B08_10m B05_20m B06_20m B07_20m B8A_20m B11_20m B12_20m B01_60m B09_60m"
    ),
    "generic": "B02 B03 B04 B08 B05 B06 B07 B8A B11 B12 B01 B09",
    "landsat": "coastal blue green red nir08 swir16 swir22",
    "hls-s30": "B01 B02 B03 B04 B05 B06 B07 B08 B8A B11 B12",
    "hls-l30": "B01 B02 B03 B04 B05 B06 B07",
}


BANDS = dict.fromkeys(KEYS, RAPIDAI4EO_BANDS) | {
    PROFILES[name].name: tuple(SENSORS[PROFILES[name].sensor].bands) for name in ("landsat", "hls-s30", "hls-l30")
}


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_each_provider_names_the_published_bands(name: str) -> None:
    properties = {"datetime": "2023-08-20T09:58:11.072Z", "s2:processing_baseline": "05.09"}
    document: dict[str, Any] = {"type": "Feature", "id": "scene", "properties": properties, "bbox": [15, 45, 16, 46]}
    document["assets"] = {key: {"href": f"{key}.tif"} for key in (*KEYS[name].split(), "thumbnail", "blue-jp2")}
    scene = parse_scene(document, "https://example.org/x/item.json", PROFILES[name])
    hrefs = [f"https://example.org/x/{key}.tif" for key in KEYS[name].split()]
    assert {band: asset.href for band, asset in scene.bands.items()} == dict(zip(BANDS[name], hrefs, strict=True))
    assert tuple(scene.bands) == BANDS[name]
    assert scene.sensor == PROFILES[name].sensor


@pytest.mark.parametrize("name", sorted(KEYS.keys() - {"planetary-computer", "landsat", "hls-s30", "hls-l30"}))
def test_profiles_are_told_by_their_keys(name: str) -> None:
    assert detect_profile({"assets": {key: {} for key in KEYS[name].split()}}).name == name


def test_landsat_is_told_by_its_platform_or_its_classification() -> None:
    assets: dict[str, Any] = {key: {} for key in KEYS["landsat"].split()}
    assert detect_profile({"assets": assets, "properties": {"platform": "LANDSAT_8"}}) is LANDSAT
    assert detect_profile({"assets": assets | {"qa_pixel": {}}}) is LANDSAT


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"id": "HLS.L30.T33UUT.2018154T100211.v2.0"}, "hls-l30"),
        ({"id": "HLS.S30.T33UUT.2018154T101021.v2.0"}, "hls-s30"),
        ({"id": "x", "collection": "HLSL30_2.0"}, "hls-l30"),
        ({"id": "x", "collection": "hls2-s30"}, "hls-s30"),
        ({"id": "x", "assets": {"B8A": {}, "Fmask": {}}}, "hls-s30"),
        ({"id": "x", "properties": {"platform": "landsat-8"}}, "hls-l30"),
    ],
)
def test_hls_is_told_by_its_id_its_collection_or_its_bands(item: dict[str, Any], name: str) -> None:
    """Both have a band B05, of different wavelengths."""
    assert detect_profile({"assets": {"B05": {}, "Fmask": {}}} | item).name == name


def test_an_item_of_the_other_part_of_hls_is_refused() -> None:
    document: dict[str, Any] = {
        "type": "Feature",
        "id": "HLS.L30.T33UUT.2018154T100211.v2.0",
        "bbox": [15, 45, 16, 46],
        "properties": {"datetime": "2018-06-03T10:02:11Z", "platform": "landsat-8"},
        "assets": {"B05": {"href": "b.tif"}, "Fmask": {"href": "f.tif"}},
    }
    assert parse_scene(document, "/x/item.json", PROFILES["hls-l30"]).granule == "33UUT"
    with pytest.raises(InvalidDocumentError, match="got 'HLS L30', expected HLS S30"):
        parse_scene(document, "/x/item.json", PROFILES["hls-s30"])


def test_planetary_computer_is_told_by_the_host_of_its_files() -> None:
    host = "https://sentinel2l2a01.blob.core.windows.net/sentinel2-l2"
    ours = {key: {"href": f"{host}/{key}.tif"} for key in KEYS["planetary-computer"].split()}
    assert detect_profile({"assets": ours}) is PLANETARY_COMPUTER
    elsewhere = {key: {"href": f"https://example.org/{key}.tif"} for key in ours}
    assert detect_profile({"assets": elsewhere}) is GENERIC


@pytest.mark.parametrize(
    "item", [{}, {"assets": None}, {"assets": ["B04"]}, {"assets": {"B04": None}, "properties": 3}]
)
def test_an_item_that_says_nothing_is_generic(item: dict[str, Any]) -> None:
    assert detect_profile(item) is GENERIC


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_profile_names_bands_of_its_sensor_and_no_asset_twice(profile: Profile) -> None:
    assert set(profile.bands.values()) <= set(SENSORS[profile.sensor].bands)
    assert not profile.bands.keys() & profile.layers.keys()
