"""Web servers as they are: without ranges or lengths, compressing, redirecting, signed; catalogues that are broken."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.errors import LandloomError, MissingKeyError, StoreError, TransientFaultError
from landloom.query.corpus import Corpus
from landloom.query.search import stac_search
from landloom.query.transfer.destination import Wanted, plan_download, verify
from landloom.query.transfer.download import download
from landloom.query.transfer.parts import part_files
from landloom.query.transfer.stores import open_transfer_store
from landloom.store.open import open_store
from landloom.store.patience import Patience
from landloom.store.web import WebStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Ran

KINDS = ("plain", "ranges", "compressing", "chunked", "until closed", "no HEAD", "redirecting", "signed", "login")


@dataclass
class Web:
    """Files, and how a server sends them."""

    kind: str
    files: dict[str, bytes]
    address: str = ""
    asked: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, web: Web, *args: Any) -> None:
        self.web = web
        super().__init__(*args)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        self._serve(body=True)

    def _serve(self, *, body: bool) -> None:
        parts = urlsplit(self.path)
        name, kind = unquote(parts.path).lstrip("/"), self.web.kind
        self.web.asked.append(self.path)
        data = self.web.files.get(name.removeprefix("moved/"))
        if kind == "no HEAD" and not body:
            self._send(405, b"", body)
        elif kind == "signed" and parts.query != "sv=1&sig=a%2Fb":
            self._send(403, b"", body)
        elif kind == "login" and self.headers.get("Authorization") != "Basic dXNlcjpwQHNz":
            self._send(401, b"", body)
        elif kind == "redirecting" and not name.startswith("moved/"):
            self._send(302, b"", body, Location=f"/moved/{parts.path.lstrip('/')}")
        elif data is None:
            self._send(404, b"", body)
        else:
            self._file(data, body)

    def _file(self, data: bytes, body: bool) -> None:  # noqa: FBT001 - of this class alone
        kind, asked = self.web.kind, self.headers.get("Range")
        if kind == "compressing":
            self._send(200, gzip.compress(data), body, Content_Encoding="gzip")
        elif kind in ("chunked", "until closed"):
            self._without_length(data, body)
        elif asked and kind == "ranges":
            first, _, last = asked.removeprefix("bytes=").partition("-")
            stop = min(int(last) + 1 if last else len(data), len(data))
            part = data[int(first) : stop]
            self._send(206, part, body, Content_Range=f"bytes {first}-{stop - 1}/{len(data)}")
        else:
            self._send(200, data, body)

    def _send(self, status: int, data: bytes, body: bool, **headers: str) -> None:  # noqa: FBT001 - of this class alone
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _without_length(self, data: bytes, body: bool) -> None:  # noqa: FBT001 - of this class alone
        self.send_response(200)
        chunked = self.web.kind == "chunked"
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
        self.end_headers()
        self.close_connection = not chunked
        if body and chunked:
            pieces = [data[at : at + 999] for at in range(0, len(data), 999)]
            self.wfile.write(b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")
        elif body:
            self.wfile.write(data)


@contextmanager
def web(kind: str, files: dict[str, bytes]) -> Iterator[Web]:
    """A server of one kind over some files."""
    made = Web(kind=kind, files=files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, made))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    login, query = ("user:p%40ss@" if kind == "login" else ""), ("?sv=1&sig=a%2Fb" if kind == "signed" else "")
    made.address = f"http://{login}127.0.0.1:{server.server_port}{{}}{query}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_corpus_is_asked_and_downloaded_from_every_kind_of_server(
    tiny_corpus: Path, tmp_path: Path, kind: str
) -> None:
    local = Corpus.open(tiny_corpus, cache=tmp_path / "local").query(where="clc_1 <= 1", products="s2")
    with web(kind, files_of(tiny_corpus)) as server:
        corpus = Corpus.open(server.address.format(""), cache=tmp_path / "cache")
        assert corpus.query(where="clc_1 <= 1", products="s2").ids == local.ids
        assert "@" not in corpus.base
        assert "?" not in corpus.base
        files = part_files(corpus, "resources", open_store(corpus.base.rstrip("/")))
        done = download(
            plan_download(files, tmp_path / "out"),
            open_transfer_store(corpus.base),
            corpus="tiny 1.0",
            base=corpus.base,
            patience=Patience(attempts=2, first_wait=0.01),
        )
        assert (done.failed, done.fetched) == ((), len(files))
        cube = corpus.query(where="clc_1 <= 1", products="s2", limit=1)
        assert cube.cube(cube.ids[0], "s2").to_numpy().any()
    assert verify(tmp_path / "out") == []
    assert all((tmp_path / "out" / item.path).read_bytes() == (tiny_corpus / item.path).read_bytes() for item in files)


@pytest.mark.parametrize("kind", KINDS)
def test_reads_of_every_kind_of_server_agree(kind: str) -> None:
    data = bytes(range(256)) * 40
    files = {"a b/é.bin": data, "x.csv.gz": gzip.compress(b"1,2\n"), "empty": b""}
    with web(kind, files) as server:
        store = WebStore(server.address.format(""), Patience(attempts=1))
        for key, content in files.items():
            assert store.get(key) == content
            assert store.size(key) == len(content)
            assert store.exists(key)
        assert store.get_range("a b/é.bin", 1_000, 77) == data[1_000:1_077]
        assert store.get_range("a b/é.bin", 0, len(data)) == data
        with pytest.raises(StoreError, match="too short"):
            store.get_range("a b/é.bin", len(data) - 5, 10)
        assert not store.exists("absent")
        with pytest.raises(MissingKeyError):
            store.get("absent")
        with pytest.raises(MissingKeyError):
            store.size("absent")


def test_a_wrong_login_is_said_without_it() -> None:
    with web("login", {"a": b"1"}) as server:
        store = WebStore(server.address.format("").replace("p%40ss", "SECRET"), Patience(attempts=1))
        with pytest.raises(TransientFaultError, match="401") as caught:
            store.get("a")
        assert "SECRET" not in str(caught.value)


def catalog(*hrefs: str) -> bytes:
    links = [{"rel": "item", "href": href} for href in hrefs]
    return json.dumps({"type": "Catalog", "id": "c", "links": links}).encode()


def item(name: str, href: str = "./B04.tif") -> bytes:
    return json.dumps({"type": "Feature", "id": name, "assets": {"B04": {"href": href}}}).encode()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("href", ["./S2%20A/item.json", "./S2 A/item.json", "S2%20A/../S2%20A/item.json"])
def test_a_crawl_follows_links_on_every_kind_of_server(kind: str, href: str, run: Callable[..., Ran]) -> None:
    with web(kind, {"stac/catalog.json": catalog(href), "stac/S2 A/item.json": item("a")}) as server:
        done = run("crawl", server.address.format("/stac/catalog.json"))
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("A/B04.tif\n")
    assert "sig=" not in done.out + done.err
    assert "p%40ss" not in done.out + done.err


def test_a_query_that_signs_nothing_survives(run: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "i.json").write_bytes(item("a", "https://example.org/B04.tif?scale=2&sig=abc"))
    (tmp_path / "j.json").write_bytes(item("a", "https://example.org/B05.tif?scale=2"))
    (tmp_path / "catalog.json").write_bytes(catalog("i.json", "j.json"))
    done = run("crawl", tmp_path / "catalog.json")
    assert done.out.split() == ["https://example.org/B04.tif", "https://example.org/B05.tif?scale=2"]


DEEP = '{"type": "Catalog", "links": ' + "[" * 200_000 + "]" * 200_000 + "}"
BROKEN: dict[str, Any] = {
    "links that are text": {"type": "Catalog", "links": "abc"},
    "a link that is null": {"type": "Catalog", "links": [None]},
    "an href that is a number": {"type": "Catalog", "links": [{"rel": "item", "href": 5}]},
    "an href that is null": {"type": "Catalog", "links": [{"rel": "child", "href": None}]},
    "an extent of null": {"type": "Collection", "extent": None, "links": []},
    "a spatial extent of null": {"type": "Collection", "extent": {"spatial": None}, "links": []},
    "a box of null": {"type": "Collection", "extent": {"spatial": {"bbox": [None]}}, "links": []},
    "an interval of null": {"type": "Collection", "extent": {"temporal": {"interval": [None]}}, "links": []},
    "a bracket in the host": {"type": "Catalog", "links": [{"rel": "item", "href": "http://[::1"}]},
    "a port above all": {"type": "Catalog", "links": [{"rel": "item", "href": "http://127.0.0.1:99999/x"}]},
    "a port that is a word": {"type": "Catalog", "links": [{"rel": "item", "href": "http://127.0.0.1:x/x"}]},
    "another scheme": {"type": "Catalog", "links": [{"rel": "item", "href": "gopher://example.org/x"}]},
    "NUL in a link": {"type": "Catalog", "links": [{"rel": "item", "href": "a\0b"}]},
    "a very long link": {"type": "Catalog", "links": [{"rel": "item", "href": "a" * 5_000}]},
    "a folder": {"type": "Catalog", "links": [{"rel": "item", "href": "."}]},
    "two hundred thousand brackets": DEEP,
    "no JSON": "<html>",
    "nothing": "",
    "no type": {"links": []},
    "assets of null": {"type": "Feature", "id": "x", "assets": None},
    "assets that are a list": {"type": "Feature", "id": "x", "assets": [1]},
    "an asset of null": {"type": "Feature", "id": "x", "assets": {"a": None}},
    "an asset without href": {"type": "Feature", "id": "x", "assets": {"a": {}}},
    "an asset with a number": {"type": "Feature", "id": "x", "assets": {"a": {"href": 5}}},
    "a geometry that is none": {"type": "Feature", "id": "x", "geometry": {"type": "Blob"}, "assets": {}},
    "a geometry of words": {"type": "Feature", "id": "x", "geometry": "POINT", "assets": {}},
    "a geometry of half a ring": {
        "type": "Feature",
        "id": "x",
        "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1]]]},
        "assets": {},
    },
    "a date that is none": {
        "type": "Feature",
        "id": "x",
        "properties": {"datetime": "soon"},
        "assets": {"a": {"href": "b"}},
    },
    "features that are text": {"type": "FeatureCollection", "features": "abc"},
    "a feature of null": {"type": "FeatureCollection", "features": [None]},
    "escape sequences": {"type": "Catalog", "links": [{"rel": "item", "href": "a\u001b[2J\nb.json"}]},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_document_costs_itself_alone(name: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    content = BROKEN[name]
    (tmp_path / "catalog.json").write_text(
        '{"type": "Catalog", "id": "c", "links": [{"rel": "child", "href": "bad.json"}, '
        '{"rel": "item", "href": "good.json"}]}'
    )
    (tmp_path / "bad.json").write_text(content if isinstance(content, str) else json.dumps(content))
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    good = {"type": "Feature", "id": "g", "geometry": square, "assets": {"B04": {"href": "./B04.tif"}}}
    (tmp_path / "good.json").write_text(json.dumps(good))
    for more in ((), ("--region", "0,0,1,1"), ("--period", "2018-01-01", "2019-01-01")):
        done = run("crawl", tmp_path / "catalog.json", *more)
        assert "Traceback" not in done.err
        assert f"{tmp_path}/B04.tif" in done.out.split("\n")
        assert "\x1b" not in done.out + done.err
        assert done.code == (1 if done.err else 0)
        assert all(len(line) < 600 for line in done.err.split("\n"))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_root_is_one_message(name: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    content = BROKEN[name]
    (tmp_path / "catalog.json").write_text(content if isinstance(content, str) else json.dumps(content))
    done = run("crawl", tmp_path / "catalog.json", "--region", "0,0,1,1")
    assert "Traceback" not in done.err
    assert "\x1b" not in done.out + done.err


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["type", "id", "links", "assets", "geometry", "properties", "extent", "features", "collection"]


@settings(max_examples=300)
@given(
    document=st.dictionaries(st.sampled_from(KEYS), values, max_size=8),
    kind=st.sampled_from(["Catalog", "Collection", "Feature", "FeatureCollection"]),
)
def test_any_document_is_searched_or_refused_by_name(document: dict[str, Any], kind: str) -> None:
    content = json.dumps({**document, "type": kind}).encode()

    def read(href: str) -> bytes:
        if href == "/c.json":
            return content
        raise MissingKeyError(href)

    told: list[str] = []
    search = partial(stac_search, "/c.json", read=read, region=(0, 0, 1, 1), period=("2018-01-01", "2019-01-01"))
    search(report=lambda where, what, error: told.append(f"{where}: {what} {error}"))
    try:
        search()
    except LandloomError:
        assert told


def test_a_file_that_grows_or_shrinks_while_it_is_resumed_is_one_version(tmp_path: Path) -> None:
    """Cut in the middle, then another file under the same name: what comes is one of the two."""
    old, new = b"a" * 9_000_000, b"b" * 9_000_000
    cut = threading.Event()

    class Changing(_Handler):
        def _serve(self, *, body: bool) -> None:
            asked = self.headers.get("Range")
            first = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
            data = new if cut.is_set() else old
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(data) - first))
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            if body and not cut.is_set():
                cut.set()
                self.wfile.write(data[: 5 << 20])
                self.close_connection = True
            elif body:
                self.wfile.write(data[first:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Changing, Web(kind="", files={})))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    plan = plan_download([Wanted(path="a.bin")], tmp_path)
    patience = Patience(attempts=4, first_wait=0.01)
    done = download(plan, open_transfer_store(base), corpus="x 1", base=base, patience=patience)
    server.shutdown()
    server.server_close()
    assert done.failed == ()
    assert (tmp_path / "a.bin").read_bytes() == new
