"""The walk over trees that are made up: every item once, in the order of the links, whatever reads them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from landloom.errors import MissingKeyError, PermanentFaultError
from landloom.formats.stac.walk import Node, StaticStac, links, meets_box, overlaps, stac_document
from landloom.model.time import Period

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.formats.stac.walk import Read

Tree = dict[str, "Tree"]
"""Name of a child → its children; an item where there are none."""
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.just({}), lambda inner: st.dictionaries(st.sampled_from("abcde"), inner, max_size=4), max_leaves=20
)


def reading(files: Mapping[str, bytes]) -> Read:
    return lambda href, _: files[href]


def written(tree: Tree, path: str = "/r") -> dict[str, bytes]:
    """The documents of a tree, each in a folder of its name; items are linked before catalogs in any case."""
    if not tree and path != "/r":
        return {f"{path}/item.json": json.dumps({"type": "Feature", "id": path}).encode()}
    down: list[dict[str, str]] = []
    files: dict[str, bytes] = {}
    for name, below in tree.items():
        rel, file = ("child", "catalog.json") if below else ("item", "item.json")
        down.append({"rel": rel, "href": f"./{name}/{file}"})
        files |= written(below, f"{path}/{name}")
    up = [{"rel": "root", "href": "/r/catalog.json"}, {"rel": "parent", "href": "../catalog.json"}]
    return files | {f"{path}/catalog.json": json.dumps({"type": "Catalog", "id": path, "links": up + down}).encode()}


def walked(tree: Tree, path: str = "/r") -> list[str]:
    """What a plain recursion along the links finds: the items of a catalog, then its children."""
    items = [f"{path}/{name}" for name, below in tree.items() if not below]
    return items + [one for name, below in tree.items() if below for one in walked(below, f"{path}/{name}")]


def names(item: Mapping[str, Any], where: str, href: str) -> list[str]:
    assert where.startswith(href)
    return [item["id"]]


def fail(where: str, what: str, error: Exception) -> None:
    raise AssertionError(f"{where}: {what}") from error


@given(TREES)
def test_every_item_once_in_the_order_of_the_links(tree: Tree) -> None:
    files = written(tree)
    reads: list[str] = []

    def read(href: str, _: str) -> bytes:
        reads.append(href)
        return files[href]

    stac = StaticStac("/r/catalog.json", read, names, fail)
    assert list(stac.walk()) == list(stac.walk()) == walked(tree)
    assert sorted(reads) == sorted(files)
    assert stac.reached


@given(TREES)
def test_reading_many_at_once_changes_nothing(tree: Tree) -> None:
    with ThreadPoolExecutor(4) as pool:
        stac = StaticStac("/r/catalog.json", reading(written(tree)), names, fail, pool.map)
        assert list(stac.walk()) == walked(tree)


def test_catalogs_that_are_of_no_interest_are_not_read() -> None:
    files = written({"a": {"b": {"c": {}}}, "d": {}})
    del files["/r/a/b/catalog.json"]

    def enters(node: Node[str], depth: int) -> bool:
        return (node.id, depth) != ("/r/a", 1)

    assert list(StaticStac("/r/catalog.json", reading(files), names, fail).walk(enters=enters)) == ["/r/d"]


def test_what_cannot_be_read_is_reported_once_and_left_out() -> None:
    files = written({"a": {}, "b": {}, "c": {}}) | {"/r/b/item.json": b"{"}
    del files["/r/a/item.json"]
    heard: list[tuple[str, str]] = []

    def read(href: str, _: str) -> bytes:
        if href not in files:
            raise MissingKeyError(f"{href}: none")
        return files[href]

    stac = StaticStac("/r/catalog.json", read, names, lambda where, what, _: heard.append((where, what)))
    assert list(stac.walk()) == list(stac.walk()) == ["/r/c"]
    assert heard[0] == ("/r/a/item.json", "no such document, linked from /r/catalog.json")
    assert [where for where, _ in heard] == ["/r/a/item.json", "/r/b/item.json"]
    gone = StaticStac("/x.json", read, names, lambda where, what, _: heard.append((where, what)))
    assert list(gone.walk()) == []
    assert (gone.reached, heard[-1]) == (False, ("/x.json", "no such document (/x.json: none)"))


def test_features_of_a_collection_say_where_they_stand() -> None:
    content = json.dumps({"type": "FeatureCollection", "features": [{"id": "a"}, 3, {"id": "b"}]}).encode()
    heard: list[str] = []
    stac = StaticStac(
        "/all.json",
        lambda *_: content,
        lambda item, where, _: [(item["id"], where)],
        lambda where, *_: heard.append(where),
    )
    assert list(stac.walk()) == [("a", "/all.json#/features/0"), ("b", "/all.json#/features/2")]
    assert heard == ["/all.json#/features/1"]


def test_links_that_are_none_are_reported() -> None:
    heard: list[str] = []
    document = {"links": [{"rel": "item", "href": "a"}, "b", {"rel": "item"}, {"href": "c"}]}
    found = list(links(document, "/x.json", lambda _, what, __: heard.append(what)))
    assert found == [(0, "item", "a"), (3, "None", "c")]
    assert [what.split(":")[0] for what in heard] == ["links[1]", "links[2]"]
    assert list(links({"links": None}, "/x.json", fail)) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"{}", b'{"type": "Topology"}'])
def test_what_is_no_stac_is_refused(content: bytes) -> None:
    with pytest.raises(PermanentFaultError, match=r"x\.json"):
        stac_document(content, "x.json")


@given(st.floats(-180, 170), st.floats(-80, 70), st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_box_meets_what_shapely_says_it_meets(west: float, south: float, width: float, height: float) -> None:
    shape = box(-3, 40, 12, 51)
    bbox = (west, south, west + width, south + height)
    wanted = box(*bbox).intersects(shape)
    assert meets_box(bbox, shape) == wanted
    assert meets_box([west, south, -10, west + width, south + height, 4_000], shape) == wanted


@pytest.mark.parametrize(
    ("bbox", "wanted"),
    [
        ([170, 0, -170, 10], True),
        ([160, 0, 170, 10], False),
        ([-180, -90, 180, 90], True),
        ([-180, 20, 180, 90], False),
    ],
)
def test_a_box_over_the_antimeridian_or_around_the_earth(bbox: list[float], *, wanted: bool) -> None:
    assert meets_box(bbox, box(-176, 4, -174, 5)) == wanted


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (None, None, True),
        ("2018-12-31T23:59:59Z", None, True),
        ("2019-01-01T00:00:00Z", None, False),
        (None, "2018-01-01T00:00:00Z", True),
        (None, "2017-12-31T23:59:59Z", False),
    ],
)
def test_an_interval_shares_time_with_a_half_open_period(start: str | None, end: str | None, *, wanted: bool) -> None:
    assert overlaps(start, end, Period.year(2018)) == wanted


def test_an_extent_of_several_boxes_is_entered_by_any() -> None:
    extent = {
        "spatial": {"bbox": [[0, 0, 1, 1], [20, 20, 21, 21]]},
        "temporal": {"interval": [["2018-01-01T00:00:00Z", None]]},
    }
    node: Node[str] = Node("c", extent)
    assert node.may_hold(box(20.5, 20.5, 22, 22), Period.year(2018))
    assert not node.may_hold(box(5, 5, 6, 6), None)
    assert not node.may_hold(None, Period.year(2017))
    broken: Node[str] = Node("c", {"spatial": {"bbox": [["west"]]}})
    with pytest.raises(PermanentFaultError, match="extent"):
        broken.may_hold(box(0, 0, 1, 1), None)
