"""Names in documents of the public network that resolve into a private one: no request is ever sent there.

`127.1` and `0x7f.1` are names to Python and addresses of this machine to the resolver. A host that was public once
stays public, as one whose owner lets its name resolve to this machine afterwards.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from tests.cases.archives import only_chip, write_catalog, write_recipe, write_scene

from landloom.engine.executors import processes
from landloom.errors import ForeignAddressError, TransientFaultError
from landloom.model.address import HOSTS_VARIABLE, resolve
from landloom.pipelines.build import build
from landloom.query.search import stac_search
from landloom.store.hosts import Peers, take_over_peers
from landloom.store.href_documents import HrefDocuments
from landloom.store.open import open_store
from landloom.store.patience import Patience
from landloom.store.ranges import open_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web import FaultyServer

PUBLIC: Final = "https://public.example/catalog.json"
TURNED: Final = "0x7f.1"
"""A host that was public."""
LEADS: Final = "leads to 127.1 .127.0.0.1., an address of this machine or of a private network"
ONCE: Final = Patience(attempts=1)


@pytest.fixture(autouse=True)
def _reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOSTS_VARIABLE, "")
    take_over_peers(Peers(public={"public.example": "1.1.1.1", TURNED: "1.1.1.1"}, private={}))


@pytest.fixture
def inside(faulty: FaultyServer) -> str:
    """Address of a file on this machine, by a name."""
    (faulty.root / "a.json").write_bytes(b"{}")
    return faulty.address.replace("127.0.0.1", "127.1") + "/a.json"


READERS: Final[dict[str, Callable[[str, str | None], bytes]]] = {
    "document": lambda href, document: HrefDocuments(ONCE).read(href, document),
    "raster": lambda href, document: open_source(href, ONCE, document).head,
}


def of_store(href: str, _: str | None) -> bytes:
    folder, _, key = href.rpartition("/")
    return open_store(folder).get(key)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("document", [None, "/data/catalog.json", "http://10.0.0.8/catalog.json"])
def test_users_and_documents_from_inside_name_what_they_like(reader: str, document: str | None, inside: str) -> None:
    assert READERS[reader](inside, document) == b"{}"


@pytest.mark.parametrize("reader", READERS)
def test_a_public_document_does_not_lead_inside(
    reader: str, inside: str, faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ForeignAddressError, match=LEADS):
        READERS[reader](inside, PUBLIC)
    assert faulty.requests == []
    monkeypatch.setenv(HOSTS_VARIABLE, "127.1")
    assert READERS[reader](inside, PUBLIC) == b"{}"
    monkeypatch.setenv(HOSTS_VARIABLE, "127.0.0.1")
    literal = resolve(inside.replace("127.1", "127.0.0.1"), document=PUBLIC)
    assert READERS[reader](literal, PUBLIC) == b"{}", "by its number"


def test_an_open_connection_is_no_way_round(inside: str, faulty: FaultyServer) -> None:
    documents = HrefDocuments(ONCE)
    documents.read(inside)
    faulty.requests.clear()
    with pytest.raises(ForeignAddressError, match=LEADS):
        documents.read(inside, PUBLIC)
    assert faulty.requests == []


@pytest.mark.parametrize("read", [*READERS.values(), of_store], ids=[*READERS, "store"])
def test_a_redirect_of_a_public_host_does_not_lead_inside(
    read: Callable[[str, str | None], bytes], inside: str, faulty: FaultyServer
) -> None:
    faulty.redirect["/b.json"] = 302, inside
    moved = faulty.address.replace("127.0.0.1", TURNED) + "/b.json"
    with pytest.raises(TransientFaultError, match=f"redirects to .*127.1.*refused: .*{LEADS}"):
        read(moved, None)
    assert faulty.requests == ["/b.json"]
    assert HrefDocuments(ONCE).read(faulty.address + "/a.json") == b"{}", "redirects of the past are forgotten"
    faulty.redirect["/b.json"] = 302, faulty.address + "/c.json"
    (faulty.root / "c.json").write_bytes(b"1")
    assert HrefDocuments(ONCE).read(faulty.address + "/b.json") == b"1", "a private host may redirect to itself"


def archive_of(faulty: FaultyServer) -> str:
    """Two scenes; the document of the second lies at a host that was public, and so do its files."""
    for name, day, value in (("x", "2018-06-05", 2000), ("y", "2018-06-15", 4000)):
        write_scene(faulty.root / "archive", name, day, {"B04": value, "B08": value})
    write_catalog(faulty.root / "archive", "x", "y")
    path = faulty.root / "archive/catalog.json"
    catalog = json.loads(path.read_text(encoding="utf-8"))
    for link in catalog["links"]:
        if "y/" in link["href"]:
            link["href"] = f"{faulty.address.replace('127.0.0.1', TURNED)}/archive/y/item.json"
    path.write_text(json.dumps(catalog), encoding="utf-8")
    return f"{faulty.address}/archive/catalog.json"


@pytest.mark.parametrize("workers", [0, 2])
def test_files_of_such_a_scene_are_left_out_by_name(faulty: FaultyServer, workers: int) -> None:
    recipe = write_recipe(faulty.root, archive_of(faulty))
    done = build(recipe, factory=processes(workers)) if workers else build(recipe)
    assert only_chip(done.corpus)[0].max() == 2004, "only the first scene"
    assert any("y" in note and f"leads to {TURNED}" in note for note in done.notes), done.notes
    assert not any(path.startswith("/archive/y/B") for path in faulty.requests)


def test_links_of_such_a_catalogue_are_named(faulty: FaultyServer) -> None:
    root = archive_of(faulty).replace("127.0.0.1", TURNED)
    told: list[str] = []
    assert stac_search(root, report=lambda where, what, _: told.append(f"{where}: {what}")) == []
    assert len(told) == 2
    assert all("an address of this machine or of a private network" in line for line in told)


@pytest.mark.parametrize("said", ["file:///etc/item.json", "/etc/item.json", "http://10.0.0.7/item.json"])
def test_what_an_item_of_a_service_says_of_its_place_is_not_believed(said: str) -> None:
    from landloom.archive.stac_api import item_address

    assert item_address({"links": [{"rel": "self", "href": said}]}, "https://public.example/v1") == (
        "https://public.example/v1"
    )
    there = "https://elsewhere.example/item.json"
    assert item_address({"links": [{"rel": "self", "href": there}]}, "https://public.example/v1") == there
