"""The archive server, asked by the archive client that is made for the real service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import shapely
from tests.archive.orders.book import FileOrderBook

from landloom.archive.orders.fetch import FetchReport, fetch_products
from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.provider import CredentialsError
from landloom.archive.orders.states import Rules, orders_of
from landloom.archive.orders.tokens import PasswordToken
from landloom.archive.safe.products import SafeArchive
from landloom.errors import InvalidInputError
from landloom.model.time import Period
from landloom.simulate.safe.products import SafeForm, SafeReport, simulate_safe_archive
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.server import ArchiveServer, Habits
from landloom.simulate.spec import world_spec
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.model.scene import Scene

YEAR = Period.year(2018)
REGION = shapely.box(11, 49, 13, 51)
PATIENCE = Patience(attempts=2, first_wait=0.001, longest_wait=1, timeout=5, sleep=lambda _: None)


class Clock:
    """One clock for server and client; it moves when the client sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SafeReport]:
    folder = tmp_path_factory.mktemp("served")
    scenes = plan_scenes(world_spec("tiny"))[:3]
    return folder, simulate_safe_archive("tiny", folder, SafeForm(zipped=True), scenes=scenes, labels=False)


def products(server: ArchiveServer, password: str = "demo", page: int = 1000) -> ODataProducts:  # noqa: S107
    token = PasswordToken("demo", password, server.tokens, patience=PATIENCE)
    service = ODataService(catalogue=server.catalogue, download=server.catalogue)
    return ODataProducts(service, token=token, page=page, patience=PATIENCE)


def fetched(server: ArchiveServer, clock: Clock, folder: Path, scenes: tuple[Scene, ...]) -> FetchReport:
    rules = Rules(order_every=timedelta(seconds=60), poll_every=timedelta(seconds=20))
    book = FileOrderBook(folder / "orders.json")
    return fetch_products(orders_of(scenes), products(server), book, folder, rules=rules, clock=clock)


def test_search_gives_what_the_folder_holds_page_by_page(served: tuple[Path, SafeReport]) -> None:
    folder, report = served
    with ArchiveServer(folder) as server:
        scenes = products(server, page=2).search(REGION, YEAR)
        assert [f"{scene.id}.zip" for scene in scenes] == list(report.products)
        assert products(server).search(REGION, YEAR, level="L1C") == ()
        assert products(server).search(shapely.box(0, 0, 1, 1), YEAR) == ()
        assert products(server).search(REGION, Period.year(2019)) == ()
        local = SafeArchive(folder).search(REGION, YEAR)
    assert [(s.id, s.time, s.granule, s.orbit, s.baseline, s.cloud_cover) for s in scenes] == [
        (s.id, s.time, s.granule, s.orbit, s.baseline, s.cloud_cover) for s in local
    ]


def test_offline_products_come_after_orders_over_quota_and_cut_connections(
    served: tuple[Path, SafeReport], tmp_path: Path
) -> None:
    folder, report = served
    clock = Clock()
    habits = Habits(offline=0.7, restore=100, orders=1, retry_after=30, failures=2)
    with ArchiveServer(folder, habits, now=lambda: clock.seconds) as server:
        scenes = products(server).search(REGION, YEAR)
        found = fetched(server, clock, tmp_path, scenes)
    assert found.failed == {}
    assert clock.seconds >= 200  # two were offline, one order at a time
    for name in report.products:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert len(SafeArchive(tmp_path).search(REGION, YEAR)) == len(report.products)


def test_strangers_get_nothing_and_the_server_ends(served: tuple[Path, SafeReport], tmp_path: Path) -> None:
    folder, _ = served
    with ArchiveServer(folder) as server:
        scenes = products(server).search(REGION, YEAR)
        assert server.address.startswith("http://127.0.0.1:")
        for path, status in (
            ("/odata/v1/Products?$filter=x", 400),
            ("/etc/passwd", 404),
            ("/odata/v1/Products(no)", 404),
        ):
            with pytest.raises(HTTPError) as caught:
                urlopen(server.address + path)
            caught.value.close()
            assert caught.value.code == status
        with pytest.raises(HTTPError) as unsigned:
            urlopen(str(scenes[0].href))
        unsigned.value.close()
        assert unsigned.value.code == 401
        with pytest.raises(CredentialsError, match="password"):
            products(server, "wrong").order(orders_of(scenes)[0])
    with pytest.raises(OSError, match="refused"):
        urlopen(server.address)
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises(InvalidInputError, match=r"no\.zip"):
        ArchiveServer(tmp_path)
