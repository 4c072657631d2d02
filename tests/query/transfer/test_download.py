"""Downloads under faults: never a wrong file under a final name, and a second run ends complete."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tests.query.faulty import Faulty, content, serving

from landloom.errors import ForeignCorpusError, StoreError
from landloom.query.transfer.destination import (
    Wanted,
    diff,
    plan_download,
    plan_repair,
    verify,
)
from landloom.query.transfer.download import download
from landloom.query.transfer.download_journal import DownloadJournal
from landloom.query.transfer.stores import open_transfer_store
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.query.transfer.download import Report

QUICK = Patience(attempts=24, first_wait=0.05, longest_wait=0.3)


def paths(count: int) -> list[str]:
    return [
        f"imagery/33N/16E-243N/33N_16E-243N_{n // 40 + 1:02d}_{n % 40 + 1:02d}/S2-SR/2018-01.tif" for n in range(count)
    ]


def manifest(names: list[str], size: int = 60_000) -> list[Wanted]:
    return [Wanted(path=name, size=size, sha256=hashlib.sha256(content(name, size)).hexdigest()) for name in names]


@pytest.fixture
def server() -> Iterator[Faulty]:
    with serving(Faulty()) as faulty:
        yield faulty


def run(server: Faulty, files: list[Wanted], folder: Path, patience: Patience = QUICK) -> Report:
    plan = plan_download(files, folder)
    return download(plan, open_transfer_store(server.address), corpus="demo 1", base=server.address, patience=patience)


def assert_all_true(server: Faulty, folder: Path) -> int:
    """Every file under a final name has its true bytes; how many there are."""
    found = [path for path in folder.rglob("*") if path.is_file() and ".landloom" not in path.parts]
    for path in found:
        assert path.read_bytes() == server.truth(path.relative_to(folder).as_posix())
    return len(found)


def test_a_download_is_complete_and_a_second_run_asks_nothing(server: Faulty, tmp_path: Path) -> None:
    files = manifest(paths(300))
    report = run(server, files, tmp_path)
    assert (report.fetched, report.bytes, report.present, report.failed) == (300, 300 * 60_000, 0, ())
    assert assert_all_true(server, tmp_path) == 300
    assert verify(tmp_path) == []
    server.requests.clear()
    again = run(server, files, tmp_path)
    assert (again.fetched, again.present) == (0, 300)
    assert server.requests == []


def test_only_what_is_missing_is_fetched(server: Faulty, tmp_path: Path) -> None:
    files = manifest(paths(40))
    run(server, files[:30], tmp_path)
    (tmp_path / files[3].path).unlink()
    with (tmp_path / files[4].path).open("ab") as file:
        file.write(b"x")
    server.requests.clear()
    report = run(server, files, tmp_path)
    assert (report.fetched, report.present) == (12, 28)
    assert sorted(server.gets()) == sorted([files[3].path, files[4].path, *(item.path for item in files[30:])])
    assert assert_all_true(server, tmp_path) == 40


FAULTS = ["short", "chunk", "503", "503 0", "drop", "500", "429", "flip"]


@pytest.mark.parametrize(
    ("fault", "known"),
    # One flipped byte cannot be seen without a digest.
    [(fault, known) for fault in FAULTS for known in (True, False) if known or fault != "flip"],
)
def test_passing_faults_leave_no_trace(server: Faulty, tmp_path: Path, fault: str, known: bool) -> None:  # noqa: FBT001 - a parameter of the test
    server.fault = lambda path, count: fault if count == 1 and path.endswith("3/S2-SR/2018-01.tif") else None
    files = manifest(paths(60)) if known else [Wanted(path=path) for path in paths(60)]
    report = run(server, files, tmp_path)
    assert (report.fetched, report.failed) == (60, ())
    assert assert_all_true(server, tmp_path) == 60


def test_lasting_faults_are_named_and_the_rest_comes(server: Faulty, tmp_path: Path) -> None:
    files = manifest(paths(60))
    faults = {files[7].path: "404", files[8].path: "flip", files[9].path: "short", files[10].path: "403"}
    server.fault = lambda path, _count: faults.get(path)
    report = run(server, files, tmp_path, Patience(attempts=10, first_wait=0.05, longest_wait=0.1))
    assert sorted(problem.where for problem in report.failed) == sorted(faults)
    reasons = {problem.where: problem.what for problem in report.failed}
    assert "404" in reasons[files[7].path]
    assert "digest" in reasons[files[8].path]
    assert assert_all_true(server, tmp_path) == 56
    assert server.counts[files[7].path] == server.counts[files[10].path] == 1  # it makes no sense to ask again
    server.fault = lambda _path, _count: None
    assert run(server, files, tmp_path).fetched == 4
    assert assert_all_true(server, tmp_path) == 60


def test_retry_after_is_heeded(server: Faulty, tmp_path: Path) -> None:
    server.fault = lambda _path, count: "503 2" if count == 1 else None
    run(server, manifest(paths(1)), tmp_path)
    first, second = (moment for method, _, moment, _ in server.requests if method == "GET")
    assert 2 <= second - first < 4


def test_large_bodies_are_resumed_where_they_broke(server: Faulty, tmp_path: Path) -> None:
    server.size = 12 << 20
    server.fault = lambda _path, count: "short" if count <= 2 else None
    name = paths(1)[0]
    report = run(server, [Wanted(path=name)], tmp_path)
    assert (report.fetched, report.bytes) == (1, 12 << 20)
    assert assert_all_true(server, tmp_path) == 1
    ranges = [wanted for method, _, _, wanted in server.requests if method == "GET"]
    assert ranges[0] is None
    assert all(wanted is not None and int(wanted.removeprefix("bytes=").split("-")[0]) > 0 for wanted in ranges[1:])


def test_a_server_that_is_gone_for_a_while_is_waited_for(tmp_path: Path) -> None:
    files = manifest(paths(120))
    with serving(Faulty()) as first:
        port = int(first.address.rsplit(":", 1)[1])
        run(first, files[:40], tmp_path)
    import threading

    back = Faulty()

    def later() -> None:
        time.sleep(2.5)
        with serving(back, port):
            stop.wait(30)

    stop = threading.Event()
    thread = threading.Thread(target=later)
    thread.start()
    try:
        first.address = f"http://127.0.0.1:{port}"
        report = run(first, files, tmp_path, Patience(attempts=60, first_wait=0.1, longest_wait=0.5))
    finally:
        stop.set()
        thread.join()
    assert (report.fetched, report.failed) == (80, ())
    assert assert_all_true(first, tmp_path) == 120


CHILD = """
import sys
from pathlib import Path
from landloom.query.transfer.destination import Wanted, plan_download
from landloom.query.transfer.download import download
from landloom.query.transfer.stores import open_transfer_store
from tests.query.transfer.test_download import manifest, paths
known = sys.argv[3] == "known"
files = manifest(paths(700), 20_000) if known else [Wanted(path=path) for path in paths(700)]
plan = plan_download(files, Path(sys.argv[2]))
print("go", flush=True)
download(plan, open_transfer_store(sys.argv[1]), corpus="demo 1", base=sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("known", ["known", "unknown"])
def test_a_killed_download_ends_complete(tmp_path: Path, known: str) -> None:
    rng = random.Random(1)  # noqa: S311 - moments, no secrets
    with serving(Faulty(size=20_000)) as server:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(["src", ".", os.environ.get("PYTHONPATH", "")])}
        for _ in range(5):
            command = [sys.executable, "-c", CHILD, server.address, str(tmp_path), known]
            process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
            assert process.stdout is not None
            assert process.stdout.readline() == b"go\n"
            moment = len(server.requests) + rng.randint(10, 150)
            while len(server.requests) < moment:
                assert process.poll() is None
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            assert_all_true(server, tmp_path)
            if DownloadJournal(tmp_path).read():  # else killed before a file was whole
                assert verify(tmp_path) == []
        names = paths(700)
        files = manifest(names, 20_000) if known == "known" else [Wanted(path=name) for name in names]
        run(server, files, tmp_path)
        assert assert_all_true(server, tmp_path) == 700
        assert verify(tmp_path) == []
        assert not (tmp_path / ".landloom" / "parts").exists()


