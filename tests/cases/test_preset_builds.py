"""Builds through the presets: catalogue, items and files as the providers serve them, from a server on the loopback."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import rasterio
import yaml
from tests.cases.archives import only_chip, write_recipe, write_scene
from tests.cases.sensor_archives import CASES, CELLS, recipe, write_archive

from landloom.errors import BuildError
from landloom.model.time import parse_instant
from landloom.pipelines.build import build
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import Path

CONFORMS = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]
pytestmark = pytest.mark.filterwarnings("ignore:All-NaN slice")
SCENE = {"B04": 2000, "B08": 3000}


@dataclass
class Service:
    """A STAC API at `/stac`, and files of a folder at any other path, if the provider's rules allow it."""

    folder: Path
    items: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    asked: list[tuple[str, str, Message]] = field(default_factory=list)
    now: int = 0
    most: int = 0
    """Requests for files that were answered at a time."""

    def at(self, host: str, path: str) -> str:
        return f"http://{host}:{self.port}{path}"

    def rule(self, host: str, path: str, query: str, headers: Message) -> tuple[int, dict[str, str]]:  # noqa: ARG002
        """Status and headers of the answer; the file's last name part is served with status 200."""
        return 200, {}

    def document(self, path: str) -> dict[str, Any]:
        if path == "/stac/search":
            return {"type": "FeatureCollection", "features": self.items, "links": []}
        search = {"rel": "search", "href": self.at("127.0.0.1", "/stac/search"), "type": "application/geo+json"}
        links = [search | {"method": "POST"}, {"rel": "root", "href": self.at("127.0.0.1", "/stac")}]
        landing = {"type": "Catalog", "id": "a", "description": "a", "stac_version": "1.0.0"}
        return landing | {"conformsTo": CONFORMS, "links": links}


class Earthdata(Service):
    """LP DAAC: a bearer token, then a signed address of a bucket that refuses the token."""

    def rule(self, host: str, path: str, query: str, headers: Message) -> tuple[int, dict[str, str]]:
        if host == "localhost":
            return (400 if "Authorization" in headers else 200 if "X-Amz-Signature=1" in query else 403), {}
        if headers.get("Authorization") != "Bearer a.b.c":
            return 401, {}
        name = path.rpartition("/")[2]
        return 303, {"Location": self.at("localhost", f"/bucket/{name}?A-userid=me&X-Amz-Signature=1")}


class RequesterPays(Service):
    """USGS: the address of the item leads to a login; the bucket beside it asks who pays."""

    def rule(self, host: str, path: str, query: str, headers: Message) -> tuple[int, dict[str, str]]:  # noqa: ARG002
        if not path.startswith("/usgs-landsat/"):
            return 401, {}
        pays = headers.get("x-amz-request-payer") == "requester"
        return (200 if pays and "Credential=own/" in headers.get("Authorization", "") else 403), {}


class Limited(Service):
    """Earth Search's bucket: public, and busy now and then."""

    def rule(self, host: str, path: str, query: str, headers: Message) -> tuple[int, dict[str, str]]:  # noqa: ARG002
        busy = len(self.asked) % 4 == 0
        return (403, {}) if "Authorization" in headers else (503, {"Retry-After": "0"}) if busy else (200, {})


class OwnKeys(Service):
    """The Copernicus Data Space: a bucket with keys of its own, and four connections."""

    def rule(self, host: str, path: str, query: str, headers: Message) -> tuple[int, dict[str, str]]:  # noqa: ARG002
        known = path.startswith("/eodata/") and "Credential=own/" in headers.get("Authorization", "")
        return (200 if known else 403) if self.now <= 4 else 429, {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()

    def __init__(self, service: Service, *args: Any) -> None:
        self.service = service
        super().__init__(*args)

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        parts, host, service = urlsplit(self.path), self.headers["Host"].partition(":")[0], self.service
        if parts.path.startswith("/stac"):
            body = json.dumps(service.document(parts.path)).encode()
            self._answer(200, {"Content-Type": "application/json"}, body)
            return
        with self.lock:
            service.asked.append((host, self.path, self.headers))
            service.now += 1
            service.most = max(service.most, service.now)
            status, headers = service.rule(host, parts.path, parts.query, self.headers)
        try:
            self._send_file(status, headers, parts.path)
        finally:
            with self.lock:
                service.now -= 1

    def _send_file(self, status: int, headers: dict[str, str], path: str) -> None:
        name = self.service.folder / path.rpartition("/")[2]
        if status != 200 or not name.is_file():
            self._answer(404 if status == 200 else status, headers, b"")
            return
        data, headers = name.read_bytes(), headers | {"ETag": '"v"', "Accept-Ranges": "bytes"}
        headers["Last-Modified"] = "Mon, 01 Jan 2024 00:00:00 GMT"
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            data, status = data[first : last + 1], 206
        self._answer(status, headers, data)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, service))
    server.daemon_threads = True
    service.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _keys(folder: Path, service: Service, monkeypatch: pytest.MonkeyPatch, bucket: str, *more: str) -> None:
    """A profile of the AWS credentials file for a bucket."""
    lines = ["[own]", "aws_access_key_id = own", "aws_secret_access_key = b", "region = us-west-2", *more]
    (folder / "credentials").write_text("\n".join([*lines, f"endpoint_url = {service.at('127.0.0.1', '')}", ""]))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("LANDLOOM_S3_PROFILES", f"{bucket}=own")


def _sensor_items(service: Service, name: str, collection: str, href: str, alternate: str = "") -> None:
    """Items of a sensor with a known truth, each file at an address of the provider's form."""
    write_archive(service.folder, CASES[name])
    for path in sorted(service.folder.glob("*.json")):
        item = json.loads(path.read_text(encoding="utf-8"))
        if item["type"] == "Feature":
            for asset in item["assets"].values():
                file = asset["href"].removeprefix("./")
                asset["href"] = f"{href}/{file}"
                if alternate:
                    asset["alternate"] = {"s3": {"href": f"{alternate}/{file}", "storage:requester_pays": True}}
            service.items.append(item | {"collection": collection})


