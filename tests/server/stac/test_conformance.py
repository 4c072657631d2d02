"""What stac-api-validator checks of the protocol, against a server on loopback.

The validator itself fetches JSON schemas from the web, so that it cannot be part of a suite without a network; the
documents are checked against the same schemas in `test_stac.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import shapely
from pystac_client import Client

if TYPE_CHECKING:
    from tests.server.conftest import Served

LABELS = "own_v1_labels"
GEOJSON = "application/geo+json"

VALID = [
    "1985-04-12T23:20:50.52Z",
    "1996-12-19T16:39:57-08:00",
    "../1985-04-12T23:20:50.52Z",
    "1985-04-12T23:20:50.52Z/",
    "/1985-04-12T23:20:50.52Z",
    "1985-04-12T23:20:50.52+01:00/1986-04-12T23:20:50.52+01:00",
    "1985-04-12t23:20:50.000z",
    "2020-07-23T00:00:00.012345678Z",
]
INVALID = [
    "/",
    "../..",
    "/1984-04-12T23:20:50.52Z/1985-04-12T23:20:50.52Z",
    "1985-04-12",
    "1937-01-01T12:00:27.87+0100",
    "37-01-01T12:00:27.87Z",
    "1985-12-12T23:20:50.52",
    "21985-12-12T23:20:50.52Z",
    "1985-13-12T23:20:50.52Z",
    "1985-12-32T23:20:50.52Z",
    "1985-12-01T25:20:50.52Z",
    "1985-12-01T00:60:50.52Z",
    "1985-04-12T23:20:50,52Z",
    "1986-04-12T23:20:50.52Z/1985-04-12T23:20:50.52Z",
]
GEOMETRIES = [
    shapely.Point(13, 52),
    shapely.LineString([(-170, -60), (170, 80)]),
    shapely.box(-170, -60, 170, 80),
    shapely.box(-170, -60, 170, 80) - shapely.box(-1, -1, 1, 1),
    shapely.MultiPoint([(13, 52), (14, 53)]),
    shapely.MultiLineString([[(13, 52), (14, 53)], [(0, 0), (1, 1)]]),
    shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 40, 80)]),
]


def pages(served: Served, **asked: Any) -> tuple[list[str], list[str]]:
    """Ids of a search by GET and by POST."""
    listed = {name: ",".join(map(str, v)) if isinstance(v, list) else v for name, v in asked.items()}
    get, post = served.http.get("/search", params=listed), served.http.post("/search", json=asked)
    for answer in (get, post):
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].split(";")[0] == GEOJSON
    first, second = ([item["id"] for item in answer.json()["features"]] for answer in (get, post))
    return first, second


def links(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for link in document["links"]:
        found.setdefault(link["rel"], []).append(link)
    return found


def test_landing_page_leads_everywhere(own: Served) -> None:
    answer = own.http.get("/")
    landing = answer.json()
    own_links = links(landing)
    assert answer.headers["content-type"] == "application/json"
    assert landing["type"] == "Catalog"
    assert {"id", "description", "stac_version", "conformsTo"} <= set(landing)
    assert [own_links[rel][0]["href"] for rel in ("self", "root")] == [f"{own.url}/"] * 2
    assert own_links["data"][0]["href"] == f"{own.url}/collections"
    assert own_links["conformance"][0]["href"] == f"{own.url}/conformance"
    assert [(link["method"], link["type"]) for link in own_links["search"]] == [("GET", GEOJSON), ("POST", GEOJSON)]
    assert {link["href"] for link in own_links["search"]} == {f"{own.url}/search"}
    described = own_links["service-desc"][0]
    got = own.http.get(described["href"], headers={"Accept": described["type"]})
    assert got.headers["content-type"].split(";")[0] == described["type"].split(";")[0]
    assert got.json()["openapi"].startswith("3.")
    assert own.http.get(own_links["service-doc"][0]["href"]).headers["content-type"].startswith("text/html")
    assert [link["href"] for link in own_links["child"]] == [
        f"{own.url}/collections/{item['id']}" for item in own.http.get("/collections").json()["collections"]
    ]


def test_collections_and_items_say_where_they_are(own: Served) -> None:
    listing = own.http.get("/collections").json()
    assert links(listing)["self"][0]["href"] == f"{own.url}/collections"
    for found in listing["collections"]:
        href = f"{own.url}/collections/{found['id']}"
        assert own.http.get(href).json() == found
        assert links(found)["self"][0]["href"] == href
        assert {"root", "parent", "items"} <= set(links(found))
        answer = own.http.get(f"{href}/items", params={"limit": 3})
        assert answer.headers["content-type"].split(";")[0] == GEOJSON
        assert {"self", "root", "next"} <= set(links(answer.json()))
        for item in answer.json()["features"]:
            one = own.http.get(f"{href}/items/{item['id']}")
            assert one.headers["content-type"].split(";")[0] == GEOJSON
            assert one.json() == item
            assert links(item)["self"][0]["href"] == f"{href}/items/{item['id']}"
            assert links(item)["collection"][0]["href"] == href


@pytest.mark.parametrize("served", ["own", "granules"])
def test_get_and_post_find_the_same(served: str, request: pytest.FixtureRequest) -> None:
    corpus: Served = request.getfixturevalue(served)
    some = [item["id"] for item in corpus.http.get("/search?limit=9").json()["features"]]
    box = corpus.corpus.query().to_geodataframe().total_bounds.tolist()
    for asked in (
        {"limit": 5},
        {"limit": 7, "collections": [LABELS]},
        {"limit": 50, "collections": [LABELS, "own_v1_source_s2"]},
        {"ids": some},
        {"ids": some[:4], "collections": ["own_v1_source_s2"]},
        {"limit": 40, "bbox": [round(value, 6) for value in (box[0], box[1], (box[0] + box[2]) / 2, box[3])]},
        {"bbox": [20, -20, 21, -19], "ids": some},
        {"bbox": [-180, -90, 0, 180, 90, 9000], "limit": 3},
        {"datetime": "2018-02-01T00:00:00Z/2018-02-28T00:00:00Z", "limit": 30},
        {"collections": ["none"]},
    ):
        get, post = pages(corpus, **asked)
        assert get == post, asked
        assert bool(get) == (asked not in ({"collections": ["none"]}, {"bbox": [20, -20, 21, -19], "ids": some})), asked


def test_ids_do_not_override_other_conditions(own: Served) -> None:
    some = [item["id"] for item in own.http.get("/search?limit=9").json()["features"]]
    assert pages(own, ids=some, bbox=[-60, -60, -59, -59]) == ([], [])
    assert pages(own, ids=some, datetime="../2001-01-01T00:00:00Z") == ([], [])


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda shape: str(shape.geom_type))
def test_every_kind_of_geometry_intersects(own: Served, geometry: Any) -> None:
    shape = shapely.geometry.mapping(geometry)
    post = own.http.post("/search", json={"intersects": shape, "limit": 1000, "collections": [LABELS]})
    text = shapely.to_geojson(geometry)
    get = own.http.get("/search", params={"intersects": text, "limit": 1000, "collections": LABELS})
    found = [item["properties"]["sample_id"] for item in post.json()["features"]]
    assert found == [item["properties"]["sample_id"] for item in get.json()["features"]]
    assert found == list(own.corpus.query(region=geometry, quiet=True).ids)


def test_a_collection_of_geometries_intersects_or_is_refused(own: Served) -> None:
    shape = shapely.GeometryCollection([shapely.box(-170, -60, 170, 80), shapely.Point(0, 0)])
    answer = own.http.post("/search", json={"intersects": shapely.geometry.mapping(shape)})
    if answer.status_code == 200:
        assert answer.json()["numberMatched"] == own.http.get("/search").json()["numberMatched"]
    else:
        assert (answer.status_code, "intersects" in answer.text) == (400, True)


@pytest.mark.parametrize("text", VALID)
def test_instants_and_intervals_are_understood(own: Served, text: str) -> None:
    for answer in (
        own.http.get("/search", params={"datetime": text}),
        own.http.post("/search", json={"datetime": text}),
        own.http.get(f"/collections/{LABELS}/items", params={"datetime": text}),
    ):
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("text", INVALID)
def test_other_times_are_refused(own: Served, text: str) -> None:
    for answer in (
        own.http.get("/search", params={"datetime": text}),
        own.http.post("/search", json={"datetime": text}),
        own.http.get(f"/collections/{LABELS}/items", params={"datetime": text}),
    ):
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "box", ["0", "0,0", "0,0,0", "0,0,0,1,1", "0,0,0,1,1,1,1", "west,0,1,1", "0,1,1,0", "[0,0,1,1]"]
)
def test_other_boxes_are_refused(own: Served, box: str) -> None:
    numbers = [float(word) if word.replace(".", "").isdigit() else word for word in box.split(",")]
    for answer in (
        own.http.get("/search", params={"bbox": box}),
        own.http.get(f"/collections/{LABELS}/items", params={"bbox": box}),
        own.http.post("/search", json={"bbox": numbers}),
    ):
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("limit", [-1, 0, "many"])
def test_other_limits_are_refused(own: Served, limit: object) -> None:
    for answer in (
        own.http.get("/search", params={"limit": str(limit)}),
        own.http.get(f"/collections/{LABELS}/items", params={"limit": str(limit)}),
        own.http.post("/search", json={"limit": limit}),
    ):
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("limit", [1, 2, 100, 1_000, 10_000])
def test_limits_bound_pages(own: Served, limit: int) -> None:
    get, post = pages(own, limit=limit)
    assert get == post
    assert 0 < len(get) <= min(limit, 1_000)


def test_pages_of_a_collection_end_without_an_id_twice(granules: Served) -> None:
    client = Client.open(granules.url)
    found = [item.id for item in client.search(collections=["own_v1_source_s2"], limit=5).items()]
    assert len(found) == len(set(found)) == granules.exists["s2"].sum()
    listed, href = [], f"{granules.url}/collections/own_v1_source_s2/items?limit=9"
    while href:
        page = granules.http.get(href).json()
        listed += [item["id"] for item in page["features"]]
        assert len(page["features"]) == page["numberReturned"] <= 9
        href = links(page).get("next", [{"href": ""}])[0]["href"]
    assert listed == found


@pytest.mark.parametrize(
    "where",
    [
        "clc_2 >= 0.1 AND clc_2 < 0.9",
        "clc_2 > 0.5 OR clc_3 > 0.5",
        "NOT clc_2 > 0.5",
        "clc_2 <> 0.5",
        "clc_2 BETWEEN 0 AND 0.5",
        "clc_2 NOT BETWEEN 0 AND 0.5",
        "id LIKE 'own%'",
        "stratum NOT LIKE 'D%'",
        "stratum IS NULL",
        "collection = 'own_v1_labels'",
        "datetime >= TIMESTAMP('2018-01-01T00:00:00Z')",
    ],
)
def test_filters_of_the_conformance_classes_are_answered(own: Served, where: str) -> None:
    answer = own.http.get("/search", params={"filter": where, "filter-lang": "cql2-text", "limit": 1})
    assert answer.status_code == 200, answer.text


def test_queryables_are_a_schema(own: Served) -> None:
    answers = [own.http.get("/queryables"), own.http.get(f"/collections/{LABELS}/queryables")]
    for answer in answers:
        assert answer.headers["content-type"].split(";")[0] in ("application/schema+json", "application/json")
        document = answer.json()
        assert document["$schema"].startswith("https://json-schema.org/draft/")
        assert document["$id"] == str(answer.url)
        assert document["type"] == "object"


@pytest.mark.parametrize("name", ["type", "id", "geometry", "bbox", "links", "assets", "stac_version"])
def test_fields_give_little_beyond_what_is_asked(own: Served, name: str) -> None:
    get = own.http.get("/search", params={"fields": name, "limit": 2}).json()["features"][0]
    post = own.http.post("/search", json={"fields": {"include": [name]}, "limit": 2}).json()["features"][0]
    assert set(get) == set(post) == {"type", "stac_version", "id", "collection", name}


def test_fields_within_an_excluded_field_come(own: Served) -> None:
    asked = {"include": ["properties.proj:code"], "exclude": ["properties", "geometry"]}
    item = own.http.post("/search", json={"fields": asked, "limit": 1}).json()["features"][0]
    assert list(item["properties"]) == ["proj:code"]
    assert "geometry" not in item
    get = own.http.get("/search", params={"fields": "-properties,+properties.proj:code", "limit": 1}).json()
    assert list(get["features"][0]["properties"]) == ["proj:code"]


def test_a_sort_by_time_of_items_with_dates(granules: Served) -> None:
    for sign, backwards in (("+", False), ("-", True)):
        asked: dict[str, str | int] = {
            "sortby": f"{sign}properties.datetime",
            "limit": 100,
            "collections": "own_v1_source_s2",
        }
        found = [
            item["properties"]["datetime"] for item in granules.http.get("/search", params=asked).json()["features"]
        ]
        assert found == sorted(found, reverse=backwards)
        assert len(set(found)) > 1
