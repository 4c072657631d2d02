"""Documents of simulated scenes: footprints of what was seen, percentages of the classification, names of ESA."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.formats.stac.items import parse_scene
from landloom.formats.stac.profiles import EARTH_SEARCH
from landloom.model.grid import WGS84
from landloom.model.sensor import Scl
from landloom.model.shapes import reproject
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import BANDS, world_spec
from landloom.simulate.stac_items import (
    FileFacts,
    cloud_cover,
    collection_document,
    generated,
    item_document,
    product_uri,
    scene_footprint,
)

SCENES = plan_scenes(world_spec("tiny"))
FACTS = {name: FileFacts(size=7, checksum="1220" + "0" * 64) for name in (*BANDS, "SCL")}


def test_footprints_are_windows_as_far_as_the_swath_reaches() -> None:
    for scene in SCENES:
        found = reproject(scene_footprint(scene), WGS84, scene.grid.epsg)
        window = scene.grid.outline()
        assert found.difference(window.buffer(1)).is_empty
        if scene.swath is None:
            assert found.area == pytest.approx(window.area, rel=1e-4)
            continue
        x1, y1, x2, y2 = scene.swath
        assert 0.2 < found.area / window.area < 0.9
        edge = shapely.LineString([(x1 - 9 * (x2 - x1), y1 - 9 * (y2 - y1)), (x2 + 9 * (x2 - x1), y2 + 9 * (y2 - y1))])
        assert found.boundary.distance(shapely.Point((x1 + x2) / 2, (y1 + y2) / 2)) < 5
        assert not found.buffer(-5).crosses(edge)


def test_items_are_read_as_scenes() -> None:
    scl = np.full((10, 10), Scl.VEGETATION, np.uint8)
    scl[0], scl[1] = Scl.CLOUD_HIGH, Scl.NO_DATA
    for scene in SCENES:
        read = parse_scene(item_document(scene, scl, FACTS), "https://example.org/item.json", EARTH_SEARCH)
        assert (read.id, read.time, read.granule, read.epsg) == (scene.id, scene.time, scene.granule, scene.grid.epsg)
        assert (read.baseline, read.platform, read.orbit) == (scene.baseline, scene.platform, scene.orbit)
        assert read.footprint.symmetric_difference(scene_footprint(scene)).area < 1e-8
        assert {asset.offset for asset in read.bands.values()} == {0 if scene.applied else -scene.offset}
        assert read.nodata_share == pytest.approx(10)
        wanted = None if "no-cloud-cover" in scene.flags else pytest.approx(100 / 9, abs=1e-5)
        assert read.cloud_cover == wanted


@given(st.lists(st.sampled_from(list(Scl)), min_size=1, max_size=50))
def test_cloud_cover_is_of_the_pixels_with_data(classes: list[Scl]) -> None:
    seen = [one for one in classes if one != Scl.NO_DATA]
    clouds = [one for one in seen if one in (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS)]
    wanted = 100 * len(clouds) / len(seen) if seen else 0
    assert cloud_cover(np.array([classes], np.uint8)) == pytest.approx(wanted, abs=1e-5)


def test_product_names_are_esas() -> None:
    pattern = re.compile(r"S2[AB]_MSIL(1C|2A)_\d{8}T\d{6}_N\d{4}_R\d{3}_T\d{2}[A-Z]{3}_\d{8}T\d{6}\.SAFE")
    for scene in SCENES:
        for level in ("L1C", "L2A"):
            assert pattern.fullmatch(product_uri(scene, level))
        assert generated(scene) > scene.time


def test_a_collection_reaches_over_its_scenes() -> None:
    boxes = [(scene, scene_footprint(scene).bounds) for scene in SCENES]
    extent = collection_document(boxes)["extent"]
    whole = shapely.box(*extent["spatial"]["bbox"][0])
    assert all(whole.covers(shapely.box(*box)) for _, box in boxes)
    ((start, end),) = extent["temporal"]["interval"]
    assert start <= end
