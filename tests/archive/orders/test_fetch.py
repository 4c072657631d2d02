"""Fetching from a real HTTP server on loopback that behaves like a long-term archive on a bad day."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from shapely import box

from landloom.archive.orders.fetch import FetchReport, FileOrderBook, fetch_products
from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.states import Order, Rules, State, orders_of
from landloom.archive.orders.tokens import PasswordToken
from landloom.archive.selection import Policy, choose_scenes
from landloom.errors import InvalidInputError, PermanentFaultError, StoreError, TransientFaultError
from landloom.model.time import Period, parse_instant
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.archive.orders.provider import OrderAnswer

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


@pytest.fixture
def archive() -> Iterator[Archive]:
    held = Archive(TestClock())
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"archive": held}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    held.url = f"http://127.0.0.1:{server.server_port}"
    yield held
    server.shutdown()
    server.server_close()
    thread.join()


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


def test_search_pages_and_gives_scenes_that_policies_choose_from(archive: Archive) -> None:
    archive.count = 5
    source = provider(archive)
    scenes = source.search(REGION, YEAR)
    assert [scene.id for scene in scenes] == [named(number) for number in range(5)]
    assert (scenes[2].granule, scenes[2].orbit, scenes[2].cloud_cover) == ("33TWL", 122, 2.0)
    assert choose_scenes(scenes, Policy.parse("least-cloudy 2"), YEAR).ids == (named(0), named(1))
    assert source.problems == ()


@pytest.mark.parametrize("count", [3, 4, 5, 7])
def test_search_goes_on_where_the_service_stops_giving_links(archive: Archive, count: int) -> None:
    archive.count, archive.skips_nothing = count, True
    source = ODataProducts(ODataService(catalogue=f"{archive.url}/odata", download=""), page=3)
    assert [scene.id for scene in source.search(REGION, YEAR)] == [named(number) for number in range(count)]


def test_a_search_that_cannot_go_on_says_so(archive: Archive) -> None:
    archive.count, archive.skips_nothing, archive.one_instant = 5, True, True
    source = ODataProducts(ODataService(catalogue=f"{archive.url}/odata", download=""), page=3)
    with pytest.raises(PermanentFaultError, match="smaller region"):
        source.search(REGION, YEAR)


def test_what_is_online_is_downloaded_and_verified(archive: Archive, tmp_path: Path) -> None:
    seen: list[State] = []
    report = fetch(archive, tmp_path, report=lambda order: seen.append(order.state))
    assert_all_there(archive, report, tmp_path)
    assert archive.clock.naps == 0
    assert archive.order_times == []
    assert seen == [State.ONLINE] * 3 + [State.DONE] * 3


@pytest.mark.parametrize("action", [None, "OData.CSC.Order"])
def test_offline_products_are_ordered_at_the_pace_and_fetched_as_they_come(
    archive: Archive, tmp_path: Path, action: str | None
) -> None:
    archive.count, archive.offline = 6, {1, 2, 3, 4}
    archive.online_at = {3: START + timedelta(minutes=1)}  # somebody else has ordered it already
    report = fetch(archive, tmp_path, action=action)
    assert_all_there(archive, report, tmp_path)
    gaps = [later - earlier for earlier, later in pairwise(archive.order_times)]
    assert gaps
    assert min(gaps) >= timedelta(minutes=30)
    assert len(archive.order_times) <= 4, "an order is placed once"
    order = [number for number, _ in archive.served]
    assert order.index(0) < order.index(1)
    assert order.index(5) < order.index(1), "what is online is not held up by what is ordered"
    assert archive.clock.now() - START < timedelta(hours=8)


def test_over_quota_waits_as_told_and_goes_on(archive: Archive, tmp_path: Path) -> None:
    archive.offline, archive.quota = {0, 1, 2}, 1
    report = fetch(archive, tmp_path)
    assert_all_there(archive, report, tmp_path)
    assert len(archive.order_times) == 4, "three orders and one refusal"
    assert archive.order_times[2] - archive.order_times[1] >= timedelta(hours=2)


@pytest.mark.parametrize(
    "trouble",
    [
        ["500"],
        ["503", "500", "502"],
        ["cut"],
        ["cut", "cut", "cut"],
        ["cut at once"],
        ["wrong"],
        ["cut", "wrong"],
        ["trickle"],
    ],
)
def test_a_bad_day_is_survived(archive: Archive, tmp_path: Path, trouble: list[str]) -> None:
    archive.trouble = {1: trouble}
    report = fetch(archive, tmp_path)
    assert_all_there(archive, report, tmp_path)


def test_cut_downloads_go_on_where_they_stopped(archive: Archive, tmp_path: Path) -> None:
    archive.count, archive.trouble = 1, {0: ["cut", "cut"]}
    assert_all_there(archive, fetch(archive, tmp_path), tmp_path)
    assert archive.served == [(0, 0), (0, 10_000), (0, 15_000)]


def test_a_server_that_cannot_resume_starts_over(archive: Archive, tmp_path: Path) -> None:
    archive.count, archive.trouble = 1, {0: ["cut", "no range"]}
    assert_all_there(archive, fetch(archive, tmp_path), tmp_path)
    assert archive.served == [(0, 0), (0, 0)]


def test_a_trickle_too_slow_is_cut_and_taken_up_again(archive: Archive, tmp_path: Path) -> None:
    archive.count, archive.trouble = 1, {0: ["trickle slowly"]}
    assert_all_there(archive, fetch(archive, tmp_path), tmp_path)
    assert len(archive.served) == 2
    assert archive.served[1][1] > 0


def test_wrong_bytes_for_ever_end_in_failure_and_leave_nothing(archive: Archive, tmp_path: Path) -> None:
    archive.trouble = {1: ["wrong"] * 50}
    report = fetch(archive, tmp_path, rules=Rules(attempts=3))
    assert sorted(report.paths) == [named(0), named(2)]
    assert "checksum" in report.failed[named(1)]
    assert not list(tmp_path.glob("*.part"))
    archive.trouble = {}
    assert_all_there(archive, fetch(archive, tmp_path), tmp_path)


def test_a_product_that_is_gone_fails_at_once_and_alone(archive: Archive, tmp_path: Path) -> None:
    wanted = orders_of(provider(archive).search(REGION, YEAR))
    gone = Order(id="GONE", href=f"{archive.url}/odata/Products(p99)/$value")
    report = fetch(archive, tmp_path, wanted=(gone, *wanted))
    assert len(report.paths) == 3
    assert "404" in report.failed["GONE"]


@pytest.mark.parametrize("seed", range(4))
def test_killed_again_and_again_it_orders_and_downloads_nothing_twice(
    archive: Archive, tmp_path: Path, seed: int
) -> None:
    archive.count, archive.offline = 5, {0, 1, 2, 3, 4}
    archive.trouble = {2: ["cut"]}
    chance, kills = random.Random(seed), 0  # noqa: S311
    report = None
    while report is None:
        archive.clock.naps, archive.clock.kill_at = 0, chance.randint(1, 12) if kills < 8 else None
        try:
            report = fetch(archive, tmp_path)
        except KeyboardInterrupt:
            kills += 1
            archive.clock.time += timedelta(minutes=chance.randint(0, 90))
    assert kills > 0
    assert_all_there(archive, report, tmp_path)
    assert len(archive.order_times) == 5
    gaps = [later - earlier for earlier, later in pairwise(archive.order_times)]
    assert min(gaps) >= timedelta(minutes=30)
    assert len(archive.served) == 6, "five downloads, one of them in two parts"


def test_a_run_killed_while_it_orders_does_not_outrun_the_pace(archive: Archive, tmp_path: Path) -> None:
    class Killed(ODataProducts):
        def place(self, order: Order) -> OrderAnswer:
            super().place(order)
            raise KeyboardInterrupt

    archive.count, archive.offline = 2, {0, 1}
    source = provider(archive)
    wanted = orders_of(source.search(REGION, YEAR))
    service = ODataService(catalogue=f"{archive.url}/odata", download=f"{archive.url}/odata")
    for _ in range(2):
        killed, book = Killed(service, token=lambda: "secret"), FileOrderBook(tmp_path / "orders.json")
        with pytest.raises(KeyboardInterrupt):
            fetch_products(wanted, killed, book, tmp_path, clock=archive.clock)
    assert_all_there(archive, fetch(archive, tmp_path, wanted=wanted), tmp_path)
    assert all(later - earlier >= timedelta(minutes=30) for earlier, later in pairwise(archive.order_times))


def test_files_on_disk_are_trusted_only_when_they_hold(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / f"{named(0)}.zip").write_bytes(content(0))
    (tmp_path / f"{named(1)}.zip").write_bytes(content(0))
    assert_all_there(archive, fetch(archive, tmp_path), tmp_path)
    assert sorted(number for number, _ in archive.served) == [1, 2]
    (tmp_path / f"{named(2)}.zip").unlink()
    assert_all_there(archive, fetch(archive, tmp_path), tmp_path)
    assert sorted(number for number, _ in archive.served) == [1, 2, 2]


@pytest.mark.parametrize("size", [10, 20_000, 20_001])
def test_without_size_and_checksum_what_the_server_says_must_do(archive: Archive, tmp_path: Path, size: int) -> None:
    archive.count = 1
    wanted = tuple(
        replace(order, size=None, checksum=None) for order in orders_of(provider(archive).search(REGION, YEAR))
    )
    (tmp_path / f"{named(0)}.part").write_bytes((content(0) + b"more")[:size])
    assert_all_there(archive, fetch(archive, tmp_path, wanted=wanted), tmp_path)


def test_a_wrong_password_and_a_wrong_name(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(PermanentFaultError, match="password"):
        PasswordToken("me", "wrong", f"{archive.url}/token")()
    with pytest.raises(InvalidInputError, match="plain file name"):
        fetch(archive, tmp_path, wanted=(Order(id="../../evil", href="x"),))


def test_tokens_are_renewed_before_they_lapse(archive: Archive) -> None:
    clock, asked = archive.clock, PasswordToken("me", "right", f"{archive.url}/token", now=archive.clock.now)
    assert asked() == "secret"
    url, asked._url = asked._url, f"{archive.url}/nowhere"
    clock.time += timedelta(seconds=500)
    assert asked() == "secret"
    clock.time += timedelta(seconds=60)
    with pytest.raises(PermanentFaultError):
        asked()
    asked._url = url
    assert asked() == "secret"


def test_a_folder_that_cannot_be_written(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    wanted = orders_of(provider(archive).search(REGION, YEAR))
    with pytest.raises(StoreError):
        fetch_products(wanted, provider(archive), FileOrderBook(tmp_path / "o.json"), tmp_path / "file" / "below")


def test_a_book_reads_back_and_refuses_what_is_none(tmp_path: Path) -> None:
    order = Order(id="a", href="x", state=State.ORDERED, ordered_at=START, due=START, size=3)
    FileOrderBook(tmp_path / "orders.json").save(order)
    assert FileOrderBook(tmp_path / "orders.json").load() == {"a": order}
    (tmp_path / "orders.json").write_text('[{"state": 3}]', encoding="utf-8")
    with pytest.raises(StoreError, match=r"orders\.json"):
        FileOrderBook(tmp_path / "orders.json").load()


def test_no_server_is_transient() -> None:
    patience = Patience(attempts=2, sleep=lambda _: None)
    service = ODataService(catalogue="http://127.0.0.1:9", download="http://127.0.0.1:9")
    with pytest.raises(TransientFaultError):
        ODataProducts(service, patience=patience).search(REGION, YEAR)
