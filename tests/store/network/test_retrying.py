"""One policy for every kind of request: what passes is tried again, what is permanent is asked for once."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from shapely import box
from tests.web import CUT

from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.tokens import PasswordToken
from landloom.archive.signing import signing_of
from landloom.archive.stac_api import ApiArchive
from landloom.errors import LandloomError, PermanentFaultError, TransientFaultError
from landloom.formats.geotiff import encode_geotiff
from landloom.model.grid import Grid
from landloom.model.time import Period
from landloom.store.href_documents import HrefDocuments
from landloom.store.http import first_bytes, new_session
from landloom.store.network.retrying import Again, Tries
from landloom.store.network.traffic import Host, traffic
from landloom.store.objects import ObjectStore
from landloom.store.patience import Patience
from landloom.store.ranges import open_source
from landloom.store.raster import open_raster
from landloom.store.remote import fetched
from landloom.store.web import WebStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.web import FaultyServer

BYTES = bytes(range(256)) * 600
WHERE, YEAR = box(15, 45, 16, 46), Period.year(2018)
CONFORMS = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]
PATIENCE = Patience(attempts=3, first_wait=0.01, sleep=lambda _: None)


def whole(url: str) -> bytes:
    with fetched(f"{url}/bucket/a.bin", PATIENCE) as path, open(path, "rb") as file:  # noqa: PTH123
        return file.read()


def stored(work: Callable[[ObjectStore], bytes]) -> bytes:
    return work(ObjectStore("s3://bucket"))


def odata(url: str) -> bytes:
    service = ODataService(catalogue=f"{url}/odata", download=url)
    return str(ODataProducts(service, patience=PATIENCE).search(WHERE, YEAR)).encode()


KINDS: dict[str, tuple[Callable[[str], Any], Any]] = {
    "opening": (lambda url: open_source(f"{url}/bucket/a.bin", PATIENCE).size, len(BYTES)),
    "document": (lambda url: HrefDocuments(PATIENCE).read(f"{url}/bucket/a.bin"), BYTES),
    "copy": (whole, BYTES),
    "first bytes": (lambda url: first_bytes(new_session(PATIENCE), f"{url}/bucket/a.bin", 9), BYTES[:9]),
    "web": (lambda url: WebStore(f"{url}/bucket", PATIENCE).get("a.bin"), BYTES),
    "compressed": (lambda url: WebStore(f"{url}/bucket", PATIENCE).get("a.json.gz"), gzip.compress(BYTES, mtime=0)),
    "range of a web store": (lambda url: WebStore(f"{url}/bucket", PATIENCE).get_range("a.bin", 5, 7), BYTES[5:12]),
    "object": (lambda _: stored(lambda store: store.get("a.bin")), BYTES),
    "range of an object": (lambda _: stored(lambda store: store.get_range("a.bin", 5, 7)), BYTES[5:12]),
    "token": (lambda url: PasswordToken("a", "b", f"{url}/token.json", patience=PATIENCE)(), "T"),
    "signature": (lambda url: signing_of(url, "c", PATIENCE).signed(f"{url}/a.tif"), "signed"),
    "stac": (lambda url: ApiArchive(f"{url}/landing.json", "c", patience=PATIENCE).search(WHERE, YEAR), ()),
    "odata": (odata, b"()"),
}


@pytest.fixture
def url(faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    search = {
        "rel": "search",
        "href": f"{faulty.address}/search.json",
        "method": "POST",
        "type": "application/geo+json",
    }
    landing = {"type": "Catalog", "id": "a", "description": "a", "stac_version": "1.0.0", "conformsTo": CONFORMS}
    root = {"rel": "root", "href": f"{faulty.address}/landing.json"}
    documents = {
        "token.json": {"access_token": "T"},
        "landing.json": landing | {"links": [root, search]},
        "search.json": {"type": "FeatureCollection", "features": [], "links": []},
        "odata/Products": {"value": []},
        "api/sas/v1/token/c": {"token": "sig=1", "msft:expiry": str(datetime.now(UTC))},
    }
    for name, document in documents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(document).replace("+00:00", "Z"))
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "a.bin").write_bytes(BYTES)
    (tmp_path / "bucket" / "a.json.gz").write_bytes(gzip.compress(BYTES, mtime=0))
    monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
    faulty.stamps = {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT", "ETag": '"1"'}
    return faulty.address


@pytest.mark.parametrize("fault", [503, 429, 500, CUT])
@pytest.mark.parametrize("kind", KINDS)
def test_what_passes_costs_a_try(kind: str, fault: int, url: str, faulty: FaultyServer) -> None:
    read, wanted = KINDS[kind]
    faulty.script = [fault]
    traffic()
    found = read(url)
    assert wanted == ("signed" if kind == "signature" and "sig=1" in found else found)
    counts = traffic()
    assert sum(one.retries for one in counts.values()) == 1, counts
    assert sum(one.failures for one in counts.values()) == 0


NAMED = ("opening", "stac")
"""Kinds of what a catalogue has named, or what names it: a 404 is believed the second time."""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "signature"])
@pytest.mark.parametrize("status", [403, 404])
def test_what_is_permanent_is_asked_for_once(kind: str, status: int, url: str, faulty: FaultyServer) -> None:
    faulty.script = [status] * 9
    with pytest.raises(LandloomError):
        KINDS[kind][0](url)
    assert len(faulty.requests) == (2 if status == 404 and kind in NAMED else 1)


@pytest.mark.parametrize("kind", NAMED)
def test_a_404_that_is_said_once_is_not_believed(kind: str, url: str, faulty: FaultyServer) -> None:
    read, wanted = KINDS[kind]
    faulty.script = [404]
    assert read(url) == wanted


def test_a_404_within_a_file_is_not_believed_at_once(url: str, faulty: FaultyServer) -> None:
    for address in (f"{url}/bucket/a.bin", "s3://bucket/a.bin"):
        source = open_source(address, PATIENCE)
        faulty.script = [404]
        assert source.part(100_000, 100_010) == BYTES[100_000:100_010]
        faulty.script = [404, 404]
        with pytest.raises(PermanentFaultError):
            source.part(100_000, 100_010)


@pytest.mark.parametrize("fault", [503, CUT])
def test_a_range_that_fails_once_costs_no_file(fault: int, url: str, faulty: FaultyServer, tmp_path: Path) -> None:
    grid = Grid.of_bounds(32633, (500_000, 5_000_000, 505_000, 5_005_000), 10)
    pixels = np.random.default_rng(1).integers(1, 9999, (1, 500, 500), np.uint16)
    (tmp_path / "a.tif").write_bytes(encode_geotiff(pixels, grid, nodata=0, bands=["B04"]))
    faulty.script = [200, fault]
    with open_raster(f"{url}/a.tif", patience=PATIENCE) as raster:
        assert (raster.read(raster.grid) == pixels[0]).all()
    assert len(faulty.requests) > 2


def test_a_server_without_ranges_is_asked_again_for_the_whole(url: str, faulty: FaultyServer) -> None:
    faulty.whole, faulty.script = {}, [CUT, CUT]
    source = open_source(f"{url}/bucket/a.bin", PATIENCE)
    assert source.part(5, 9) == BYTES[5:9]
    source.close()


def test_what_does_not_pass_is_named_with_its_tries(url: str, faulty: FaultyServer) -> None:
    faulty.script = [503] * 9
    with pytest.raises(TransientFaultError, match=r"a\.bin: HTTP 503 after 3 tries"):
        open_source(f"{url}/bucket/a.bin", PATIENCE)
    faulty.script = [CUT] * 9
    with pytest.raises(TransientFaultError, match=r"a\.bin: .* after 3 tries"):
        open_source(f"{url}/bucket/a.bin", PATIENCE)


def test_all_requests_wait_as_long_as_one_was_asked_to(url: str, faulty: FaultyServer) -> None:
    waits: list[float] = []
    patience = Patience(sleep=waits.append)
    faulty.script, faulty.asks = [429], "100"
    HrefDocuments(patience).read(f"{url}/bucket/a.bin")
    HrefDocuments(patience).read(f"{url}/landing.json")
    assert len(waits) == 2
    assert all(90 < wait < 102 for wait in waits)


def test_an_outage_is_waited_for_and_then_named() -> None:
    host, waits, answers = Host(name="example.org"), list[float](), list[int]()
    patience = Patience(attempts=3, first_wait=1, longest_wait=10, outage=60, sleep=waits.append)

    def tries() -> Tries:
        return Tries(host, patience, lambda got: Again() if got == 503 else None)

    def answer() -> int:
        return answers.pop(0) if answers else 503

    def asked() -> tuple[int, str]:
        waits.clear()
        one = tries()
        return one.run(answer), one.words

    assert asked() == (503, " after 3 tries")  # it never answered before: a wrong name, or no network
    answers.append(200)
    assert asked() == (200, "")
    answers += [503] * 8 + [200]
    assert asked() == (200, "")
    assert len(waits) == 8
    status, words = asked()
    assert status == 503
    assert 60 <= sum(waits) < 80
    assert words.startswith("; example.org has answered no request for ")
    assert asked()[0] == 503
    assert waits == []
    answers.append(200)
    assert asked() == (200, "")
    assert host.silent is None
