from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from shapely import MultiPolygon, box, equals

from landloom.archive.stac_api import ApiArchive
from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.formats.stac.profiles import EARTH_SEARCH
from landloom.model.time import Period
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from tests.archive.conftest import ItemFactory, Server

REGION = box(15.2, 45.2, 15.3, 45.3)
YEAR = Period.year(2023)


def archive_at(url: str, **more: Any) -> ApiArchive:
    waits: list[float] = more.pop("waits", [])
    patience = Patience(attempts=4, first_wait=0.01, timeout=5.0, sleep=waits.append)
    return ApiArchive(url, more.pop("collection", "sentinel-2-l2a"), EARTH_SEARCH, patience=patience, **more)


def test_pages_are_followed_and_answers_are_in_order(stac_server: Server, make_item: ItemFactory) -> None:
    start = datetime(2023, 1, 1, 10, tzinfo=UTC)
    times = [(start + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ") for day in range(23)]
    stac_server.backend.items += [make_item(f"s{day:02d}", when) for day, when in reversed(list(enumerate(times)))]
    scenes = archive_at(stac_server.url, page=10).search(REGION, YEAR)
    assert [scene.id for scene in scenes] == [f"s{day:02d}" for day in range(23)]
    assert stac_server.backend.pages == [0, 10, 20]
    assert scenes[0].bands["B02"].href == "s3://bucket/s00/B02.tif"
    assert scenes[0].bands["B02"].offset == 0


def test_period_is_half_open_and_edges_do_not_count(stac_server: Server, make_item: ItemFactory) -> None:
    stac_server.backend.items += [
        make_item("first", "2023-01-01T00:00:00Z"),
        make_item("next-year", "2024-01-01T00:00:00Z"),
        make_item("touching", "2023-02-01T00:00:00Z", bounds=(15.3, 45.0, 16.0, 46.0)),
    ]
    assert [scene.id for scene in archive_at(stac_server.url).search(REGION, YEAR)] == ["first"]


def test_items_without_cloud_cover_and_across_the_antimeridian(stac_server: Server, make_item: ItemFactory) -> None:
    crossing = make_item("crossing", "2023-05-01T00:00:00Z", cloud=None, **{"grid:code": "MGRS-01KAB"})
    parts = MultiPolygon([box(179, -17, 180, -16), box(-180, -17, -179, -16)])
    crossing["geometry"] = parts.__geo_interface__
    stac_server.backend.items.append(crossing)
    region = MultiPolygon([box(179.9, -16.6, 180, -16.5), box(-180, -16.6, -179.9, -16.5)])
    (scene,) = archive_at(stac_server.url).search(region, YEAR)
    assert scene.cloud_cover is None
    assert equals(scene.footprint, parts)


def test_unreadable_items_are_left_out_and_listed(stac_server: Server, make_item: ItemFactory) -> None:
    broken = make_item("broken", "2023-05-01T00:00:00Z")
    broken["assets"] = {"thumbnail": {"href": "a.png"}}
    stac_server.backend.items += [broken, make_item("fine", "2023-05-02T00:00:00Z")]
    archive = archive_at(stac_server.url)
    assert [scene.id for scene in archive.search(REGION, YEAR)] == ["fine"]
    archive.search(REGION, YEAR)
    (problem,) = archive.problems
    assert problem.where == "broken"
    assert "expected files named like" in problem.what


def test_a_cloud_cover_that_is_none_costs_no_scene(stac_server: Server, make_item: ItemFactory) -> None:
    stac_server.backend.items.append(make_item("cloudy", "2023-05-01T00:00:00Z", cloud=120))
    archive = archive_at(stac_server.url)
    (scene,) = archive.search(REGION, YEAR)
    assert scene.cloud_cover is None
    assert [(one.where, "eo:cloud_cover" in one.what) for one in archive.problems] == [("cloudy", True)]


def test_passing_failures_are_retried(stac_server: Server, make_item: ItemFactory) -> None:
    stac_server.backend.items.append(make_item("one", "2023-05-01T00:00:00Z"))
    stac_server.trouble += [(503, {}), (429, {"Retry-After": "7"})]
    waits: list[float] = []
    assert len(archive_at(stac_server.url, waits=waits).search(REGION, YEAR)) == 1
    assert stac_server.searches == [503, 429, 200]
    assert waits[0] <= 0.01
    assert 7 <= waits[1] <= 8


def test_lasting_failures_are_transient_faults(stac_server: Server) -> None:
    stac_server.trouble += [(502, {})] * 9
    with pytest.raises(TransientFaultError, match="502"):
        archive_at(stac_server.url).search(REGION, YEAR)
    assert stac_server.searches == [502] * 4


def test_a_wait_beyond_patience_is_not_waited_for(stac_server: Server) -> None:
    stac_server.trouble += [(429, {"Retry-After": "86400"})]
    with pytest.raises(TransientFaultError, match="429"):
        archive_at(stac_server.url).search(REGION, YEAR)
    assert stac_server.searches == [429]


def test_the_callers_mistakes_are_not_retried(stac_server: Server) -> None:
    with pytest.raises(PermanentFaultError, match="404"):
        archive_at(stac_server.url, collection="landsat").search(REGION, YEAR)
    assert stac_server.searches == [404, 404], "one 404 may be a stray one"


def test_nobody_at_home_is_transient() -> None:
    waits: list[float] = []
    with pytest.raises(TransientFaultError):
        archive_at("http://127.0.0.1:9", waits=waits).search(REGION, YEAR)
    assert len(waits) == 3
