"""Neighbours ask together, and get what each would have got alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shapely import MultiPolygon, box

from landloom.archive.batches import search_each
from landloom.archive.stac_api import ApiArchive
from landloom.formats.stac.profiles import EARTH_SEARCH
from landloom.model.time import Period

if TYPE_CHECKING:
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
