"""What the server refuses, and how: a reason, a status, in bounded time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.server.stac.test_api import JSON, search

if TYPE_CHECKING:
    from tests.server.conftest import Served

DEEP = "(" * 2_000 + "clc_1 = 1" + ")" * 2_000
NESTED = '{"op":"not","args":[' * 20_000 + "true" + "]}" * 20_000


@pytest.mark.parametrize(
    "asked",
    [
        {"filter": DEEP, "filter-lang": "cql2-text"},
        {"filter": "NOT " * 20_000 + "clc_1 = 1", "filter-lang": "cql2-text"},
        {"filter": " AND ".join(["clc_1 = 1"] * 20_000), "filter-lang": "cql2-text"},
        {"filter": "clc_311a > 0.5", "filter-lang": "cql2-text"},
        {"filter": "datetime > TIMESTAMP('yesterday')", "filter-lang": "cql2-text"},
        {"filter": "nothing > 0.5 AND id = 'x'", "filter-lang": "cql2-text"},
        {"filter": {"op": "t_rex", "args": []}},
        {"filter": {"op": "=", "args": [{"property": "clc_1"}, 1]}, "filter-crs": "EPSG:3857"},
        {"intersects": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}},
        {"intersects": {"type": "MultiPoint", "coordinates": [[0.0, 0.0]] * 10_001}},
        {"intersects": {"type": "Circle"}},
        {"bbox": [0, 0, 1]},
        {"bbox": [0, 0, 1, 1], "intersects": {"type": "Point", "coordinates": [0, 0]}},
        {"bbox": [10, 95, 20, 99]},
        {"datetime": "last year"},
        {"datetime": "2019-01-01T00:00:00Z/2018-01-01T00:00:00Z"},
        {"limit": 0},
        {"limit": "many"},
        {"ids": ["x"] * 5_001},
        {"sortby": [{"field": "beauty", "direction": "asc"}]},
        {"sortby": [{"field": "id", "direction": "asc"}] * 9},
        {"token": "next"},
        {"fields": None},
        {"token": "000000000000-10"},
        {"fields": {"include": [f"a{number}" for number in range(300)]}},
    ],
)
def test_bad_searches_get_a_reason(own: Served, asked: dict[str, Any]) -> None:
    answer = own.http.post("/search", json=asked)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"code", "description"}
    assert len(answer.content) < 4_000
    assert answer.elapsed.total_seconds() < 10


def test_bodies_are_bounded_before_they_are_read(own: Served) -> None:
    answers = {
        "deep": own.http.post("/search", content=f'{{"filter": {NESTED}}}', headers=JSON),
        "quotes": own.http.post("/search", content='{"a": "' + '\\"' * 500_000, headers=JSON),
        "list": own.http.post("/search", content="[1]", headers=JSON),
        "form": own.http.post("/search", data={"limit": "1"}),
        "large": own.http.post("/search", content=b" " * 2_000_000),
        "broken": own.http.post("/search", content=b'{"limit": ', headers=JSON),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "deep": 400,
        "quotes": 400,
        "list": 400,
        "form": 400,
        "large": 413,
        "broken": 400,
    }
    assert all(answer.elapsed.total_seconds() < 10 for answer in answers.values())
    assert own.http.get("/search", params={"filter": NESTED[:16_000], "limit": 1}).status_code == 400


def test_pages_have_a_largest_size(published: Served) -> None:
    found = published.http.get("/search", params={"limit": 100_000, "fields": "id,-assets,-links"}).json()
    assert found["numberReturned"] == min(1_000, found["numberMatched"]) == 900


def test_what_is_not_there(own: Served) -> None:
    for path in (
        "/collections/none",
        "/collections/none/items",
        "/collections/none/queryables",
        "/collections/own_v1_labels/items/none",
        "/nothing",
    ):
        answer = own.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "Not Found")
    assert search(own, collections=["none"])["features"] == []


def test_head_and_options(own: Served) -> None:
    get, head = own.http.get("/search?limit=1"), own.http.head("/search?limit=1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))
    plain = own.http.options("/search")
    assert (plain.status_code, plain.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    assert own.http.options("/search", headers=asked).headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(own: Served, method: str) -> None:
    for path in ("/collections", "/collections/own_v1_labels/items", "/files/corpus.json"):
        assert own.http.request(method, path, json={}).status_code == 405


def test_only_published_files_are_served(own: Served) -> None:
    (own.folder / ".landloom").mkdir(exist_ok=True)
    (own.folder / ".landloom" / "journal.sqlite").write_bytes(b"secret")
    (own.folder / "report.html").write_text("secret", encoding="utf-8")
    link = own.folder / "labels" / "out.geojson"
    if not link.is_symlink():
        link.symlink_to("/etc/hostname")
    for key in (
        ".landloom/journal.sqlite",
        "report.html",
        "labels/out.geojson",
        "labels",
        "labels/..%2f..%2fx",
        "imagery/%00",
    ):
        assert own.http.get(f"/files/{key}").status_code == 404, key
    link.unlink()
    assert own.http.get("/files/corpus.json").json()["name"] == "own"
