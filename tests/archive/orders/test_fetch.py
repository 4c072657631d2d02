"""Fetching from a real HTTP server on loopback that behaves like a long-term archive on a bad day."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.archive.orders.book import FileOrderBook
from tests.archive.orders.service import (
    REGION,
    START,
    YEAR,
    Archive,
    assert_all_there,
    content,
    fetch,
    named,
    provider,
)

from landloom.archive.orders.fetch import fetch_products
from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.provider import CredentialsError
from landloom.archive.orders.states import Order, Rules, State, orders_of
from landloom.archive.orders.tokens import PasswordToken
from landloom.errors import InvalidInputError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.archive.orders.fetch import FetchReport
    from landloom.archive.orders.provider import OrderAnswer


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
        def order(self, order: Order) -> OrderAnswer:
            super().order(order)
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
    with pytest.raises(CredentialsError, match="password"):
        PasswordToken("me", "wrong", f"{archive.url}/token")()
    with pytest.raises(InvalidInputError, match="plain file name"):
        fetch(archive, tmp_path, wanted=(Order(id="../../evil", href="x"),))


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


def test_a_password_that_changes_on_the_way_ends_the_run_and_fails_nothing(archive: Archive, tmp_path: Path) -> None:
    archive.trouble = {1: ["401"]}
    with pytest.raises(CredentialsError, match="401"):
        fetch(archive, tmp_path)
    known = FileOrderBook(tmp_path / "orders.json").load()
    assert [order.state for order in known.values()].count(State.FAILED) == 0
    archive.trouble.clear()
    assert_all_there(archive, fetch(archive, tmp_path), tmp_path)


def test_two_builds_may_share_a_folder_of_products(archive: Archive, tmp_path: Path) -> None:
    archive.count = 5
    wanted = orders_of(provider(archive).search(REGION, YEAR))

    def run(name: str) -> FetchReport:
        book = FileOrderBook(tmp_path / f"{name}.json")
        return fetch_products(wanted, provider(archive), book, tmp_path / "products", clock=archive.clock)

    with ThreadPoolExecutor(2) as pool:
        for report in pool.map(run, "ab"):
            assert not report.failed
            assert len(report.paths) == 5
    for number in range(5):
        assert (tmp_path / "products" / f"{named(number)}.zip").read_bytes() == content(number)
    assert len(archive.served) == 5, "each product comes once"
