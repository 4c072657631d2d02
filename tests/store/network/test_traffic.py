"""Limits of connections hold for all requests of a process to a host, and counts are of all of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError
from landloom.store.http import answer, new_session
from landloom.store.network.traffic import Counts, host_of, limits, slots_of, traffic
from landloom.store.ranges import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web import FaultyServer


@pytest.mark.parametrize("text", ["a", "a=", "=4", "a=0", "a=x"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(InvalidInputError, match="expected one such as"):
        limits(text)


def test_a_limit_holds_for_hosts_below_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLOOM_CONNECTIONS", "copernicus.test=4")
    one, other = (slots_of(f"https://{host}/x") for host in ("a.copernicus.test", "b.copernicus.test"))
    assert one is not None
    assert one is other
    assert one.limit == 4
    assert slots_of("https://notcopernicus.test/x") is None


def test_no_more_connections_than_allowed(
    faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A streamed body holds its connection until it is closed; the others wait."""
    monkeypatch.setenv("LANDLOOM_CONNECTIONS", "127.0.0.1=2")
    (tmp_path / "a.bin").write_bytes(b"0123456789" * 1000)
    href = f"{faulty.address}/a.bin"
    traffic()
    slots, most = slots_of(href), 0
    assert slots is not None

    def read(_: int) -> int:
        nonlocal most
        most = max(most, slots.used)
        return open_source(href).size

    streamed = [answer(new_session(), href, stream=True) for _ in range(2)]
    assert slots.used == 2
    with ThreadPoolExecutor(8) as pool:
        reads = [pool.submit(read, number) for number in range(8)]
        assert threading.active_count() > 8
        assert not any(one.done() for one in reads)
        for one in streamed:
            one.close()
            one.close()
        assert [one.result() for one in reads] == [10_000] * 8
    assert most <= 2
    assert slots.used == 0
    assert traffic()[host_of(href).name] == Counts(requests=10, size=80_000)