FULL = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
from landloom.errors import StoreError
from landloom.query.transfer.destination import plan_download
from landloom.query.transfer.download import download
from landloom.query.transfer.stores import open_transfer_store
from tests.query.transfer.test_download import manifest, paths
plan = plan_download(manifest(paths(20)), Path(sys.argv[2]))
try:
    download(plan, open_transfer_store(sys.argv[1]), corpus="demo 1", base=sys.argv[1])
except StoreError as error:
    print("refused", error)
"""


def test_a_disk_that_takes_no_more_leaves_no_wrong_file(server: Faulty, tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE is not None
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["src", ".", os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", FULL, server.address, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("refused cannot write to"), done.stderr
    assert assert_all_true(server, tmp_path) == 0
    assert run(server, manifest(paths(20)), tmp_path).fetched == 20
    assert assert_all_true(server, tmp_path) == 20


def test_a_destination_holds_one_corpus(server: Faulty, tmp_path: Path) -> None:
    run(server, manifest(paths(3)), tmp_path)
    plan = plan_download(manifest(paths(5)), tmp_path)
    with pytest.raises(ForeignCorpusError, match="demo 1"):
        download(plan, open_transfer_store(server.address), corpus="other 1", base=server.address)


def test_verify_repair_and_diff(server: Faulty, tmp_path: Path) -> None:
    files = manifest(paths(20))
    run(server, files, tmp_path)
    (tmp_path / files[2].path).unlink()
    (tmp_path / files[3].path).write_bytes(b"short")
    data = bytearray((tmp_path / files[4].path).read_bytes())
    data[100] ^= 1
    (tmp_path / files[4].path).write_bytes(bytes(data))
    problems = {problem.where: problem.what for problem in verify(tmp_path)}
    assert sorted(problems) == [files[2].path, files[3].path, files[4].path]
    assert "gone" in problems[files[2].path]
    assert "digest" in problems[files[4].path]
    assert len(verify(tmp_path, digests=False)) == 2
    assert diff([*files[1:], Wanted(path="new.tif")], tmp_path) == (
        [files[2].path, files[3].path, "new.tif"],
        [files[0].path],
    )
    store = open_transfer_store(server.address)
    report = download(plan_repair(tmp_path), store, corpus="demo 1", base=server.address, patience=QUICK)
    assert report.fetched == 3
    assert verify(tmp_path) == []
    assert assert_all_true(server, tmp_path) == 20


def test_a_torn_journal_line_is_dropped(server: Faulty, tmp_path: Path) -> None:
    files = [Wanted(path=path) for path in paths(6)]
    run(server, files[:5], tmp_path)
    journal = DownloadJournal(tmp_path)
    data = journal.path.read_bytes()
    journal.path.write_bytes(data[:-20])
    assert len(journal.read()) == 4
    assert run(server, files, tmp_path).fetched == 2
    assert len(journal.read()) == 6
    assert verify(tmp_path) == []


def test_whole_files_without_a_line_are_recognised_by_their_digest(server: Faulty, tmp_path: Path) -> None:
    files = manifest(paths(6))
    run(server, files, tmp_path)
    journal = DownloadJournal(tmp_path)
    journal.path.write_bytes(b"\n".join(journal.path.read_bytes().split(b"\n")[:3]) + b"\n")
    server.requests.clear()
    assert run(server, files, tmp_path).present == 6
    assert server.requests == []
    assert len(journal.read()) == 6


def test_two_downloads_do_not_share_a_destination(server: Faulty, tmp_path: Path) -> None:
    from landloom.query.transfer.download import _locked

    plan = plan_download(manifest(paths(2)), tmp_path)
    with _locked(tmp_path), pytest.raises(StoreError, match="another download"):
        download(plan, open_transfer_store(server.address), corpus="demo 1")
