"""Five real scenes through their static catalog (`s2_l2a_120m_33TWL`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from shapely import box

from landloom.archive.granule_cover import fewest_granules, granules_for
from landloom.archive.open import open_archive
from landloom.formats.stac.items import parse_scene
from landloom.formats.stac.profiles import PLANETARY_COMPUTER
from landloom.model.scene import Role
from landloom.model.time import Period

if TYPE_CHECKING:
    from landloom.archive.protocol import Archive

AUGUST = Period.parse("2023-08-01", "2023-09-01")
ZAGREB = box(15.5, 45.4, 15.9, 45.8)


@pytest.fixture
def archive(shared_data: Path) -> Archive:
    return open_archive("static", str(shared_data / "s2_l2a_120m_33TWL" / "catalog.json"))


def test_the_five_scenes_and_what_the_items_say_of_them(archive: Archive, shared_data: Path) -> None:
    scenes = archive.search(ZAGREB, AUGUST)
    assert [f"{scene.time:%m-%d}" for scene in scenes] == ["08-10", "08-13", "08-15", "08-18", "08-20"]
    assert [round(scene.cloud_cover or 0) for scene in scenes] == [69, 2, 0, 46, 8]
    assert {(scene.granule, scene.epsg, scene.baseline, scene.level) for scene in scenes} == {
        ("33TWL", 32633, "05.09", "L2A")
    }
    assert [scene.orbit for scene in scenes] == [79, 122, 79, 122, 79]
    for scene in scenes:
        for asset in (*(scene.bands[band] for band in ("B02", "B03", "B04", "B08")), scene.layers[Role.CLASSIFICATION]):
            assert Path(asset.href).is_file()
        assert {asset.offset for asset in scene.bands.values()} == {0}, "the offset is in the pixels already"
        document = json.loads(Path(str(scene.href)).read_text(encoding="utf-8"))
        assert document["assets"]["red"]["raster:bands"][0]["offset"] == -0.1
    assert shared_data in Path(scenes[0].bands["B04"].href).parents


def test_the_five_dangling_links_are_survived_and_reported(archive: Archive) -> None:
    archive.search(ZAGREB, AUGUST)
    assert len(archive.problems) == 5
    for problem in archive.problems:
        assert "33TWM" in problem.where
        assert "linked from" in problem.what


def test_other_places_and_times_are_pruned(archive: Archive) -> None:
    assert archive.search(box(4, 50, 5, 51), AUGUST) == ()
    assert archive.search(ZAGREB, Period.year(2018)) == ()
    assert archive.problems == (), "a collection that cannot answer is not opened"


def test_swaths_are_the_outlines(archive: Archive) -> None:
    corner = box(15.02, 45.9, 15.05, 45.95)
    assert len(archive.search(corner, AUGUST)) >= 3
    whole = [scene for scene in archive.search(ZAGREB, AUGUST) if (scene.nodata_share or 0) < 1]
    assert len(whole) == 3


def test_the_same_item_as_esa_serves_it_would_carry_the_offset(archive: Archive) -> None:
    scene = archive.search(ZAGREB, AUGUST)[0]
    document = json.loads(Path(str(scene.href)).read_text(encoding="utf-8"))
    del document["properties"]["earthsearch:boa_offset_applied"]
    document["assets"] = {"B04": {"href": "B04.jp2"}}
    assert parse_scene(document, str(scene.href), PLANETARY_COMPUTER).bands["B04"].offset == -1000


def test_granules_of_a_country_from_the_real_grid(shared_data: Path) -> None:
    import geopandas as gpd
    from shapely import union_all

    countries = gpd.read_file(shared_data / "countries" / "ne_50m_europe.geojson")
    grid = gpd.read_file(shared_data / "mgrs_grid" / "mgrs_tiles_europe.geojson")
    region = countries.loc[countries["ADM0_A3"] == "SVN", "geometry"].iloc[0]
    outlines = dict(zip(grid["tile"], grid.geometry, strict=True))
    shares = granules_for(region, outlines)
    cover = fewest_granules(region, outlines)
    assert cover.exact
    assert cover.uncovered < 1e-6
    assert len(cover.granules) < len(shares)
    assert region.difference(union_all([outlines[granule] for granule in cover.granules])).area < 1e-6
