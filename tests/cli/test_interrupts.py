"""Ctrl-C, SIGTERM and SIGKILL, with real processes: one line, the right code, and nobody is left behind.

Nothing here counts on how long something takes: tests wait for what they ask for, and give up after `PATIENCE`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest
import yaml
from tests.projects import digest_of

from landloom.pipelines.build import build
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Start = Callable[..., subprocess.Popen[str]]

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
LINE = "landloom: interrupted; run again to continue\n"
PATIENCE: Final = 60.0
"""Seconds after which something that should happen at once never will."""
IN_ORDER = "ended in order\n"
"""What a process prints that ends by itself: neither `os._exit` of the clock nor a second signal lets it."""
CONSOLE = f"""
import atexit
from landloom.cli.__main__ import main
atexit.register(print, {IN_ORDER!r}, end="", flush=True)
main()
"""
SWALLOWS = """
import sys, time
from landloom.cli.interrupts import interruptible
with interruptible(float(sys.argv[1])):
    while True:
        try:
            print("at work", flush=True)
            while True:
                time.sleep(0.01)
        except BaseException:
            print("swallowed", flush=True)
"""
"""A library that catches everything; whenever it has said that it is at work, a signal is raised where it catches."""


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
    return digest_of(recipe / "whole")


def command(recipe: Path, out: Path, workers: int) -> list[str]:
    return [sys.executable, "-c", CONSOLE, "build", str(recipe), "--out", str(out), "--workers", str(workers)]


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


def comes(state: Callable[[], object]) -> bool:
    """Wait until a state has come; whether it has before patience ends."""
    end = time.monotonic() + PATIENCE
    while not state():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def begun(start: Start, recipe: Path, out: Path, workers: int) -> subprocess.Popen[str]:
    """A build in a process group of its own that has come as far as compositing: there is a first chip."""
    running = start(command(recipe, out, workers))
    assert running.stderr is not None
    assert any(line.startswith("building:") for line in running.stderr)
    assert comes(lambda: any((out / "imagery").rglob("*.tif")) or running.poll() is not None)
    assert running.poll() is None
    return running


@pytest.fixture
def building(start: Start, recipe: Path, tmp_path: Path) -> subprocess.Popen[str]:
    """Such a build by two workers."""
    return begun(start, recipe, tmp_path / "corpus", 2)


@POSIX
@pytest.mark.parametrize(
    ("number", "code", "send"),
    [(signal.SIGINT, 130, os.killpg), (signal.SIGTERM, 143, os.kill)],
    ids=["ctrl-c in a terminal", "sigterm to the parent"],
)
def test_a_signal_ends_the_build_in_order_with_one_line(
    building: subprocess.Popen[str], number: int, code: int, send: Callable[[int, int], None]
) -> None:
    """Not by the clock, which is for what swallows it."""
    send(building.pid, number)
    assert building.communicate(timeout=PATIENCE) == (IN_ORDER, LINE)
    assert building.returncode == code
    assert comes(lambda: not family(building.pid))


@POSIX
@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="wants /proc to see who lives")  # noqa: PTH112
def test_workers_end_with_a_parent_that_is_killed(
    building: subprocess.Popen[str], recipe: Path, tmp_path: Path, wanted: str
) -> None:
    assert len(family(building.pid)) >= 4, "the parent, two workers and their fork server"
    os.kill(building.pid, signal.SIGKILL)
    building.wait(PATIENCE)
    assert comes(lambda: not family(building.pid))
    subprocess.run(command(recipe, tmp_path / "corpus", 2), check=True, capture_output=True)
    assert digest_of(tmp_path / "corpus") == wanted


@POSIX
def test_ctrl_c_is_heard_while_one_process_works(start: Start, recipe: Path, tmp_path: Path) -> None:
    running = begun(start, recipe, tmp_path / "corpus", 1)
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=PATIENCE) == (IN_ORDER, LINE)
    assert running.returncode == 130


def swallowing(start: Start) -> subprocess.Popen[str]:
    """A process that has swallowed a first Ctrl-C, and is at work again."""
    running = start([sys.executable, "-c", SWALLOWS, str(10 * PATIENCE)])
    assert running.stdout is not None
    assert running.stdout.readline() == "at work\n"
    running.send_signal(signal.SIGINT)
    assert running.stdout.readline() == "swallowed\n"
    assert running.stdout.readline() == "at work\n"
    return running


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_swallows_an_interruption_is_ended_by_a_second_one(start: Start, number: int, code: int) -> None:
    """By somebody who has no patience."""
    running = swallowing(start)
    running.send_signal(number)
    assert running.communicate(timeout=PATIENCE) == ("", LINE)
    assert running.returncode == code


@POSIX
def test_what_swallows_an_interruption_is_ended_by_the_clock(start: Start) -> None:
    running = start([sys.executable, "-c", SWALLOWS, "0.1"])
    assert running.stdout is not None
    assert running.stdout.readline() == "at work\n"
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=PATIENCE)[1] == LINE
    assert running.returncode == 130


def test_a_reader_that_has_enough_is_no_error(start: Start) -> None:
    code = "import sys; from landloom.cli.__main__ import main; sys.argv = ['landloom', '--help']; main()"
    running = start([sys.executable, "-c", code])
    assert running.stdout is not None
    running.stdout.close()
    assert running.stderr is not None
    assert "Traceback" not in running.stderr.read()
    running.stderr.close()
    running.wait(PATIENCE)
