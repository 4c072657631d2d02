"""Units made in parts by several workers: one entry in the journal, the same outcome, and nothing left behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.engine.tasks import Dies, Divided, Faulty, Named, Square, unit
from tests.engine.test_timesteps import BRIGHTEST, SEEN, Brightest, scenes, task

from landloom.corpus.layout import PARTS
from landloom.engine.executors import inline, processes
from landloom.engine.journal import Journal
from landloom.engine.pixels.registration import Register
from landloom.engine.run import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.small_scenes import Small

    from landloom.engine.executors import Factory
    from landloom.engine.units import Outcome, Task

__all__ = ["scenes"]

NAMES = ("first", "second", "third", "fourth")
PIECES = tuple(Named(name=name) for name in NAMES)


@pytest.fixture(scope="module")
def two() -> Factory:
    """Two workers."""
    return processes(2)


def test_parts_are_one_unit(journal: Journal, two: Factory) -> None:
    units = [unit("whole", Square(number=2)), unit("divided", Divided(pieces=PIECES))]
    assert run(units, factory=two, journal=journal) == []
    entry = journal.get(units[1].id)
    assert entry is not None
    assert [note.what for note in entry.outcome.notes] == list(NAMES)
    assert [file.path for file in entry.outcome.files] == [*NAMES, "joined"]
    assert len(list(journal.entries())) == 2


def test_units_are_divided_only_if_workers_were_idle(journal: Journal) -> None:
    """The files of parts stand in the outcome only if there were parts."""
    units = [unit(f"u{number}", Divided(pieces=PIECES)) for number in range(3)]
    run(units, factory=processes(2), journal=journal)
    counts = sorted(len(entry.outcome.files) for entry in journal.entries())
    assert counts == [1, 5, 5]
    run(units, factory=inline, journal=journal)
    assert {len(entry.outcome.files) for entry in journal.entries()} == {1}


def test_a_part_that_fails_fails_its_unit_once(journal: Journal, two: Factory, tmp_path: Path) -> None:
    marker = tmp_path / "discarded"
    pieces: tuple[Task, ...] = (Faulty(), *PIECES, Faulty())
    units = [unit("divided", Divided(pieces=pieces, marker=str(marker))), unit("other", Square(number=3))]
    problems = run(units, factory=two, journal=journal)
    assert [str(problem) for problem in problems] == ["divided/33N_16E-243N: scene.tif: 404"]
    assert [entry.state for entry in journal.entries()] == ["failed", "done"]
    assert marker.exists()


def test_a_part_whose_worker_dies_runs_again(journal: Journal, two: Factory, tmp_path: Path) -> None:
    pieces: tuple[Task, ...] = (PIECES[0], Dies(marker=str(tmp_path / "died")), *PIECES[1:])
    one = unit("divided", Divided(pieces=pieces))
    assert run([one], factory=two, journal=journal) == []
    entry = journal.get(one.id)
    assert entry is not None
    assert [note.what for note in entry.outcome.notes] == list(NAMES)


def test_a_part_that_kills_every_worker_fails_its_unit(journal: Journal, two: Factory, tmp_path: Path) -> None:
    marker = tmp_path / "discarded"
    units = [
        unit("divided", Divided(pieces=(*PIECES, Dies(marker="")), marker=str(marker))),
        unit("a", Square(number=1)),
    ]
    problems = run(units, factory=two, journal=journal)
    assert [problem.where for problem in problems] == [units[0].id]
    assert marker.exists()


def made(folder: Path, found: dict[str, Small], factory: Factory, **rest: Any) -> tuple[Outcome, dict[str, bytes]]:
    """The outcome of a tile, and every file in the corpus."""
    own = replace(task(folder / "corpus", list(found.values())), **rest)
    with Journal(folder / "journal.sqlite") as journal:
        one = unit("s2", own)
        assert run([one], factory=factory, journal=journal) == []
        entry = journal.get(one.id)
    assert entry is not None
    paths = sorted(path for path in (folder / "corpus").rglob("*") if path.is_file())
    return entry.outcome, {str(path.relative_to(folder / "corpus")): path.read_bytes() for path in paths}


@pytest.mark.parametrize("refuses", [False, True])
def test_timesteps_in_parts_are_the_same_bytes(
    scenes: dict[str, Small],
    tmp_path: Path,
    two: Factory,
    refuses: bool,  # noqa: FBT001 - drawn
) -> None:
    """Chips and cubes, with chips that are refused, with nodata that is not 0; lineage and notes."""
    odd = replace(BRIGHTEST, nodata=7)
    said: dict[str, Any] = {
        "layouts": ("chips", "cubes"),
        "products": (odd, SEEN),
        "reducer": Brightest(refuses=refuses, wonders=True),
    }
    whole, files = made(tmp_path / "one", scenes, inline, **said)
    parts, same = made(tmp_path / "two", scenes, two, **said)
    assert same == files
    assert not (tmp_path / "two" / "corpus" / PARTS).exists()
    assert parts.document() == whole.document()
    assert {(file.path, file.sha256) for file in parts.files} == {(file.path, file.sha256) for file in whole.files}
    assert bool(whole.refused) is refuses


def test_timesteps_whose_displacements_are_measured_are_not_divided(
    scenes: dict[str, Small],
    tmp_path: Path,
) -> None:
    own = task(tmp_path, list(scenes.values()))
    assert len(own.parts()) == 3
    assert replace(own, register=Register.MEASURE).parts() == []
