"""A word while a host is waited for, in this process and in workers."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from landloom.reports.talk import Talk, talking
from landloom.store.network.retrying import Again, Tries
from landloom.store.network.traffic import Host
from landloom.store.network.waiting import LOG, tell
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def words() -> Iterator[list[str]]:
    """What is said while the test runs."""
    said: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    handler = Kept()
    LOG.addHandler(handler)
    yield said
    LOG.removeHandler(handler)


def test_a_request_that_waits_long_says_so_once(words: list[str]) -> None:
    answer = requests.Response()
    answer.status_code = 503
    tries = Tries(Host(name="slow.example"), Patience(attempts=6, sleep=lambda _: None), lambda _: Again(asked=4.0))
    tries.run(lambda: answer)
    assert len(words) == 1
    assert words[0].startswith("waiting for slow.example: it answers with status 503; waited 4 s, next try in 5 s")


def test_short_waits_are_silent_and_each_host_speaks_for_itself(words: list[str]) -> None:
    tell("a.example", TimeoutError("no answer"), waited=1.0, wait=2.0)
    assert words == []
    for host in ("a.example", "b.example", "a.example"):
        tell(host, TimeoutError("no answer\nand more"), waited=20.0, wait=10.0)
    assert words == [
        f"waiting for {host}: no answer; waited 20 s, next try in 10 s" for host in ("a.example", "b.example")
    ]


@pytest.mark.parametrize(("quiet", "seen"), [(False, True), (True, False)])
def test_commands_show_it_unless_they_are_quiet(quiet: bool, seen: bool, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: FBT001
    with talking(Talk(is_quiet=quiet)):
        tell(f"{quiet}.example", "no answer", waited=30.0, wait=30.0)
    assert ("waiting for" in capsys.readouterr().err) is seen


WORKER = """
from functools import partial

from landloom.engine.executors import processes, submit
from landloom.reports.talk import Talk, talking
from landloom.store.network.waiting import tell

if __name__ == "__main__":
    with talking(Talk()), processes(1)() as pool:
        submit(pool, partial(tell, "far.example", "no answer", waited=30.0, wait=30.0)).result()
"""


def test_workers_show_it_where_the_command_does(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(WORKER, encoding="utf-8")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "waiting for far.example: no answer; waited 30 s" in done.stderr
