"""Files that need a token: signed when they are opened, renewed in time, and the token is nowhere else."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.cases.odd_scenes import Form, write_recipe, write_scene

from landloom.archive.signing import signing_of
from landloom.errors import LandloomError, TransientFaultError
from landloom.pipelines.build import build
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFORMS = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]
ONCE = Patience(attempts=1)


class Provider:
    """A STAC API with a token service, whose files are only answered with a token that is still good."""

    def __init__(self, folder: Path, life: timedelta) -> None:
        self.folder, self.life = folder, life
        self.url = ""
        self.items: list[dict[str, Any]] = []
        self.issued: list[str] = []
        self.refused = 0
        self.status = 200

    def answer(self, path: str, query: str) -> tuple[int, bytes]:
        if path.startswith("/api/sas/v1/token/"):
            if self.status != 200:
                return self.status, b"busy"
            self.issued.append(f"SECRET{len(self.issued)}")
            expiry = (datetime.now(UTC) + self.life).isoformat()
            return 200, json.dumps({"msft:expiry": expiry, "token": f"se=1&sig={self.issued[-1]}%3D"}).encode()
        if path == "/api/stac/v1":
            search = f"{self.url}/api/stac/v1/search"
            links = [{"rel": "search", "href": search, "method": "POST", "type": "application/geo+json"}]
            links.append({"rel": "root", "href": f"{self.url}/api/stac/v1"})
            landing = {"type": "Catalog", "id": "a", "description": "a", "stac_version": "1.0.0"}
            return 200, json.dumps(landing | {"conformsTo": CONFORMS, "links": links}).encode()
        if path == "/api/stac/v1/search":
            return 200, json.dumps({"type": "FeatureCollection", "features": self.items, "links": []}).encode()
        if not self.issued or parse_qs(query).get("sig") != [f"{self.issued[-1]}="]:
            self.refused += 1
            return 409, b"<Error><Code>PublicAccessNotPermitted</Code></Error>"
        return 200, (self.folder / path.lstrip("/")).read_bytes()


@contextmanager
def served(provider: Provider) -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = provider.answer(parts.path, parts.query)
            asked = self.headers.get("Range")
            if status == 200 and asked:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                start, stop = int(first), min(int(last or len(body) - 1), len(body) - 1)
                status, whole, body = 206, len(body), body[start : stop + 1]
            self.send_response(status)
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{stop}/{whole}")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json" if body[:1] == b"{" else "image/tiff")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_GET  # noqa: N815 - names of http.server

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with served(Provider(tmp_path / "files", timedelta(minutes=45))) as one:
        for day in ("05", "15"):
            path = write_scene(one.folder, f"d{day}", f"2018-06-{day}T10:00:00Z", Form())
            item = json.loads(path.read_text(encoding="utf-8"))
            item["properties"]["s2:processing_baseline"] = "02.06"
            for asset in item["assets"].values():
                asset["href"] = f"{one.url}/{path.parent.name}/{asset['href'][2:]}?se=0&sig=old"
            one.items.append(item)
        yield one


def archive_of(provider: Provider) -> dict[str, str]:
    return {"kind": "planetary-computer", "href": f"{provider.url}/api/stac/v1", "collection": "sentinel-2-l2a"}


def test_files_are_signed_and_the_token_is_nowhere(provider: Provider, tmp_path: Path) -> None:
    report = build(write_recipe(tmp_path / "project", archive=archive_of(provider)))
    assert (provider.refused, len(provider.issued)) == (0, 1)
    written = [path for path in (tmp_path / "project").rglob("*") if path.is_file()]
    assert len(written) > 10
    for path in written:
        content = path.read_bytes()
        assert b"SECRET" not in content, path
        assert b"sig=" not in content, path
    assert not any("sig=" in note for note in report.notes)


def test_a_token_service_that_fails_fails_the_unit_and_not_the_scene(provider: Provider, tmp_path: Path) -> None:
    provider.status = 403
    with pytest.raises(LandloomError, match=r"no signature for files .* HTTP 403") as caught:
        build(write_recipe(tmp_path / "project", archive=archive_of(provider)))
    assert "sig=" not in str(caught.value)
    provider.status = 200
    build(tmp_path / "project")
    assert provider.refused == 0


def test_what_is_refused_though_signed_names_no_token(provider: Provider, tmp_path: Path) -> None:
    class Forgetful(Provider):
        def answer(self, path: str, query: str) -> tuple[int, bytes]:
            known = path.startswith("/api/")
            return super().answer(path, query if known else "")

    provider.__class__ = Forgetful
    with pytest.raises(LandloomError) as caught:
        build(write_recipe(tmp_path / "project", archive=archive_of(provider)))
    assert provider.refused > 0
    assert "SECRET" not in str(caught.value)
    for path in (tmp_path / "project").rglob("*"):
        assert not path.is_file() or b"SECRET" not in path.read_bytes(), path


def test_tokens_are_kept_and_renewed_before_they_expire(tmp_path: Path) -> None:
    with served(Provider(tmp_path, timedelta(hours=1))) as long:
        signing = signing_of(f"{long.url}/api/stac/v1", "kept", ONCE)
        assert signing.signed(f"{long.url}/a.tif") == signing.signed(f"{long.url}/a.tif")
        assert signing.signed(f"{long.url}/a.tif?x=1").endswith("a.tif?x=1&se=1&sig=SECRET0%3D")
        assert len(long.issued) == 1
    with served(Provider(tmp_path, timedelta(seconds=-1))) as short:
        signing = signing_of(f"{short.url}/api/stac/v1", "renewed", ONCE)
        assert signing.signed(f"{short.url}/a.tif") != signing.signed(f"{short.url}/a.tif")
        assert len(short.issued) == 2


def test_signatures_go_to_the_provider_s_own_hosts_alone() -> None:
    signing = signing_of("https://example.org/api/stac/v1", "c")
    assert signing.signed("https://elsewhere.org/B04.tif") == "https://elsewhere.org/B04.tif"
    assert signing.signed("s3://bucket/B04.tif") == "s3://bucket/B04.tif"
    assert signing.token_address("https://acc.blob.core.windows.net.evil.org/x/B04.tif") is None
    address = "https://acc.blob.core.windows.net/con/B04.tif"
    assert signing.token_address(address) == "https://example.org/api/sas/v1/token/acc/con"


@pytest.mark.parametrize("answer", [b"{}", b"<html>", b'{"token": "sig=1", "msft:expiry": "soon"}'])
def test_answers_that_are_no_token(answer: bytes, tmp_path: Path) -> None:
    class Odd(Provider):
        def answer(self, path: str, query: str) -> tuple[int, bytes]:  # noqa: ARG002 - the shape of every answer
            return 200, answer

    with served(Odd(tmp_path, timedelta(hours=1))) as odd:
        signing = signing_of(f"{odd.url}/api/stac/v1", "odd", ONCE)
        with pytest.raises(TransientFaultError, match="expected one"):
            signing.signed(f"{odd.url}/a.tif")
