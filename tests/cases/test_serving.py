"""`landloom serve` among clients that are slow, silent, wrong or do not read."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from tests.server.conftest import running

from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples, write_resources
from landloom.server import connections
from landloom.server.app import create_app, server_config
from landloom.server.limits import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("somebodys-home") / "corpus"
    write_resources(synthetic_samples(1_000, 8, seed=3), folder / "resources")
    return Corpus.open(folder, cache=folder.parent / "cache")


@pytest.fixture(scope="module")
def url(corpus: Corpus) -> Iterator[str]:
    with running(corpus) as address:
        yield address


def place(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def raw(url: str, request: bytes) -> bytes:
    """What comes back on a connection until it is closed, or 5 seconds are over."""
    with socket.create_connection(place(url), timeout=20) as client:
        client.sendall(request)
        client.settimeout(5)
        got = b""
        try:
            while piece := client.recv(65_536):
                got += piece
        except (TimeoutError, ConnectionResetError):
            pass
    return got


def resident() -> int:
    """Megabytes of this process in memory."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) >> 10


WRONG = {
    "no HTTP": b"hello\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "a host with spaces": b"GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
    "a host that is markup": b"GET / HTTP/1.1\r\nHost: <script>\r\nConnection: close\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: example.org/x\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
    "a head without end": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "an address without end": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "DELETE": b"DELETE /search HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "PUT": b"PUT /collections HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    "PATCH": b"PATCH / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    "TRACE": b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "BREW": b"BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "a length that is none": b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "an oversized body": b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1)
    + b" " * (MAX_BODY + 1),
    "no such page": b"GET /no/such HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "a path upward": b"GET /files/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "an encoded path upward": b"GET /files/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_every_wrong_request_is_a_small_4xx_of_one_shape(url: str, name: str) -> None:
    answer = raw(url, WRONG[name])
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[1][:1] == b"4", answer[:300]
    assert len(answer) < 4_000
    assert set(json.loads(body)) == {"code", "description"}


@pytest.mark.parametrize("name", ["a host with spaces", "a host that is markup", "a host with a path"])
def test_a_wrong_host_is_named_as_such(url: str, name: str) -> None:
    assert b"got a Host header that is not a host name" in raw(url, WRONG[name])


@pytest.mark.parametrize(
    "query",
    [
        "filter=id LIKE '%a%b%c%d%e%f%' OR id LIKE '%b%b%b%b%b%'",
        "filter=clc_111 + 999999999999999 * 999999999999999 > 1",
        "datetime=0001-01-01T00:00:00Z/9999-12-31T23:59:59Z",
        "datetime=9999-12-31T23:59:59.999999999Z",
        "datetime=../0000-01-01T00:00:00Z",
        "bbox=-1e308,-1e308,1e308,1e308",
        "bbox=nan,0,1,1",
        "limit=99999999999999999999",
        "limit=-1",
        "token=" + "9" * 500,
        "filter=" + "(" * 500,
        "sortby=" + ",".join(["id"] * 50),
        "ids=" + ",".join(["x"] * 3_000),
        "fields=" + ",".join(["a.b"] * 500),
        "intersects={}",
        'intersects={"type":"Point","coordinates":[1e999,0]}',
    ],
)
def test_questions_at_their_extremes_are_answered_or_refused(url: str, query: str) -> None:
    answer = httpx.get(f"{url}/search?{query}", timeout=60)
    assert answer.status_code in (200, 400)
    assert answer.status_code == 200 or set(answer.json()) == {"code", "description"}


