from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from landloom.corpus.manifest import FileEntry
from landloom.engine.context import workshop
from landloom.engine.executors import inline, processes
from landloom.engine.journal import Journal
from landloom.engine.run import run
from landloom.engine.units import Outcome, Unit
from landloom.errors import BuildError, CorpusError, DiskFullError, PermanentFaultError, Problem, StoreError
from landloom.store.local import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.engine.executors import Factory


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    number: int

    def run(self) -> Outcome:
        return Outcome(files=(FileEntry.of(f"{self.number}", b"x" * self.number**2),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    def run(self) -> Outcome:
        raise PermanentFaultError("scene.tif: 404")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    def run(self) -> Outcome:
        raise KeyError("a bug in the code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    def run(self) -> Outcome:
        raise DiskFullError("no space left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dies:
    marker: str
    """A file that exists once the worker has died; empty to die each time."""

    def run(self) -> Outcome:
        if not self.marker or not os.path.exists(self.marker):  # noqa: PTH110
            if self.marker:
                os.close(os.open(self.marker, os.O_CREAT))
            os._exit(9)
        return Outcome(files=())


def unit(name: str, task: Square | Faulty | Bug | Full | Dies) -> Unit:
    return Unit(id=name, key="k", memory=0, task=task)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


@pytest.mark.parametrize("factory", [inline, processes(2)], ids=["inline", "processes"])
def test_every_unit_is_journalled(journal: Journal, factory: Factory) -> None:
    units = [unit(f"square/{n:02d}", Square(number=n)) for n in range(20)]
    assert run(units, factory=factory, journal=journal) == []
    assert [entry.outcome.files[0].size for entry in journal.entries()] == [n * n for n in range(20)]


def test_a_fault_fails_its_unit_and_the_rest_goes_on(journal: Journal) -> None:
    units = [unit("a", Faulty()), unit("b", Square(number=1))]
    problems = run(units, factory=inline, journal=journal)
    assert [str(problem) for problem in problems] == ["a: scene.tif: 404"]
    assert [(entry.id, entry.state) for entry in journal.entries()] == [("a", "failed"), ("b", "done")]


def test_attempts_are_counted(journal: Journal) -> None:
    for _ in range(3):
        run([unit("a", Faulty())], factory=inline, journal=journal)
    entry = journal.get("a")
    assert entry is not None
    assert entry.attempts == 3


def test_a_bug_is_not_swallowed(journal: Journal) -> None:
    with pytest.raises(KeyError, match="a bug"):
        run([unit("a", Bug())], factory=inline, journal=journal)


def test_a_full_disk_stops_the_run(journal: Journal) -> None:
    with pytest.raises(DiskFullError):
        run([unit("a", Square(number=2)), unit("b", Full())], factory=inline, journal=journal)
    assert [entry.id for entry in journal.entries()] == ["a"]


def test_a_dead_worker_is_replaced_and_its_unit_runs_again(journal: Journal, tmp_path: Path) -> None:
    units = [unit("dies", Dies(marker=str(tmp_path / "died"))), *(unit(f"s{n}", Square(number=n)) for n in range(5))]
    assert run(units, factory=processes(2), journal=journal) == []
    assert {entry.state for entry in journal.entries()} == {"done"}
    assert len(list(journal.entries())) == 6


def test_a_unit_that_kills_every_worker_fails_alone(journal: Journal) -> None:
    units = [unit("dies", Dies(marker="")), *(unit(f"s{n}", Square(number=n)) for n in range(5))]
    problems = run(units, factory=processes(2), journal=journal)
    assert [problem.where for problem in problems] == ["dies"]
    assert sum(entry.state == "done" for entry in journal.entries()) == 5


def test_a_journal_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match=r"journal\.sqlite: cannot be used as a journal: file is not a database"):
        Journal(tmp_path / "journal.sqlite")


def test_a_thousand_units_that_fail_for_one_reason_are_one_line() -> None:
    problems = [Problem(where=f"s2/{n}", what="no column") for n in range(1000)]
    assert str(BuildError(problems)).splitlines()[1:] == ["  - s2/0 and 999 more: no column"]
    assert len(BuildError(problems).problems) == 1000


def test_two_at_work_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from landloom.engine.context import workshop
with workshop(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(CorpusError, match="another process is at work there"), workshop(tmp_path):
            pass
        half = tmp_path / f".chip.tif.0{UNFINISHED}"
        half.write_bytes(b"half")
        other.kill()
    with workshop(tmp_path) as shop:
        assert not half.exists(), "what the killed one has left"
        shop.store.put("chip.tif", b"whole")
    half.write_bytes(b"half")
    with workshop(tmp_path):
        assert half.exists(), "nobody was killed: the folder is not searched"
