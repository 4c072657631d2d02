"""Beside the published items: pictures for people, a page of the API, and the same files by date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.server.stac.test_api import IMAGERY, LABELS, PICTURES, TEXT, TIME, samples, search

if TYPE_CHECKING:
    from tests.server.conftest import Served


def test_the_api_has_a_page_and_items_have_pictures(own: Served) -> None:
    page = own.http.get("/api.html")
    assert page.headers["content-type"].startswith("text/html")
    assert "/collections/{collection_id}/items" in page.text
    assert "<script" not in page.text
    with_files = {path.name for path in (own.folder / "imagery").glob("*/*/*")}
    found = search(own, collections=[IMAGERY], limit=1000)["features"]
    (item,) = [item for item in found if item["properties"]["sample_id"] in with_files]
    for role in sorted(PICTURES):
        assert item["assets"][role]["roles"] == [role]
        assert own.http.get(item["assets"][role]["href"]).content.startswith(b"\x89PNG")


def test_pages_lead_back(own: Served) -> None:
    first = search(own, collections=[LABELS], limit=4)
    second = search(own, **next(link for link in first["links"] if link["rel"] == "next")["body"])
    back = next(link for link in second["links"] if link["rel"] == "prev")
    assert samples(search(own, **back["body"])) == samples(first)
    assert "https://api.stacspec.org/v1.0.0/item-search#sort" in own.http.get("/conformance").json()["conformsTo"]


def test_a_search_has_to_name_collections_by_date(own: Served) -> None:
    everything = search(own, limit=1000)["features"]
    assert not any(item["collection"].endswith("_by_date") for item in everything)
    dated = f"{IMAGERY}_by_date"
    named = search(own, collections=[dated], datetime=TIME, limit=1000)["features"]
    assert len(named) == own.exists["s2"][:, 1:3].sum() > 0
    text = search(own, filter=f"collection = '{dated}'", **TEXT, limit=1000)["features"]
    assert len(text) == own.exists["s2"].sum()
    assert [item["id"] for item in search(own, ids=[named[0]["id"]])["features"]] == [named[0]["id"]]


def test_items_by_date_say_how_much_is_valid(own: Served) -> None:
    with_files = {path.name for path in (own.folder / "imagery").glob("*/*/*")}
    found = search(own, collections=[f"{IMAGERY}_by_date"], limit=1000)["features"]
    shares = {item["properties"]["sample_id"]: item["properties"].get("valid_share") for item in found}
    assert {name for name, share in shares.items() if share is not None} == with_files
    assert {share for share in shares.values() if share is not None} == {round(50 / 60, 4)}
