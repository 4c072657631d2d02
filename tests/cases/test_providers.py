"""Files of archives as their providers serve them: redirects, cookies, tokens, signatures, keys, rate limits.

Each provider is a small server of the loopback that refuses what the real one refuses, by its published rules. Hosts
differ by name: `127.0.0.1` gives files, `localhost` is the other host that it leads to.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from landloom.errors import TransientFaultError
from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.store.credentials import bearer
from landloom.store.network.headers import kept_headers
from landloom.store.network.traffic import traffic
from landloom.store.open import open_store
from landloom.store.patience import Patience
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import Path

GRID: Final = Grid.of_bounds(32633, (500_000, 5_000_000, 507_000, 5_006_000), 10)
PIXELS: Final = np.random.default_rng(5).integers(0, 9000, (1, *GRID.shape), np.uint16)
FILE: Final = encode_cog(PIXELS, GRID, nodata=0, block=128, overviews=False)
HASTY: Final = Patience(attempts=3, first_wait=0.001, longest_wait=0.002)
WINDOWS: Final = [GRID.window(row, 100, 128, 300) for row in (0, 200, 400)]


@dataclass
class Provider:
    """A server that answers as one of the providers; `asked` tells host, path and headers of every request."""

    port: int = 0
    asked: list[tuple[str, str, Message]] = field(default_factory=list)
    signatures: int = 0
    lives: int = 1_000_000
    """Requests that a signature is good for."""
    used: dict[str, int] = field(default_factory=dict)
    bucket: str = "localhost"
    """Host of the bucket."""

    def answer(self, host: str, path: str, query: dict[str, list[str]], headers: Message) -> tuple[int, dict[str, str]]:
        """Status and headers; with status 200, the file or the range of it that is asked for."""
        raise NotImplementedError

    def at(self, host: str, path: str) -> str:
        return f"http://{host}:{self.port}{path}"

    def signed(self) -> tuple[int, dict[str, str]]:
        """A redirect to the file on another host, with a new signature."""
        self.signatures += 1
        return 303, {"Location": self.at(self.bucket, f"/bucket/B04.tif?A-userid=me&X-Amz-Signature={self.signatures}")}

    def of_bucket(self, query: dict[str, list[str]], headers: Message) -> tuple[int, dict[str, str]]:
        """S3 refuses two kinds of credentials at once, and signatures that have expired."""
        (signature,) = query.get("X-Amz-Signature", [""])
        if "Authorization" in headers:
            return 400, {}
        self.used[signature] = self.used.get(signature, 0) + 1
        return (200, {}) if signature and self.used[signature] <= self.lives else (403, {})


class Earthdata(Provider):
    """LP DAAC: a bearer token, or a login at another host that sets a cookie; then a signed address of a bucket."""

    def answer(self, host: str, path: str, query: dict[str, list[str]], headers: Message) -> tuple[int, dict[str, str]]:
        if (host, path) == (self.bucket, "/bucket/B04.tif"):
            return self.of_bucket(query, headers)
        if (host, path) == ("localhost", "/oauth/authorize"):
            login = headers.get("Authorization") == f"Basic {b64encode(b'me:secret').decode()}"
            return (302, {"Location": self.at("127.0.0.1", "/login?code=7")}) if login else (401, {})
        if path == "/login":
            return 302, {"Location": self.at("127.0.0.1", "/lp/B04.tif"), "Set-Cookie": "asf-urs=ok; Path=/"}
        if "asf-urs=ok" in headers.get("Cookie", "") or headers.get("Authorization") == "Bearer a.b.c":
            return self.signed()
        return (
            (401, {}) if "Authorization" in headers else (302, {"Location": self.at("localhost", "/oauth/authorize")})
        )


class RequesterPays(Provider):
    """USGS Landsat: a bucket that answers to signed requests alone, and only if they say who pays."""

    def answer(self, host: str, path: str, query: dict[str, list[str]], headers: Message) -> tuple[int, dict[str, str]]:  # noqa: ARG002
        pays = headers.get("x-amz-request-payer") == "requester"
        known = headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential=own/")
        return (200, {}) if path == "/usgs-landsat/B04.tif" and pays and known else (403, {})


class Limited(Provider):
    """Earth Search's bucket: public, and slow down (503) or too many requests (429) now and then."""

    def answer(self, host: str, path: str, query: dict[str, list[str]], headers: Message) -> tuple[int, dict[str, str]]:  # noqa: ARG002
        if "Authorization" in headers:
            return 403, {}
        return (200, {}) if len(self.asked) % 3 else ((503, {}) if len(self.asked) % 2 else (429, {"Retry-After": "0"}))


@contextmanager
def serving(provider: Provider) -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            parts, host = urlsplit(self.path), self.headers["Host"].partition(":")[0]
            provider.asked.append((host, self.path, self.headers))
            status, headers = provider.answer(host, parts.path, parse_qs(parts.query), self.headers)
            data = FILE if status == 200 else b""
            if status == 200:
                first, last = (int(one) for one in self.headers["Range"].removeprefix("bytes=").split("-"))
                data, status = FILE[first : last + 1], 206
                end = first + len(data) - 1
                headers = headers | {"Content-Range": f"bytes {first}-{end}/{len(FILE)}", "ETag": '"v"'}
                headers |= {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(data))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetch(address: str, patience: Patience = HASTY) -> None:
    """Read windows of the file, and compare them; requests of a patience share a session, and its cookies."""
    with open_raster(address, patience=patience) as raster:
        for window in WINDOWS:
            row, column = window.offset_in(GRID)
            wanted = PIXELS[0, row : row + window.height, column : column + window.width]
            np.testing.assert_array_equal(raster.read(window), wanted)


