"""Downloads from object stores, through an outage of half a minute, and onto a disk that fills up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.query.faulty import Faulty, content, serving
from tests.query.transfer.test_download import assert_all_true, manifest, paths

from landloom.errors import StoreError
from landloom.query.transfer.destination import Wanted, plan_download, verify
from landloom.query.transfer.download import download
from landloom.query.transfer.stores import open_transfer_store, signed_urls
from landloom.store.open import open_store
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AWAY = 30.0
MEGABYTE = 1 << 20


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_object_stores_serve_the_same_download(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    base = f"{request.getfixturevalue(kind)}/a download"
    names = paths(120)
    store = open_store(base)
    for name in names[1:]:
        store.put(name, content(name, 60_000))
    store.put(names[2], content(names[2], 59_999))
    store.put(names[3], content(names[4], 60_000))
    quick = Patience(attempts=12, first_wait=0.05, longest_wait=0.2)

    def run() -> tuple[int, dict[str, str]]:
        plan = plan_download(manifest(names), tmp_path)
        done = download(plan, open_transfer_store(base), corpus="demo 1", base=base, patience=quick)
        return done.fetched, {problem.where: problem.what for problem in done.failed}

    fetched, failed = run()
    assert fetched == 117
    assert sorted(failed) == sorted([names[0], names[2], names[3]])
    assert "59999 bytes, expected 60000" in failed[names[2]]
    assert "digest" in failed[names[3]]
    assert assert_all_true(Faulty(), tmp_path) == 117
    for name in (names[0], names[2], names[3]):
        store.put(name, content(name, 60_000))
    assert run() == (3, {})
    assert assert_all_true(Faulty(), tmp_path) == 120
    assert verify(tmp_path) == []
    assert run() == (0, {})


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_signed_addresses_open_without_credentials(kind: str, request: pytest.FixtureRequest) -> None:
    from urllib.error import HTTPError
    from urllib.request import urlopen

    base = f"{request.getfixturevalue(kind)}/signed"
    open_store(base).put("a/b.tif", b"0123456789")
    url = signed_urls(base, ["a/b.tif"])[0]
    with urlopen(url) as answer:
        assert answer.read() == b"0123456789"
    if kind == "azure":  # the S3 server takes any signature
        with pytest.raises(HTTPError) as refused:
            urlopen(url.partition("?")[0])
        assert 400 <= refused.value.code < 500
        refused.value.close()


SERVER = """
import os, signal, sys, threading
from tests.query.faulty import Faulty, serving
port, most = int(sys.argv[1]), int(sys.argv[2])
served = []
def fault(path, count):
    served.append(path)
    if len(served) == most:
        os.kill(os.getpid(), signal.SIGKILL)
with serving(Faulty(fault=fault), port) as server:
    print(server.address, flush=True)
    threading.Event().wait()
"""


@contextmanager
def process(port: int, most: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A web server in a process of its own, which dies while it answers its `most`-th request; its address."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["src", ".", os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", SERVER, str(port), str(most)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server, server.stdout.readline().strip()
        finally:
            server.kill()


@pytest.mark.slow
def test_a_server_that_is_gone_for_half_a_minute_is_waited_for(tmp_path: Path) -> None:
    files, gone, over = manifest(paths(150)), [], threading.Event()

    def come_back(port: int) -> None:
        gone.append(dead.wait())
        over.wait(AWAY)
        with process(port, -1):
            over.wait(300)

    with process(0, 70) as (dead, base):
        again = threading.Thread(target=come_back, args=(int(base.rsplit(":", 1)[1]),))
        again.start()
        try:
            done = download(plan_download(files, tmp_path), open_transfer_store(base), corpus="demo 1", base=base)
        finally:
            over.set()
            again.join()
    assert gone == [-signal.SIGKILL]
    assert (done.fetched, done.failed) == (150, ())
    assert assert_all_true(Faulty(), tmp_path) == 150
    assert verify(tmp_path) == []


def mount(*arguments: str) -> bool:
    done = subprocess.run(["mount", "-t", "tmpfs", *arguments], capture_output=True, text=True, check=False)
    return done.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 120 MB; the system allows it to root alone."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not mount("-o", "size=120m", "landloom", str(folder)):
        pytest.skip("no disk can be mounted here: a download onto a full disk is tested by a limit on file sizes alone")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up_is_named_and_the_next_run_goes_on(small_disk: Path) -> None:
    files = [Wanted(path=path) for path in paths(140)]  # of unknown size, so that nobody can say it before

    def run(files: list[Wanted]) -> int:
        plan = plan_download(files, small_disk)
        return download(plan, open_transfer_store(server.address), corpus="demo 1", base=server.address).fetched

    with serving(Faulty(size=MEGABYTE)) as server:
        assert run(files[:40]) == 40
        with pytest.raises(StoreError, match="no space left; run again to continue"):
            run(files)
        assert not (small_disk / ".landloom" / "parts").exists()
        kept = plan_download(files, small_disk).present
        assert 40 <= kept == assert_all_true(server, small_disk) < 140
        assert mount("-o", "remount,size=260m", "landloom", str(small_disk))
        assert run(files) == 140 - kept
        assert assert_all_true(server, small_disk) == 140
    assert verify(small_disk) == []
