"""One file from a server that fails in every way: the true bytes with their digest, or a fault of the right kind."""

from __future__ import annotations

import hashlib
from threading import Event
from typing import TYPE_CHECKING

import pytest
from tests.query.faulty import Faulty, content, serving

from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.query.transfer.file import SMALL, fetch
from landloom.query.transfer.stores import open_transfer_store
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Patience(attempts=3, first_wait=0.01, longest_wait=0.02)


@pytest.mark.parametrize("size", [0, 1, 60_000, SMALL + 12_345])
@pytest.mark.parametrize("fault", [None, "short", "chunk", "503", "503 0", "drop", "429"])
def test_the_true_bytes_come_whatever_happens_at_first(tmp_path: Path, size: int, fault: str | None) -> None:
    part = tmp_path / "part"
    with serving(Faulty(size=size, fault=lambda _, count: fault if count == 1 and size else None)) as server:
        store = open_transfer_store(server.address)
        found = fetch(store, "a/b.tif", part, base=server.address, patience=QUICK)
    truth = content("a/b.tif", size)
    assert part.read_bytes() == truth
    assert (found.size, found.sha256) == (size, hashlib.sha256(truth).hexdigest())
    assert found.busy == (1 if size and fault in ("503", "503 0", "429") else 0)


def test_a_large_file_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    size = 3 * SMALL
    with serving(Faulty(size=size, fault=lambda _, count: "short" if count == 1 else None)) as server:
        fetch(open_transfer_store(server.address), "a.tif", tmp_path / "part", base=server.address, patience=QUICK)
    ranges = [wanted for method, _, _, wanted in server.requests if method == "GET"]
    assert len(ranges) == 2
    assert int((ranges[1] or "bytes=0-").removeprefix("bytes=").split("-")[0]) > 0
    assert (tmp_path / "part").read_bytes() == content("a.tif", size)


@pytest.mark.parametrize(("status", "error"), [("404", PermanentFaultError), ("403", PermanentFaultError)])
def test_what_cannot_come_is_not_asked_for_again(tmp_path: Path, status: str, error: type[Exception]) -> None:
    with serving(Faulty(fault=lambda _, __: status)) as server:
        store = open_transfer_store(server.address)
        with pytest.raises(error, match=r"a\.tif"):
            fetch(store, "a.tif", tmp_path / "part", base=server.address, patience=QUICK)
        assert len(server.gets()) == 1


def test_patience_ends_and_a_stop_ends_it_at_once(tmp_path: Path) -> None:
    stop = Event()
    stop.set()
    for asked, times in ((None, 3), (stop, 1)):
        with serving(Faulty(fault=lambda _, __: "500")) as server:
            store = open_transfer_store(server.address)
            with pytest.raises(TransientFaultError, match=r"a\.tif"):
                fetch(store, "a.tif", tmp_path / "part", base=server.address, patience=QUICK, stop=asked)
            assert len(server.gets()) == times