@pytest.fixture
def no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No account in the environment; returns the file of logins, which is not there."""
    for name in ("EARTHDATA_TOKEN", "LANDLOOM_TOKENS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return tmp_path / "netrc"


@pytest.mark.parametrize("lives", [1_000_000, 2])
def test_earthdata_with_a_token(no_login: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lives: int) -> None:
    """The token never reaches the host of the bucket; a signature that has expired is renewed."""
    assert not no_login.exists()
    monkeypatch.setenv("LANDLOOM_TOKENS", "127.0.0.1=EARTHDATA_TOKEN")
    monkeypatch.setenv("EARTHDATA_TOKEN", "a.b.c")
    with serving(Earthdata(lives=lives)) as provider, kept_headers(tmp_path):
        for _ in range(2):
            fetch(provider.at("127.0.0.1", "/lp/B04.tif"))
        sent = {
            host: {headers.get("Authorization") for name, _, headers in provider.asked if name == host}
            for host in ("127.0.0.1", "localhost")
        }
        assert sent == {"127.0.0.1": {"Bearer a.b.c"}, "localhost": {None}}
        assert not any(path.startswith("/oauth") for _, path, _ in provider.asked)
        assert provider.signatures == (2 if lives > 2 else 4)


def test_earthdata_with_a_login_in_netrc(no_login: Path) -> None:
    """The password goes to the host of the login alone; its cookie is kept for the files that follow."""
    no_login.write_text("machine localhost login me password secret\n")
    no_login.chmod(0o600)
    with serving(Earthdata(bucket="127.0.0.1")) as provider:
        for _ in range(2):
            fetch(provider.at("127.0.0.1", "/lp/B04.tif"), Patience(attempts=4))
        logins = [path for host, path, headers in provider.asked if "Authorization" in headers]
        assert [path.partition("?")[0] for path in logins] == ["/oauth/authorize"]
        assert {host for host, _, headers in provider.asked if "Authorization" in headers} == {"localhost"}


def test_earthdata_without_a_login_says_what_is_missing(no_login: Path) -> None:
    assert not no_login.exists()
    said = r"B04\.tif after a redirect.*401.*credentials are missing"
    with serving(Earthdata()) as provider, pytest.raises(TransientFaultError, match=said):
        fetch(provider.at("127.0.0.1", "/lp/B04.tif"), Patience(attempts=1))


def test_a_token_goes_to_its_hosts_alone_and_encrypted(no_login: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not no_login.exists()
    monkeypatch.setenv("EARTHDATA_TOKEN", "a.b.c")
    own = "data.lpdaac.earthdatacloud.nasa.gov/lp/B04.tif"
    assert bearer(f"https://{own}") == "a.b.c"
    others = (f"http://{own}", "https://earthdatacloud.nasa.gov.example.org/", "https://urs.earthdata.nasa.gov/")
    assert [bearer(address) for address in others] == [None] * 3
    monkeypatch.setenv("LANDLOOM_TOKENS", "example.org=OTHER_TOKEN")
    monkeypatch.setenv("OTHER_TOKEN", "d")
    assert (bearer("https://a.example.org/B04.tif"), bearer(f"https://{own}")) == ("d", "a.b.c")


def test_a_bucket_whose_requester_pays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its profile says so, and has the keys; requests and bytes are counted by bucket."""
    with serving(RequesterPays()) as provider:
        profile = "[usgs]\naws_access_key_id = own\naws_secret_access_key = b\nregion = us-west-2\n"
        profile += f"endpoint_url = {provider.at('127.0.0.1', '')}\n"
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("LANDLOOM_S3_PROFILES", "usgs-landsat=usgs")
        (tmp_path / "credentials").write_text(profile)
        with pytest.raises((TransientFaultError, OSError), match="403"):
            open_store("s3://usgs-landsat").get_range("B04.tif", 0, 9)
        (tmp_path / "credentials").write_text(f"{profile}request_payer = requester\n")
        traffic()
        fetch("s3://usgs-landsat/B04.tif")
        counted = traffic()["s3://usgs-landsat"]
        assert (counted.requests, counted.retries) == (4, 0)


def test_a_public_bucket_that_limits_rates() -> None:
    """Nothing is sent that would make a public bucket ask for an account; refusals cost tries alone."""
    with serving(Limited()) as provider:
        traffic()
        fetch(provider.at("127.0.0.1", "/sentinel-2-c1-l2a/33/U/UP/B04.tif"))
        counted = traffic()[f"127.0.0.1:{provider.port}"]
        assert counted.requests == len(provider.asked) == 4 + counted.retries
        assert counted.retries > 0
        assert counted.failures == 0
