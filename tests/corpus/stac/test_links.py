"""Hrefs lead from one document to the other, relative or absolute, as a browser resolves them."""

from __future__ import annotations

import posixpath
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.corpus.manifest import FileEntry
from landloom.corpus.stac.links import Hrefs, file_fields

KEYS = st.lists(st.sampled_from(["a", "b", "33N", "stac-v1.0"]), max_size=4).map(
    lambda parts: "/".join([*parts, "x.json"])
)


@given(KEYS, KEYS)
def test_relative_hrefs_resolve_to_their_target(source: str, target: str) -> None:
    href = Hrefs().between(source, target)
    assert href.startswith(("./", "../"))
    assert urljoin(f"https://example.org/c/{source}", href) == f"https://example.org/c/{target}"
    assert posixpath.normpath(posixpath.join(posixpath.dirname(source), href)) == target


@pytest.mark.parametrize("base", ["https://example.org/c", "https://example.org/c/"])
def test_absolute_hrefs_do_not_depend_on_where_they_stand(base: str) -> None:
    assert Hrefs(base_url=base).between("a/b.json", "c/d.json") == "https://example.org/c/c/d.json"


def test_every_document_links_root_and_parent_and_itself_once_published() -> None:
    key, parent, root = "s/a/item.json", "s/a/collection.json", "s/catalog.json"
    assert [link["rel"] for link in Hrefs().frame(key, parent, root)] == ["root", "parent"]
    assert [link["rel"] for link in Hrefs().frame(root, root, root)] == ["root"]
    *_, own = Hrefs(base_url="https://e.org").frame(key, parent, root)
    assert (own["rel"], own["type"], own["href"]) == ("self", "application/geo+json", "https://e.org/s/a/item.json")
    *_, own = Hrefs(base_url="https://e.org").frame(parent, root, root)
    assert own["type"] == "application/json"


def test_facts_of_files_are_told_where_they_are_known() -> None:
    entry = FileEntry.of("a.tif", b"abc")
    assert file_fields({"a.tif": entry}, "a.tif") == {"file:size": 3, "file:checksum": entry.multihash}
    assert file_fields({}, "a.tif") == {}
