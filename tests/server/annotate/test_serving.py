"""Where the server listens: loopback, TLS or a proxy; as a process, with its commands."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.annotation import NAME, PASSWORD, World, browser, make_world, serving
from tests.annotators import Client, Crowd, process

from landloom.errors import InvalidInputError
from landloom.server.annotate.origins import Site
from landloom.server.annotate.serving import Listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("serving")
    made = make_world(folder, f"sqlite:///{folder}/ledger.sqlite", chips=1, people={"ann": (NAME, "annotator")})
    with made.ledger:
        yield made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine, of our own making."""
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run([*command, *more], check=True, capture_output=True)
    return paths


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "annotate.example"])
def test_passwords_never_travel_in_the_clear(host: str, certificate: tuple[Path, Path]) -> None:
    with pytest.raises(InvalidInputError, match="expected --tls-cert and --tls-key, or --behind-proxy"):
        Listening(host=host)
    assert Listening(host=host, behind_proxy=True).site == Site(secure=True, loopback=False, proxied=True)
    served = Listening(host=host, certificate=certificate[0], key=certificate[1])
    assert served.site == Site(secure=True, loopback=False)
    assert served.options()["ssl_certfile"] == str(certificate[0])


def test_certificates_that_are_none(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    with pytest.raises(InvalidInputError, match="expected both"):
        Listening(certificate=certificate[0])
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    for pair in ((empty, certificate[1]), (certificate[0], empty), (tmp_path / "none.pem", certificate[1])):
        with pytest.raises(InvalidInputError, match="got no certificate with its key"):
            Listening(certificate=pair[0], key=pair[1]).options()
    locked = tmp_path / "locked.pem"
    lock = ["openssl", "pkey", "-in", str(certificate[1]), "-aes256", "-passout", "pass:secret", "-out", str(locked)]
    subprocess.run(lock, check=True, capture_output=True)
    with pytest.raises(InvalidInputError, match="expected one without"):
        Listening(certificate=certificate[0], key=locked).options()


def test_over_tls(world: World, certificate: tuple[Path, Path]) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    options = Listening(certificate=certificate[0], key=certificate[1]).options()
    site = Site(secure=True, loopback=False)
    with serving(world, site, **options) as url, browser(url, "ann", signed_in=False, verify=trust) as ann:
        answer = ann.login()
        assert answer.headers["set-cookie"].startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
        assert "strict-transport-security" in answer.headers
        assert ann.post("api/assignments", {"count": 1}, headers={"Origin": url}).status_code == 200
        plain = url.replace("https", "http")
        assert ann.post("api/assignments", {"count": 1}, headers={"Origin": plain}).status_code == 403
        task = ann.take()[0]
        for coding in ("gzip", "zstd", "identity"):
            path = url + task["window"]["href"]
            window = ann.http.get(path, headers={"Accept-Encoding": coding})
            assert window.headers.get("content-encoding", "identity") == coding
        old = httpx.get(url, verify=trust, headers={"Cookie": "session=x"})
        assert old.status_code == 308


def test_behind_a_proxy(world: World) -> None:
    site = Listening(host="0.0.0.0", behind_proxy=True).site
    with serving(world, site) as url, httpx.Client(base_url=f"{url}/annotate/api/") as http:
        outside = {"Host": "annotate.example", "Origin": "https://annotate.example", "X-Forwarded-For": "203.0.113.9"}
        answer = http.post("login", json={"name": "ann", "password": PASSWORD}, headers=outside)
        assert answer.headers["set-cookie"].startswith("__Host-session=")
        cookie = answer.headers["set-cookie"].partition(";")[0]
        headers = outside | {"Cookie": cookie, "X-CSRF": answer.json()["csrf"]}
        assert http.get("me", headers=headers).status_code == 200
        assert http.post("assignments", json={"count": 1}, headers=headers).status_code == 200
        inside = headers | {"Origin": "http://annotate.example"}
        assert http.post("assignments", json={"count": 1}, headers=inside).status_code == 403


def test_the_explorer_stands_beside_it_only_if_wanted(world: World) -> None:
    with serving(world) as url, httpx.Client(base_url=url) as http:
        for path in ("/collections", "/files/corpus.json", "/explore/corpus", "/search"):
            assert http.get(path).status_code == 404
    with serving(world, explorer=True) as url, httpx.Client(base_url=url) as http:
        stranger = {"Origin": "https://elsewhere.example"}
        read = http.get("/collections", headers=stranger)
        assert read.headers["access-control-allow-origin"] == "*", "the reading API is for every page"
        for path in ("/annotate/", "/annotate/api/me", "/annotate/api/none"):
            answer = http.get(path, headers=stranger)
            assert not [name for name in answer.headers if name.startswith("access-control")]
        asked = stranger | {"Access-Control-Request-Method": "POST"}
        assert http.options("/annotate/api/login", headers=asked).status_code == 405
        assert http.get("/").status_code == 200


def test_as_a_process_and_back(world: World) -> None:
    """It says where it listens, ends at SIGTERM, and what has begun is answered before that."""
    with process(world.campaign, world.database) as server:
        client = Client(server.port, "ann", Crowd(0))
        client.login()
        slow = socket.create_connection(("127.0.0.1", server.port))
        body = json.dumps({"count": 1}).encode()
        head = f"POST /annotate/api/assignments HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {client.cookie}\r\n"
        head += f"X-CSRF: {client.csrf}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        slow.sendall(head.encode() + body[:3])
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGTERM)
        time.sleep(0.3)
        slow.sendall(body[3:])
        answer = slow.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        slow.close()
        client.leave()
        assert server.stop() in (0, 143)


def test_broken_and_silent_clients_keep_nobody_out(world: World) -> None:
    """Its connections are bounded as those of the corpus's server, whose tests wait for the time-outs."""
    with serving(world) as url:
        port = int(url.rsplit(":", 1)[1])
        for sent in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(sent)
                assert connection.recv(4_096).startswith(b"HTTP/1.1 400")
        many = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
        with browser(url, "ann") as ann:
            assert ann.get("api/me").status_code == 200
        for connection in many:
            connection.close()


def test_many_log_in_at_once(world: World) -> None:
    with serving(world) as url:
        statuses: list[int] = []

        def login() -> None:
            with browser(url, "ann", signed_in=False) as person:
                statuses.append(person.login().status_code)
                person.get("api/me")

        threads = [threading.Thread(target=login) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 8
