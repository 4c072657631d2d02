"""The STAC API over HTTP, against the query engine, the static catalogue, pystac-client and the schemas."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import orjson
import pytest
import shapely
from pystac_client import Client

from landloom.corpus.audit.schemas import Schemas

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Served

JSON = {"content-type": "application/json"}
TEXT = {"filter-lang": "cql2-text"}
IMAGERY, LABELS = "own_v1_source_s2", "own_v1_labels"
PICTURES = {"thumbnail", "overview"}
TIME = "2018-02-10T00:00:00Z/2018-03-05T00:00:00Z"


def search(served: Served, **asked: Any) -> dict[str, Any]:
    answer = served.http.post("/search", json=asked)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def samples(document: dict[str, Any]) -> list[str]:
    return [item["properties"]["sample_id"] for item in document["features"]]


def around(served: Served, share: float = 0.5) -> list[float]:
    """A box that holds some of the samples."""
    west, south, east, north = served.corpus.query().to_geodataframe().total_bounds.tolist()
    return [west, south, west + (east - west) * share, north]


# What is found ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["clc_3 >= 0.5", "clc_31 + clc_2 > 0.4 AND stratum = 'DE'", "NOT split IN ('test')"])
def test_filter_finds_what_the_query_finds(own: Served, where: str) -> None:
    wanted = own.corpus.query(where=where).ids
    assert 0 < len(wanted) < len(own.corpus)
    post = search(own, collections=[LABELS], filter=where, **TEXT, limit=1000)
    get = own.http.get("/search", params={"collections": LABELS, "filter": where, "limit": 1000}).json()
    assert samples(post) == samples(get) == list(wanted)


def test_box_and_geometry_find_what_the_query_finds(own: Served) -> None:
    box = around(own)
    shape = own.corpus.query().footprints()[7].buffer(0.1)
    for asked, region in (({"bbox": box}, box), ({"intersects": shapely.geometry.mapping(shape)}, shape)):
        wanted = own.corpus.query(region=region).ids
        assert 0 < len(wanted) < len(own.corpus)
        assert samples(search(own, collections=[LABELS], limit=1000, **asked)) == list(wanted)


def test_only_items_that_exist_are_found(own: Served) -> None:
    found = samples(search(own, collections=[IMAGERY], limit=1000))
    there = np.asarray(own.exists["s2"].any(axis=1))
    assert found == [name for name, has in zip(own.corpus.query().ids, there.tolist(), strict=True) if has]
    assert 0 < len(found) < len(own.corpus)


def test_items_of_timesteps_are_found_by_time(granules: Served) -> None:
    found = search(granules, collections=[IMAGERY], datetime=TIME, limit=1000)
    assert {item["properties"]["datetime"][:7] for item in found["features"]} == {"2018-02", "2018-03"}
    assert len(found["features"]) == granules.exists["s2"][:, 1:3].sum()
    filtered = search(
        granules,
        filter="collection = 'own_v1_source_s2' AND datetime > TIMESTAMP('2018-02-01T00:00:00Z') AND clc_1 >= 0.5",
        **TEXT,
        limit=1000,
    )
    chosen = np.isin(granules.corpus.query().ids, granules.corpus.query(where="clc_1 >= 0.5").ids)
    assert len(filtered["features"]) == granules.exists["s2"][chosen, 1:].sum() > 0


def test_time_of_undated_items_is_their_whole_period(own: Served) -> None:
    assert search(own, collections=[IMAGERY], datetime="2018-03-01T00:00:00Z")["numberMatched"] > 0
    assert search(own, collections=[IMAGERY], datetime="2018-05-01T00:00:00Z")["numberMatched"] == 0
    assert search(own, collections=[IMAGERY], datetime="../2017-12-31T23:59:59Z")["numberMatched"] == 0


def test_ids_find_their_items(granules: Served, own: Served) -> None:
    for served in (granules, own):
        every = [item["id"] for item in search(served, limit=1000)["features"]]
        wanted = every[1::7]
        found = search(served, ids=[*wanted[::-1], "nobody", "own_v1_source_s2_", wanted[0]], limit=1000)
        assert [item["id"] for item in found["features"]] == wanted
        one = wanted[0]
        listed = served.http.get("/search", params={"filter": f"id = '{one}' AND clc_1 >= 0", "limit": 5}).json()
        assert [item["id"] for item in listed["features"]] == [one]


def test_pages_are_complete_and_without_duplicates(granules: Served) -> None:
    whole = [item["id"] for item in search(granules, limit=1000)["features"]]
    assert len(set(whole)) == len(whole) == granules.exists["s2"].sum() + len(granules.corpus)
    for method in ("GET", "POST"):
        found: list[str] = []
        link: dict[str, Any] | None = {"href": "/search?limit=7", "method": "GET"}
        if method == "POST":
            link = {"href": "/search", "method": "POST", "body": {"limit": 7}}
        while link is not None:
            page = granules.http.request(link["method"], link["href"], json=link.get("body")).json()
            found += [item["id"] for item in page["features"]]
            assert page["numberMatched"] == len(whole)
            link = next((own for own in page["links"] if own["rel"] == "next"), None)
        assert found == whole


def test_previous_page_leads_back(own: Served) -> None:
    first = own.http.get("/search", params={"limit": 5, "filter": "clc_2 > 0"}).json()
    second = own.http.get(next(link["href"] for link in first["links"] if link["rel"] == "next")).json()
    back = own.http.get(next(link["href"] for link in second["links"] if link["rel"] == "previous")).json()
    assert samples(back) == samples(first) != samples(second)


def test_sorting(own: Served, granules: Served) -> None:
    shares = dict(zip(own.corpus.query().ids, own.corpus.query().fractions()["clc_211"].tolist(), strict=True))
    found = search(own, collections=[LABELS], sortby=[{"field": "clc_211", "direction": "desc"}], limit=1000)
    assert samples(found) == sorted(own.corpus.query().ids, key=lambda name: -shares[name])
    listed = granules.http.get("/search", params={"sortby": "-datetime,+id", "limit": 1000}).json()["features"]
    keys = [(item["properties"]["datetime"] or item["properties"]["start_datetime"], item["id"]) for item in listed]
    assert keys == sorted(sorted(keys, key=lambda key: key[1]), key=lambda key: key[0], reverse=True)


def test_fields(own: Served) -> None:
    item = search(own, fields={"include": ["id", "properties.proj:code"], "exclude": ["assets", "links"]})["features"][
        0
    ]
    assert set(item["properties"]) == {"proj:code"}
    assert "assets" not in item
    assert "links" not in item
    listed = own.http.get("/search", params={"fields": "-geometry,-properties.title"}).json()["features"][0]
    assert "geometry" not in listed
    assert "title" not in listed["properties"]
    assert "proj:code" in listed["properties"]


# What is given ---------------------------------------------------------------------------------------------------


def resolved(document: dict[str, Any], key: str, url: str) -> dict[str, str]:
    """Asset → address, of a static item."""
    folder = posixpath.dirname(key)
    return {
        name: f"{url}/files/{posixpath.normpath(posixpath.join(folder, asset['href']))}"
        for name, asset in document["assets"].items()
    }


@pytest.mark.parametrize("kind", ["own", "granules"])
def test_items_are_those_of_the_static_catalogue(kind: str, request: pytest.FixtureRequest) -> None:
    served: Served = request.getfixturevalue(kind)
    static = {path.stem: path for path in (served.folder / "stac-v1.0").rglob("*.json")}
    found = search(served, limit=1000)["features"]
    assert len(found) == sum(path.stem not in ("catalog", "collection") for path in static.values())
    for item in found:
        path = static[item["id"]]
        document = orjson.loads(path.read_bytes())
        key = str(path.relative_to(served.folder))
        files = {name: asset["href"] for name, asset in item["assets"].items() if name not in PICTURES}
        assert files == resolved(document, key, served.url)
        for name, value in document.items():
            if name not in ("links", "assets"):
                assert item[name] == value
        kept = [
            link["rel"] for link in document["links"] if link["rel"] not in ("root", "parent", "collection", "self")
        ]
        assert [link["rel"] for link in item["links"]][4:] == kept


def test_derived_items_equal_stored_ones(own: Served, tmp_path: Path) -> None:
    """The same corpus without its catalogue gives the same items."""
    from tests.server.conftest import running

    from landloom.query.corpus import Corpus

    for name in ("index/samples.parquet", "corpus.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((own.folder / name).read_bytes())
    wanted = search(own, limit=1000)["features"]
    for item in wanted:  # without chips there is nothing to draw
        item["assets"] = {name: asset for name, asset in item["assets"].items() if name not in PICTURES}
    with running(Corpus.open(tmp_path, cache=tmp_path / "cache")) as url:
        import httpx

        found = httpx.post(f"{url}/search", json={"limit": 1000}, timeout=60).json()["features"]
        collections = httpx.get(f"{url}/collections", timeout=60).json()["collections"]
    text = json.dumps(found).replace(url, own.url)
    assert json.loads(text) == wanted
    stored = own.http.get("/collections").json()["collections"]
    assert json.loads(json.dumps(collections).replace(url, own.url)) == stored


def test_derived_items_carry_the_table_of_codes(fused: Path, tmp_path: Path) -> None:
    """Each that of its tile, as published."""
    import httpx
    from tests.server.conftest import running

    from landloom.query.corpus import Corpus

    bare = tmp_path / "corpus"
    bare.mkdir()
    for path in (fused / "corpus").iterdir():
        if path.name != "stac-v1.0":
            (bare / path.name).symlink_to(path)
    stored = {path.stem: orjson.loads(path.read_bytes()) for path in (fused / "corpus" / "stac-v1.0").rglob("*.json")}
    with running(Corpus.open(bare, cache=tmp_path / "cache")) as url:
        found = httpx.post(f"{url}/search", json={"limit": 100}, timeout=60).json()["features"]
    series = [item for item in found if item["collection"].endswith("source_pf")]
    tables = {item["id"]: item["properties"]["scene_codes"] for item in series}
    assert len(tables) == 4
    assert tables == {name: stored[name]["properties"]["scene_codes"] for name in tables}
    assert len({json.dumps(table) for table in tables.values()}) > 1


@pytest.mark.parametrize("kind", ["own", "granules", "published"])
def test_documents_meet_the_schemas(kind: str, request: pytest.FixtureRequest, shared_schemas: Path) -> None:
    served: Served = request.getfixturevalue(kind)
    schemas = Schemas(shared_schemas)
    documents = search(served, limit=6)["features"]
    dated = [name for name in served.http.get("/collections").json()["collections"] if name["id"].endswith("_by_date")]
    documents += search(served, collections=[one["id"] for one in dated], limit=6)["features"]
    assert len(documents) == 12
    documents += served.http.get("/collections").json()["collections"] + [served.http.get("/").json()]
    problems = [str(problem) for item in documents for problem in schemas.check(item.get("id", ""), item)]
    assert problems == []
    assert not schemas.unchecked


def test_every_link_and_asset_answers(own: Served) -> None:
    found = search(own, limit=1000)["features"]
    chips = [asset["href"] for item in found for name, asset in item["assets"].items() if name not in PICTURES]
    there = [href for href in chips if own.http.head(href).status_code == 200]
    files = [path for folder in ("imagery", "labels") for path in (own.folder / folder).rglob("*.*")]
    assert len(there) == len(files) > 1
    documents = [own.http.get("/").json(), own.http.get("/collections").json(), *found[:3]]
    documents += own.http.get("/collections").json()["collections"]
    for document in documents:
        for link in document["links"]:
            if link["href"].startswith(own.url) and link.get("method", "GET") == "GET":
                assert own.http.get(link["href"]).status_code == 200, link


def test_pystac_client_finds_the_same_ids(published: Served) -> None:
    client = Client.open(published.url)
    box = around(published, 0.7)
    where = "clc_2 >= 0.3"
    wanted = published.corpus.query(region=box, where=where).ids
    assert 10 < len(wanted) < 300
    for options in ({"filter": where}, {"filter": json.loads('{"op":">=","args":[{"property":"clc_2"},0.3]}')}):
        items = client.search(collections=["rapidai4eo_v1_source_pf"], bbox=box, limit=7, **options).item_collection()
        assert [item.properties["sample_id"] for item in items] == list(wanted)
        assert len(items[0].assets) == 292
    assert {item.id for item in client.get_collections()} == {
        "rapidai4eo_v1_source_s2",
        "rapidai4eo_v1_source_pf",
        "rapidai4eo_v1_labels",
        "rapidai4eo_v1_source_s2_by_date",
        "rapidai4eo_v1_source_pf_by_date",
    }
    labels = client.get_collection("rapidai4eo_v1_labels")
    assert labels is not None
    one = labels.get_item(f"rapidai4eo_v1_labels_{wanted[0]}")
    assert one is not None
    assert {link.rel for link in one.links} >= {"self", "root", "parent", "collection", "related"}


def test_items_found_again_lead_to_the_server_that_was_asked(published: Served) -> None:
    names = ("one.example", "two.example", "one.example")
    first, other, again = (
        published.http.post("/search", json={"limit": 3}, headers={"host": name}).text for name in names
    )
    assert first.count("//one.example/") > 3
    assert again == first == other.replace("two.example", "one.example")


def test_hrefs_are_those_of_the_query(published: Served) -> None:
    name = published.corpus.query().ids[5]
    selection = published.corpus.query(where=f"id = '{name}'", products=["pfsr", "pfqa"])
    item = search(
        published,
        collections=["rapidai4eo_v1_source_pf"],
        filter=f"sample_id = '{name}'",
        **TEXT,
    )
    hrefs = {asset["href"] for asset in item["features"][0]["assets"].values()}
    assert hrefs == {f"{published.url}/files/{path}" for path in selection.assets.paths()}


def test_landing_page_and_conformance(own: Served) -> None:
    landing = own.http.get("/").json()
    classes = own.http.get("/conformance").json()["conformsTo"]
    assert landing["conformsTo"] == classes
    for part in (
        "v1.0.0/core",
        "v1.0.0/collections",
        "v1.0.0/ogcapi-features",
        "v1.0.0/item-search",
        "item-search#filter",
    ):
        assert any(name.endswith(part) for name in classes), part
    for part in ("item-search#sort", "item-search#fields", "conf/cql2-text", "conf/cql2-json", "conf/basic-cql2"):
        assert any(name.endswith(part) for name in classes), part
    queryables = own.http.get("/queryables").json()["properties"]
    assert {"clc_311", "clc_31", "clc_3", "stratum", "id", "collection", "datetime"} <= set(queryables)
    assert queryables["stratum"]["enum"] == ["DE", "FI"] or queryables["stratum"]["enum"] == ["FI", "DE"]
    assert own.http.get("/api").headers["content-type"].startswith("application/vnd.oai.openapi+json")


def test_browsers_get_the_page(own: Served) -> None:
    answer = own.http.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "Accept" in answer.headers["vary"]
    assert own.http.get("/", params={"f": "json"}, headers={"Accept": "text/html"}).json()["id"] == "own_v1"


@pytest.mark.parametrize("where", ["clc_3 >= 0.5", "clc_211 > clc_311 OR stratum IS NULL"])
def test_questions_at_once_get_the_answers_of_questions_one_by_one(published: Served, where: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    columns = published.corpus.sidecar.columns[:24]
    filters = [f"{column} > 0.1 AND ({where})" for column in columns]
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(
                lambda text: samples(
                    search(
                        published,
                        collections=["rapidai4eo_v1_labels"],
                        filter=text,
                        **TEXT,
                        limit=1000,
                    )
                ),
                filters,
            )
        )
    assert found == [list(published.corpus.query(where=text).ids) for text in filters]


# Split sets ------------------------------------------------------------------------------------------------------


def test_a_split_set_takes_the_place_of_the_splits(own: Served, halves: Path) -> None:
    wanted = list(own.corpus.query(split_set=halves.stem, split="fold-2").ids)
    assert 0 < len(wanted) < len(own.corpus)
    asked: dict[str, Any] = {"filter": "split = 'fold-2'", "split_set": halves.stem, "limit": 4}
    found: list[str] = []
    address: str | None = f"/collections/{LABELS}/items?{httpx.QueryParams(asked)}"
    while address is not None:
        page = own.http.get(address).json()
        found += samples(page)
        assert {item["properties"]["split"] for item in page["features"]} == {"fold-2"}
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert found == wanted
    page = search(own, collections=[LABELS], **TEXT, **asked)
    following = next(link for link in page["links"] if link["rel"] == "next")
    assert samples(page) + samples(search(own, **following["body"])) == wanted[:8]
    name = page["features"][0]["id"]
    item = own.http.get(f"/collections/{LABELS}/items/{name}", params={"split_set": halves.stem}).json()
    assert item == page["features"][0]
    assert "split_set" not in own.http.get(f"/collections/{LABELS}/items/{name}").json()["properties"]
    sortby = [{"field": "properties.split", "direction": "desc"}]
    first = search(own, collections=[LABELS], sortby=sortby, split_set=halves.stem, limit=len(wanted))
    assert samples(first) == wanted


def test_queryables_name_the_splits_of_a_set(own: Served, halves: Path) -> None:
    links = [link["href"] for link in own.http.get("/", params={"f": "json"}).json()["links"]]
    (address,) = [link for link in links if link.endswith(f"queryables?split_set={halves.stem}")]
    found = own.http.get(address).json()
    assert found["properties"]["split"]["enum"] == ["fold-1", "fold-2"]
    assert found["$id"] == address
    for path in ("/search", "/queryables", f"/collections/{LABELS}/items"):
        answer = own.http.get(path, params={"split_set": "halve"})
        assert (answer.status_code, "halves" in answer.text) == (404, True)
    answer = own.http.post("/search", json={"split_set": "../corpus"})
    assert (answer.status_code, "name of a split set" in answer.text) == (400, True)
