"""Ctrl-C, SIGTERM and SIGKILL, with real processes: one line, the right code, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import yaml

from landloom.corpus.audit.check import digest
from landloom.pipelines.build import build
from landloom.pipelines.starters import write_starter
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
LINE = "landloom: interrupted; run again to go on\n"


@pytest.fixture(scope="module")
def recipe(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that takes some seconds to build."""
    folder = tmp_path_factory.mktemp("interrupts")
    (folder / "archive").symlink_to(tiny_archive)
    write_starter("demo", folder / "landloom.yaml")
    document = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    document["samples"]["count"] = 4
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def wanted(recipe: Path) -> str:
    """Digest of the corpus that an uninterrupted build makes of it."""
    build(recipe, out=recipe / "whole")
    return digest(open_store(str(recipe / "whole")))


def command(recipe: Path, out: Path, workers: int) -> list[str]:
    return [sys.executable, "-m", "landloom.cli", "build", str(recipe), "--out", str(out), "--workers", str(workers)]


def family(group: int) -> set[int]:
    """Processes of a group that live."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"/proc/{entry.name}/stat", encoding="utf-8") as file:  # noqa: PTH123
                    state, _, own = file.read().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(own) == group and state != "Z":
                found.add(int(entry.name))
    return found


@pytest.fixture
def building(recipe: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A build by two workers, in a process group of its own, that has come as far as compositing."""
    running = subprocess.Popen(
        command(recipe, tmp_path / "corpus", 2), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("building:"):
            break
    time.sleep(0.3)
    yield running
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
    running.communicate()


def gone(group: int, seconds: float = 10.0) -> bool:
    """Whether nobody of a group is left after some time."""
    end = time.monotonic() + seconds
    while family(group) and time.monotonic() < end:
        time.sleep(0.05)
    return not family(group)


@POSIX
@pytest.mark.parametrize(
    ("number", "code", "send"),
    [(signal.SIGINT, 130, os.killpg), (signal.SIGTERM, 143, os.kill)],
    ids=["ctrl-c in a terminal", "sigterm to the parent"],
)
def test_a_signal_ends_the_build_with_one_line(
    building: subprocess.Popen[str], number: int, code: int, send: Callable[[int, int], None]
) -> None:
    send(building.pid, number)
    start = time.monotonic()
    out, err = building.communicate(timeout=30)
    assert time.monotonic() - start < 8
    assert building.returncode == code
    assert (out, err) == ("", LINE)
    assert gone(building.pid)


@POSIX
@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="wants /proc to see who lives")  # noqa: PTH112
def test_workers_end_with_a_parent_that_is_killed(
    building: subprocess.Popen[str], recipe: Path, tmp_path: Path, wanted: str
) -> None:
    assert len(family(building.pid)) >= 4, "the parent, two workers and their fork server"
    os.kill(building.pid, signal.SIGKILL)
    building.wait(10)
    assert gone(building.pid)
    subprocess.run(command(recipe, tmp_path / "corpus", 2), check=True, capture_output=True)
    assert digest(open_store(str(tmp_path / "corpus"))) == wanted


@POSIX
def test_ctrl_c_is_heard_while_one_process_works(recipe: Path, tmp_path: Path) -> None:
    running = subprocess.Popen(
        command(recipe, tmp_path / "corpus", 1), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("building:"):
            break
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=30) == ("", LINE)
    assert running.returncode == 130


@POSIX
def test_what_swallows_an_interruption_is_ended_by_the_clock() -> None:
    """A library that catches everything, and a second Ctrl-C by somebody who has no patience."""
    code = """
import time
from landloom.cli.interrupts import interruptible
with interruptible():
    print("ready", flush=True)
    for _ in range(600):
        try:
            time.sleep(0.1)
        except BaseException:
            print("swallowed", flush=True)
"""
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    running.send_signal(signal.SIGINT)
    assert running.stdout.readline() == "swallowed\n"
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=5) == ("", LINE)
    assert running.returncode == 130


def test_a_reader_that_has_enough_is_no_error() -> None:
    code = "import sys; from landloom.cli.__main__ import main; sys.argv = ['landloom', '--help']; main()"
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.close()
    assert running.stderr is not None
    assert b"Traceback" not in running.stderr.read()
    running.stderr.close()
    running.wait(10)