@pytest.mark.parametrize("path", ["/", "/?f=json", "/collections", "/explore/corpus", "/no/such", "/search?limit=1"])
def test_browsers_are_told_what_a_page_may_do(url: str, path: str) -> None:
    headers = httpx.get(f"{url}{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_no_answer_names_a_folder_of_this_machine(corpus: Corpus, url: str) -> None:
    sample = corpus.query(limit=1).ids[0]
    chip = corpus.query(limit=1, products="s2").assets[0].path
    pages = [
        "/explore/corpus",
        f"/explore/samples/{sample}",
        f"/explore/samples/{sample}/s2/2018-01.png",
        f"/explore/samples/{sample}/lineage/s2",
        f"/files/{chip}",
        "/files/absent",
        "/search?limit=1",
        "/collections",
        "/explore/samples/absent",
        "/explore/files.txt",
    ]
    for page in pages:
        text = httpx.get(f"{url}{page}").text
        assert "somebodys-home" not in text, page
        assert str(Path.home()) not in text or str(Path.home()) == "/", page


def test_a_long_page_is_what_short_ones_are(url: str) -> None:
    long = httpx.get(f"{url}/search?limit=57&collections=rapidai4eo_v1_labels").json()
    short: list[Any] = []
    link = f"{url}/search?limit=10&collections=rapidai4eo_v1_labels"
    while len(short) < 57:
        page = httpx.get(link).json()
        short += page["features"]
        link = next(one["href"] for one in page["links"] if one["rel"] == "next")
    assert long["features"] == short[:57]
    assert long["numberReturned"] == 57


def test_clients_that_do_not_read_hold_little(url: str) -> None:
    before, clients = resident(), []
    request = b"GET /search?limit=1000&collections=rapidai4eo_v1_source_pf HTTP/1.1\r\nHost: x\r\n\r\n"
    for _ in range(12):
        client = socket.create_connection(place(url))
        client.sendall(request)
        clients.append(client)
    for _ in range(20):  # others are served meanwhile
        assert httpx.get(f"{url}/search?limit=1", timeout=60).status_code == 200
    assert resident() - before < 150
    for client in clients:
        client.close()


@contextmanager
def impatient(corpus: Corpus, cut: threading.Event | None = None) -> Iterator[str]:
    """A server whose bounds are fractions of a second, and 20 connections; `cut` is set when a connection ends."""

    class Impatient(connections.BoundedProtocol):
        HEAD, BODY, STILL, LOOK, MOST = 0.4, 0.4, 0.4, 0.05, 20

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if cut is not None:
                cut.set()

    config = server_config(create_app(corpus), port=0, log_level="error")
    config.http = Impatient
    config.load()
    server = uvicorn.Server(config)
    with _run(server) as address:
        yield address


@contextmanager
def _run(server: uvicorn.Server) -> Iterator[str]:
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def is_cut(client: socket.socket) -> bool:
    """Whether the other end closes the connection: waits for it."""
    client.settimeout(30)
    try:
        while client.recv(1 << 20):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"GET / HT",
        b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        b"GET /search?limit=1000&collections=rapidai4eo_v1_source_pf HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["silent", "half a head", "half a body", "reads nothing"],
)
def test_slow_and_silent_clients_are_cut(corpus: Corpus, request_: bytes) -> None:
    cut = threading.Event()
    with impatient(corpus, cut) as url:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(place(url))
        client.sendall(request_)
        if b"limit=1000" in request_:
            assert cut.wait(60), "reads nothing until it is cut"
            client.settimeout(30)
            got = 0
            try:
                while piece := client.recv(1 << 16):
                    got += len(piece)
            except ConnectionError:
                pass
            assert got < 30_000_000  # of 40 MB and more
        else:
            assert is_cut(client)
        client.close()
        assert httpx.get(f"{url}/search?limit=1").status_code == 200


def trickle(client: socket.socket) -> None:
    for letter in b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200:
        client.sendall(bytes([letter]))
        time.sleep(0.1)


def test_a_byte_now_and_then_does_not_hold_a_connection(corpus: Corpus) -> None:
    with impatient(corpus) as url, socket.create_connection(place(url)) as client, pytest.raises(ConnectionError):
        trickle(client)


def test_connections_are_bounded(corpus: Corpus) -> None:
    with impatient(corpus) as url:
        clients = [socket.create_connection(place(url)) for _ in range(20)]
        refused = raw(url, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 503 " in refused.split(b"\r\n")[0]
        assert b'"code"' in refused
        for client in clients:
            client.close()


@pytest.mark.slow
def test_memory_stays_flat_over_many_requests(url: str) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        for number in range(500):
            client.get(f"/search?limit=1&filter=clc_111 > 0.{number:04d}")
        before = resident()
        for number in range(6_000):
            client.get(f"/search?limit=1&filter=clc_111 > 0.{number:05d}")
    assert resident() - before < 18
