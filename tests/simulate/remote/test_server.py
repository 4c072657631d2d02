"""The server: ranges, versions, faults and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from landloom.simulate.remote.behaviour import Behaviour
from landloom.simulate.remote.content import FolderContent
from landloom.simulate.remote.server import RemoteServer
from landloom.simulate.remote.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = bytes(range(256)) * 40


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RemoteServer]:
    (tmp_path / "a.bin").write_bytes(DATA)
    with RemoteServer(FolderContent(tmp_path)) as found:
        yield found


def test_ranges_are_those_that_were_asked_for(server: RemoteServer) -> None:
    url = f"{server.address}/a.bin"
    whole = requests.get(url, timeout=9)
    part = requests.get(url, headers={"Range": "bytes=100-299"}, timeout=9)
    tail = requests.get(url, headers={"Range": "bytes=10000-"}, timeout=9)
    assert (whole.status_code, whole.content) == (200, DATA)
    assert (part.status_code, part.content) == (206, DATA[100:300])
    assert (tail.content, tail.headers["Content-Range"]) == (DATA[10_000:], f"bytes 10000-{len(DATA) - 1}/{len(DATA)}")
    assert whole.headers["ETag"] == part.headers["ETag"]
    beyond = requests.get(url, headers={"Range": f"bytes={len(DATA)}-"}, timeout=9)
    assert beyond.status_code == 416


def test_requests_are_counted_by_kind(server: RemoteServer) -> None:
    url = f"{server.address}/a.bin"
    requests.get(url, headers={"Range": "bytes=0-99"}, timeout=9)
    requests.get(url, headers={"Range": "bytes=100-199"}, timeout=9)
    requests.head(url, timeout=9)
    assert requests.get(f"{server.address}/../secret", timeout=9).status_code == 404
    tally = server.tally.document()
    assert tally["requests"] == {"check": 1, "header": 1, "nothing there": 1, "pixels": 1}
    assert tally["bytes"] == {"check": 0, "header": 100, "nothing there": 0, "pixels": 100}


def test_nothing_outside_of_the_folder_is_served(server: RemoteServer, tmp_path: Path) -> None:
    (tmp_path.parent / "secret").write_text("secret")
    assert server.find("/../secret", "", b"") is None
    assert server.find("/a.bin", "", b"") is not None


@pytest.mark.parametrize(("share", "status"), [("unavailable", 503), ("absent", 404)])
def test_a_fault_is_answered_and_counted(share: str, status: int, server: RemoteServer) -> None:
    server.behave(Behaviour(**{share: 1.0}))  # type: ignore[arg-type]
    answers = [requests.get(f"{server.address}/a.bin", timeout=9).status_code for _ in range(2)]
    assert answers == ([503, 503] if status == 503 else [404, 200])  # what is absent is there the next time
    assert server.tally.document()["faults"] == {str(status): 2 if status == 503 else 1}


def test_a_cut_answer_announces_more_than_it_has(server: RemoteServer) -> None:
    server.behave(Behaviour(cut=1.0))
    with pytest.raises(requests.RequestException):
        requests.get(f"{server.address}/a.bin", timeout=9)
    assert server.tally.document()["faults"] == {"cut": 1}


def test_a_server_of_its_own_process_takes_another_behaviour(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    with served(Behaviour(unavailable=1.0), folder=tmp_path) as server:
        assert requests.get(f"{server.address}/a.bin", timeout=9).status_code == 503
        server.behave(Behaviour())
        assert requests.get(f"{server.address}/a.bin", timeout=9).content == DATA
        tally = server.tally()
    assert (tally.requests, tally.sizes, tally.faults) == ({"header": 1}, {"header": len(DATA)}, {})
