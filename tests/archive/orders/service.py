"""A long-term archive on a bad day: an OData service on loopback, its clock, and how to fetch from it."""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from shapely import box
from tests.archive.orders.book import FileOrderBook

from landloom.archive.orders.fetch import FetchReport, fetch_products
from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.states import orders_of
from landloom.archive.orders.tokens import PasswordToken
from landloom.model.time import Period, parse_instant
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path


REGION = box(15.2, 45.2, 15.3, 45.3)
YEAR = Period.year(2023)
START = parse_instant("2024-01-01")


class TestClock:
    """A clock that only moves when somebody sleeps on it."""

    __test__ = False

    def __init__(self) -> None:
        self.time = START
        self.naps = 0
        self.kill_at: int | None = None

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.naps += 1
        if self.naps == self.kill_at:
            raise KeyboardInterrupt
        self.time += timedelta(seconds=seconds)


def content(number: int) -> bytes:
    return random.Random(number).randbytes(20_000 + number)  # noqa: S311


def named(number: int) -> str:
    return f"S2A_MSIL2A_2023{number + 1:02d}10T100031_N0509_R122_T33TWL_2023{number + 1:02d}10T160000"


@dataclass
class Archive:
    """What the server holds, and how it misbehaves."""

    clock: TestClock
    count: int = 3
    offline: set[int] = field(default_factory=set)
    restore: timedelta = timedelta(hours=2)
    online_at: dict[int, datetime] = field(default_factory=dict)
    order_times: list[datetime] = field(default_factory=list)
    quota: int = 1000
    trouble: dict[int, list[str]] = field(default_factory=dict)
    served: list[tuple[int, int]] = field(default_factory=list)
    """Product and first byte of every download."""
    url: str = ""
    skips_nothing: bool = False
    """Whether it never gives a next link, as beyond 10,000 products."""
    one_instant: bool = False
    """Whether all products began at one instant."""

    def is_online(self, number: int) -> bool:
        when = self.online_at.get(number)
        return number not in self.offline or (when is not None and when <= self.clock.now())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    archive: Archive

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/token" and "password=right" in form:
            self.answer(200, json.dumps({"access_token": "secret", "expires_in": 600}).encode())
        elif self.path.endswith("/OData.CSC.Order"):
            self.order(int(self.path.split("(p")[1].split(")")[0]))
        else:
            self.answer(401)

    def do_GET(self) -> None:
        match = re.match(r"/odata/Products\(p(\d+)\)(/\$value)?$", self.path)
        if self.path.startswith("/odata/Products?"):
            self.page()
        elif match is None or int(match[1]) >= self.archive.count:
            self.answer(404)
        elif match[2] is None:
            self.answer(200, json.dumps(self.product(int(match[1]))).encode())
        else:
            self.value(int(match[1]))

    def page(self) -> None:
        if self.archive.skips_nothing:
            wish = parse_qs(urlsplit(self.path).query)
            since = wish["$filter"][0].split("ContentDate/Start ge ")[1].split(" and ")[0]
            held = [self.product(n) for n in range(self.archive.count)]
            later = [one for one in held if parse_instant(one["ContentDate"]["Start"]) >= parse_instant(since)]
            self.answer(200, json.dumps({"value": later[: int(wish["$top"][0])]}).encode())
            return
        skip = int(match[1]) if (match := re.search(r"skip=(\d+)", self.path)) else 0
        body: dict[str, Any] = {"value": [self.product(n) for n in range(self.archive.count)][skip : skip + 2]}
        if skip + 2 < self.archive.count:
            body["@odata.nextLink"] = f"{self.archive.url}/odata/Products?skip={skip + 2}"
        self.answer(200, json.dumps(body).encode())

    def product(self, number: int) -> dict[str, Any]:
        return {
            "Id": f"p{number}",
            "Name": f"{named(number)}.SAFE",
            "ContentLength": len(content(number)),
            "ContentDate": {"Start": f"2023-{1 if self.archive.one_instant else number + 1:02d}-10T10:00:31.024Z"},
            "Online": self.archive.is_online(number),
            "Checksum": [
                {"Algorithm": "BLAKE3", "Value": "0" * 64},
                {"Algorithm": "MD5", "Value": hashlib.md5(content(number)).hexdigest()},  # noqa: S324
            ],
            "GeoFootprint": box(15, 45, 16, 46).__geo_interface__,
            "Attributes": [{"Name": "cloudCover", "Value": float(number)}],
        }

    def order(self, number: int) -> None:
        self.archive.order_times.append(self.archive.clock.now())
        if len(self.archive.order_times) > self.archive.quota:
            self.archive.quota = 1000
            self.answer(403, Retry_After="7200")
        else:
            self.archive.online_at.setdefault(number, self.archive.clock.now() + self.archive.restore)
            self.answer(202, Retry_After="600")

    def value(self, number: int) -> None:
        if self.headers.get("Authorization") != "Bearer secret":
            self.answer(401)
        elif not self.archive.is_online(number):
            self.order(number)
        else:
            script = self.archive.trouble.get(number, [])
            self.serve(number, script.pop(0) if script else "")

    def serve(self, number: int, trouble: str) -> None:
        body = content(number)
        wish = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wish[1]) if wish and trouble != "no range" else 0
        self.archive.served.append((number, first))
        if trouble.isdigit():
            self.answer(int(trouble), Retry_After="1")
            return
        if first >= len(body):
            self.answer(416, Content_Range=f"bytes */{len(body)}")
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(body) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        self.pour(body[first:], trouble)

    def pour(self, body: bytes, trouble: str) -> None:
        if trouble.startswith("cut"):
            self.wfile.write(body[: len(body) // 2] if trouble == "cut" else b"")
            self.close_connection = True
        elif trouble == "wrong":
            self.wfile.write(bytes(len(body)))
        elif trouble.startswith("trickle"):
            self.trickle(body, slow=trouble == "trickle slowly")
        else:
            self.wfile.write(body)

    def trickle(self, body: bytes, *, slow: bool) -> None:
        step = len(body) // 20
        try:
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                self.wfile.flush()
                self.archive.clock.time += timedelta(seconds=30 if slow else 0.1)
                time.sleep(0.02 if slow else 0.001)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def provider(archive: Archive, action: str | None = None) -> ODataProducts:
    patience = Patience(attempts=2, first_wait=0.001, longest_wait=5, timeout=5, sleep=lambda _: None)
    service = ODataService(catalogue=f"{archive.url}/odata", download=f"{archive.url}/odata", order_action=action)
    token = PasswordToken("me", "right", f"{archive.url}/token", now=archive.clock.now, patience=patience)
    return ODataProducts(service, token=token, patience=patience)


def fetch(archive: Archive, folder: Path, *, action: str | None = None, **more: Any) -> FetchReport:
    source = provider(archive, action)
    wanted = more.pop("wanted", None) or orders_of(source.search(REGION, YEAR))
    book = FileOrderBook(folder / "orders.json")
    return fetch_products(wanted, source, book, folder, clock=archive.clock, **more)


def assert_all_there(archive: Archive, report: FetchReport, folder: Path) -> None:
    assert report.failed == {}
    assert sorted(report.paths) == [named(number) for number in range(archive.count)]
    for number in range(archive.count):
        assert (folder / f"{named(number)}.zip").read_bytes() == content(number)
    assert not list(folder.glob("*.part"))
