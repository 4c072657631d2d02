"""Whatever stands in an item or in a product's metadata: a scene, or errors that name it; never a traceback."""

from __future__ import annotations

import copy
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box
from tests.formats.safe.test_safe_product import GRANULE, PRODUCT, TILE, images

from landloom.archive.gathered import ItemGate
from landloom.errors import LandloomError
from landloom.formats.geotiff import decode_geotiff, encode_geotiff
from landloom.formats.safe.safe_product import parse_product
from landloom.model.grid import Grid
from landloom.model.sensor import SENTINEL_2_L2A
from landloom.model.time import Period, parse_instant

if TYPE_CHECKING:
    from landloom.model.scene import Scene

ITEM: dict[str, Any] = {
    "type": "Feature",
    "id": "S2A_MSIL2A_20180605T101031_N0206_R022_T33UUU_20180605T120000",
    "collection": "sentinel-2-l2a",
    "bbox": [13.0, 52.0, 14.0, 53.0],
    "geometry": box(13, 52, 14, 53).__geo_interface__,
    "properties": {
        "datetime": "2018-06-05T10:10:31Z",
        "platform": "sentinel-2a",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "eo:cloud_cover": 12.5,
        "s2:nodata_pixel_percentage": 0,
        "s2:processing_baseline": "02.06",
        "s2:product_type": "S2MSI2A",
        "s2:generation_time": "2018-06-05T12:00:00Z",
        "s2:datastrip_id": "S2A_OPER_MSI_L2A_DS_SGS__20180605T120000_S20180605T101031_N02.06",
        "earthsearch:boa_offset_applied": True,
        "sat:relative_orbit": 22,
        "grid:code": "MGRS-33UUU",
        "proj:epsg": 32633,
    },
    "assets": {
        "B04": {
            "href": "./B04.tif",
            "proj:shape": [10, 10],
            "proj:transform": [10, 0, 300000, 0, -10, 5800000],
            "file:size": 17,
            "raster:bands": [{"scale": 0.0001, "offset": -0.1, "nodata": 0}],
        },
        "SCL": {"href": "./SCL.tif"},
    },
    "links": [{"rel": "self", "href": "/a/item.json"}],
}
PLACES: list[tuple[Any, ...]] = [(key,) for key in ITEM]
PLACES += [("properties", key) for key in ITEM["properties"]]
PLACES += [("assets", "B04", key) for key in ITEM["assets"]["B04"]]
PLACES += [("assets", "B04", "raster:bands", 0, key) for key in ("scale", "offset", "nodata")]
WORDS = st.sampled_from(
    [
        "",
        " ",
        "nan",
        "-inf",
        "1e400",
        "9" * 400,
        "NO",
        "None",
        "²",
        "\ud800",
        "\0",
        "../x",
        "file:///x",
        "2018-02-30",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:60Z",
        "99999999",
        "S2A",
        "L1C",
        "N0500",
        "MGRS-99ZZZ",
        "[1]",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)
WORLD = box(-180, -90, 180, 90)
YEARS = Period(parse_instant("0002-01-01"), parse_instant("9998-01-01"))


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
def test_an_item_is_a_scene_or_problems(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    item = copy.deepcopy(ITEM)
    for place, value in changes:
        holder: Any = item
        for key in place[:-1]:
            holder = holder[key] if _has(holder, key) else None
        if isinstance(holder, dict) or _has(holder, place[-1]):
            holder[place[-1]] = value
    gate, found = ItemGate(sensor=SENTINEL_2_L2A), dict[str, "Scene"]()
    scene = gate.scene(item, "/a/item.json", "item")
    if scene is None:
        assert gate.problems
        return
    gate.gather(found, scene, WORLD, YEARS, "item")
    assert len(gate.problems) >= len(set(scene.notes)) * bool(found)
    assert scene.bands or scene.layers
    assert all(np.isfinite(file.offset) and abs(file.offset) < 65_534 for file in scene.bands.values())
    assert scene.cloud_cover is None or 0 <= scene.cloud_cover <= 100


def _has(holder: Any, key: Any) -> bool:
    if isinstance(holder, dict):
        return key in holder
    return isinstance(holder, list) and isinstance(key, int) and key < len(holder)


TEXTS = st.sampled_from(
    [
        "",
        " ",
        "nan",
        "inf",
        "-1",
        "1e400",
        "9" * 400,
        "²",
        "0",
        "x",
        "101",
        "2018-06-05T10:00:60Z",
        "<a/>",
        "&amp;",
        "<",
        "EPSG:4326",
        "N0206",
        "S2A",
        "<VALUES>1 2</VALUES>",
        "1 2 3",
        "0 " * 50,
    ]
)


@settings(max_examples=200)
@given(
    file=st.sampled_from([0, 1]),
    spans=st.lists(st.tuples(st.integers(0, 10**6), TEXTS), min_size=1, max_size=3),
    cut=st.none() | st.integers(0, 5_000),
)
def test_metadata_of_a_product_are_a_product_or_problems(
    file: int, spans: list[tuple[int, str]], cut: int | None
) -> None:
    texts = [PRODUCT, TILE]
    for place, text in spans:
        found = list(re.finditer(r'(?<=>)[^<>]+(?=<)|(?<==")[^"]*(?=")', texts[file]))
        one = found[place % len(found)] if found else None
        if one is not None:
            texts[file] = texts[file][: one.start()] + text + texts[file][one.end() :]
    data = {"MTD_MSIL2A.xml": texts[0].encode()[:cut], f"{GRANULE}/MTD_TL.xml": texts[1].encode()}
    told = ""
    try:
        product = parse_product([*data, *images("B04")], data.__getitem__, where="X.SAFE")
    except LandloomError as error:
        told = str(error)
    assert product.granules if not told else "X.SAFE" in told


TIFF = encode_geotiff(
    np.arange(60 * 60, dtype=np.uint16).reshape(1, 60, 60),
    Grid.of_bounds(32633, (500_000, 5_000_000, 500_600, 5_000_600), 10),
    nodata=0,
    bands=["B04"],
)


@pytest.mark.filterwarnings("ignore:Exception ignored in. 'rasterio._env.log_error'")
@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 4_000))
def test_a_damaged_geotiff_is_read_or_refused(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(TIFF[: len(TIFF) - cut])
    for place, value in changes:
        if place < len(data):
            data[place] = value
    with suppress(LandloomError):
        decode_geotiff(bytes(data))