def _build_sensor(folder: Path, service: Service, name: str, kind: str, collection: str | None) -> None:
    """Build composites, and compare them with medians by the definition."""
    archive = {"kind": kind, "href": service.at("127.0.0.1", "/stac")}
    document = recipe(archive | ({} if collection is None else {"collection": collection}), CASES[name].bands)
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    done = build(folder)
    chosen = Corpus.open(done.corpus).query()
    for cell in CELLS:
        np.testing.assert_array_equal(chosen.cube(str(cell), "own").values[0], CASES[name].expected(cell)[0])
    assert not [note for note in done.notes if "left out" in note]
    assert build(folder).units_run == 0


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("LANDLOOM_TOKENS", "127.0.0.1=EARTHDATA_TOKEN")
    monkeypatch.setenv("EARTHDATA_TOKEN", "a.b.c")


@pytest.mark.parametrize(("name", "collection"), [("hls-s30", None), ("hls-l30", "HLSL30_2.0")])
@pytest.mark.usefixtures("token")
def test_hls_of_lp_daac(name: str, collection: str | None, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    with serving(Earthdata(tmp_path / "files")) as service:
        _sensor_items(service, name, collection or "HLSS30_2.0", service.at("127.0.0.1", "/lp-prod-protected"))
        _build_sensor(tmp_path, service, name, "lp-daac", collection)
        sent = {(host, headers.get("Authorization")) for host, _, headers in service.asked}
        assert sent == {("127.0.0.1", "Bearer a.b.c"), ("localhost", None)}


@pytest.mark.usefixtures("token")
def test_a_token_that_has_expired_fails_units_not_scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "files").mkdir()
    monkeypatch.setenv("EARTHDATA_TOKEN", "old")
    with serving(Earthdata(tmp_path / "files")) as service:
        _sensor_items(service, "hls-s30", "HLSS30_2.0", service.at("127.0.0.1", "/lp-prod-protected"))
        with pytest.raises(BuildError, match="401"):
            _build_sensor(tmp_path, service, "hls-s30", "lp-daac", None)
        monkeypatch.setenv("EARTHDATA_TOKEN", "a.b.c")
        _build_sensor(tmp_path, service, "hls-s30", "lp-daac", None)


def test_landsat_of_usgs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alternate address in the bucket is read, not the one that asks for a login."""
    (tmp_path / "files").mkdir()
    with serving(RequesterPays(tmp_path / "files")) as service:
        _keys(tmp_path, service, monkeypatch, "usgs-landsat", "request_payer = requester")
        _sensor_items(
            service, "landsat", "landsat-c2l2-sr", service.at("127.0.0.1", "/data"), "s3://usgs-landsat/collection02"
        )
        _build_sensor(tmp_path, service, "landsat", "landsat-look", None)


def _write_sentinel(service: Service, href: str, names: dict[str, str], **properties: Any) -> None:
    """A scene of Sentinel-2 whose files have a provider's asset names."""
    place = write_scene(service.folder / "scenes", "x", "2018-06-05", SCENE, **properties)
    item = json.loads((place / "item.json").read_text(encoding="utf-8"))
    assets = {}
    for band, key in names.items():
        if key.endswith("m"):
            with rasterio.open(place / f"{band}.tif") as file:
                settings = {"driver": "JP2OpenJPEG", "QUALITY": 100, "REVERSIBLE": "YES"}
                profile = {
                    name: file.profile[name] for name in ("width", "height", "count", "dtype", "crs", "transform")
                }
                with rasterio.open(service.folder / f"{band}.jp2", "w", **profile, **settings) as copy:
                    copy.write(file.read())
            assets[key] = {"href": f"{href}/{band}.jp2"}
        else:
            (place / f"{band}.tif").rename(service.folder / f"{band}.tif")
            assets[key] = {"href": f"{href}/{band}.tif"}
    service.items.append(item | {"assets": assets, "collection": "sentinel-2-l2a"})


def _build_sentinel(folder: Path, service: Service, kind: str) -> tuple[int, int]:
    """Smallest value of the only chip, and files asked for versions by a second build."""
    path = write_recipe(folder, "", archive={"kind": kind, "href": service.at("127.0.0.1", "/stac")})
    done = build(path)
    return int(only_chip(done.corpus)[0].min()), build(path).sources_asked


def test_sentinel_2_of_earth_search(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    names = {"B04": "red", "B08": "nir", "SCL": "scl"}
    with serving(Limited(tmp_path / "files")) as service:
        updated = parse_instant("2023-01-01T00:00:00").isoformat()
        _write_sentinel(service, service.at("127.0.0.1", "/sentinel-cogs"), names, updated=updated)
        assert _build_sentinel(tmp_path, service, "earth-search") == (2000, 0)


def test_sentinel_2_of_the_copernicus_data_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ESA's own files: JPEG 2000 in a bucket, offset not yet applied."""
    (tmp_path / "files").mkdir()
    names = {"B04": "B04_10m", "B08": "B08_10m", "SCL": "SCL_20m"}
    with serving(OwnKeys(tmp_path / "files")) as service:
        _keys(tmp_path, service, monkeypatch, "eodata")
        _write_sentinel(
            service, "s3://eodata/Sentinel-2/MSI/L2A/2018/06/05", names, **{"s2:processing_baseline": "05.00"}
        )
        assert _build_sentinel(tmp_path, service, "copernicus-data-space")[0] == 1000
        assert service.most <= 4
