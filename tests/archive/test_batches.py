"""Neighbours ask together, and get what each would have got alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
from shapely import MultiPolygon, box
from shapely.geometry import mapping
from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet

from landloom.archive.batches import search_each
from landloom.archive.protocol import in_order, is_wanted
from landloom.archive.stac_api import ApiArchive
from landloom.archive.table import TableArchive
from landloom.formats.stac.items import parse_scene
from landloom.formats.stac.profiles import EARTH_SEARCH
from landloom.model.time import Period

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry
    from tests.archive.conftest import ItemFactory, Server

YEAR = Period.year(2023)


def test_answers_are_those_of_a_search_each(stac_server: Server, make_item: ItemFactory) -> None:
    """Also where a reprocessed scene reaches one tile only, and its elder another."""
    west = 14.0
    tiles: dict[str, BaseGeometry] = {}
    for n in range(12):
        tiles[f"tile{n}"] = box(west + n * 0.3, 45.2, west + n * 0.3 + 0.25, 45.4)
    tiles["crossing"] = MultiPolygon([box(179.9, 45, 180, 45.1), box(-180, 45, -179.9, 45.1)])
    stac_server.backend.items += [
        make_item(
            f"s{n:02d}", f"2023-05-{n + 1:02d}T10:00:00Z", bounds=(west + n * 0.2, 45.0, west + n * 0.2 + 1.1, 46.0)
        )
        for n in range(14)
    ]
    old = make_item("old", "2023-06-01T10:00:00Z", bounds=(14.0, 45.0, 15.1, 46.0))
    newer = {"s2:processing_baseline": "05.09"}
    new = make_item("new", "2023-06-01T10:00:00Z", bounds=(14.4, 45.0, 15.1, 46.0), **newer)
    stac_server.backend.items += [old, new]
    archive = ApiArchive(stac_server.url, "sentinel-2-l2a", EARTH_SEARCH)
    alone = {name: archive.search(tile, YEAR) for name, tile in tiles.items()}
    asked = len(stac_server.searches)
    together = dict(search_each(archive, tiles, YEAR))
    assert together == alone
    assert {scene.id for scene in together["tile0"]} >= {"old"}
    assert len(stac_server.searches) - asked <= 5 < asked, "three boxes of 2 degrees and the one that crosses"


def test_a_table_is_read_once_for_all_footprints(make_item: ItemFactory, tmp_path: Path) -> None:
    """Each footprint gets the items that meet it, oldest first, whatever the order and groups of rows."""
    drawn = np.random.default_rng(4)
    corners = drawn.uniform((-179, -60), (178, 60), (60, 2)).round(2).tolist()
    items = [
        make_item(f"s{n:02d}", f"2023-{n % 12 + 1:02d}-{n % 28 + 1:02d}T10:00:00Z", bounds=(x, y, x + 1.1, y + 1))
        for n, (x, y) in enumerate(corners)
    ]
    around = make_item("around", "2023-06-01T10:00:00Z")
    halves = [box(179.5, 45, 180, 46), box(-180, 45, -179.5, 46)]
    around |= {"geometry": mapping(MultiPolygon(halves)), "bbox": [179.5, 45, -179.5, 46]}
    to_parquet(parse_stac_items_to_arrow([*items, around]), tmp_path / "items.parquet")
    rows = pq.read_table(tmp_path / "items.parquet", use_threads=False)
    pq.write_table(rows, tmp_path / "items.parquet", row_group_size=7)
    tiles: dict[str, BaseGeometry] = {f"t{n}": box(x + 0.3, y - 0.2, x + 0.5, y) for n, (x, y) in enumerate(corners)}
    tiles["touching"] = box(corners[0][0] - 1, corners[0][1], *corners[0])
    tiles["crossing"] = MultiPolygon([box(179.9, 45, 180, 45.1), box(-180, 45, -179.9, 45.1)])
    tiles["wide"] = box(-179, -60, 178, 60)
    table = TableArchive(tmp_path / "items.parquet", EARTH_SEARCH)
    together = dict(search_each(table, tiles, YEAR))
    scenes = [parse_scene(item, "", EARTH_SEARCH) for item in [*items, around]]
    for name, tile in tiles.items():
        wanted = {scene.id for scene in scenes if is_wanted(scene, tile, YEAR)}
        assert {scene.id for scene in together[name]} == wanted
        assert together[name] == table.search(tile, YEAR) == in_order(together[name])
    assert [scene.id for scene in together["crossing"]] == ["around"]
    assert dict(search_each(table, {}, YEAR)) == {}
    assert table.problems == ()
