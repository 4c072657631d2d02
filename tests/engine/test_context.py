"""The build context: one process a folder, what a killed one left is removed, and what is done is not done again."""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from tests.engine.tasks import Faulty, unit

from landloom.corpus.layout import BEGUN
from landloom.corpus.manifest import FileEntry
from landloom.engine.context import BuildContext, build_context, is_done, run_stage, unfinished
from landloom.engine.place import JOURNAL
from landloom.engine.units import Outcome
from landloom.errors import CorpusError, InvalidInputError
from landloom.model.keys import UNFINISHED
from landloom.store.open import open_store

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from landloom.engine.units import Unit

HOLDS = """
import sys
from pathlib import Path
from landloom.engine.context import build_context
with build_context(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""
"""Holds a folder until its standard input ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Writes a file of some letters."""

    store: str
    name: str
    letters: str = "x"

    def run(self) -> Outcome:
        open_store(self.store).put(self.name, self.letters.encode())
        return Outcome(files=(FileEntry.of(self.name, self.letters.encode()),))


def writes(context: BuildContext, *names: str) -> list[Unit]:
    return [unit(name, Write(store=context.uri, name=name)) for name in names]


def test_two_at_work_in_one_folder_are_one_too_many(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    other = start([sys.executable, "-c", HOLDS, str(tmp_path)])
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    with pytest.raises(CorpusError, match="another process is building there"), build_context(tmp_path):
        pass
    half = tmp_path / f".chip.tif.0{UNFINISHED}"
    half.write_bytes(b"half")
    other.kill()
    other.wait()
    with build_context(tmp_path) as context:
        assert not half.exists(), "what the killed one has left"
        context.store.put("chip.tif", b"whole")
    half.write_bytes(b"half")
    with build_context(tmp_path):
        assert half.exists(), "nobody was killed: the folder is not searched"


def test_a_folder_is_free_again_after_an_error(tmp_path: Path) -> None:
    """What was begun and not ended may have left something half-written, and is looked for the next time."""
    half = tmp_path / f".chip.tif.0{UNFINISHED}"

    def work() -> None:
        with build_context(tmp_path):
            half.write_bytes(b"half")
            raise KeyError("bug")

    with pytest.raises(KeyError, match="bug"):
        work()
    assert (tmp_path / BEGUN).exists()
    with build_context(tmp_path):
        assert not half.exists()
    assert not (tmp_path / BEGUN).exists()
    assert (tmp_path / JOURNAL).exists()


def test_an_input_is_known_by_its_bytes(tmp_path: Path) -> None:
    """Not by its name or the time of a change; of what is remote, only the address can be known."""
    for name, data in (("a", b"same"), ("b", b"same"), ("c", b"other")):
        (tmp_path / name).write_bytes(data)
    with build_context(tmp_path / "corpus") as context:
        same, again, other = (context.identity(str(tmp_path / name)) for name in "abc")
        assert same == again == hashlib.sha256(b"same").hexdigest() != other
        (tmp_path / "a").unlink()
        assert context.identity(str(tmp_path / "a")) == same, "each is read once for a build"
        assert context.identity("https://example.org/x.gpkg") == "https://example.org/x.gpkg"
        with pytest.raises(InvalidInputError, match=r"none\.gpkg: cannot be read: No such file"):
            context.identity(str(tmp_path / "none.gpkg"))


def test_a_stage_runs_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    """Missing is what was never made, lost a file, has one of another size, or was made from other inputs."""
    with build_context(tmp_path) as context:
        units = writes(context, "a", "b", "c", "d")
        assert run_stage("writing", units, context) == []
        assert unfinished(units, context) == []
        context.store.delete("a")
        (tmp_path / "b").write_bytes(b"longer")
        changed = replace(units[2], key="other inputs")
        assert unfinished([*units[:2], changed, units[3]], context) == [*units[:2], changed]
        run_stage("writing", [*units[:2], changed, units[3]], context)
        attempts = {entry.product: entry.attempts for entry in context.journal.entries()}
        assert attempts == {"a": 2, "b": 2, "c": 2, "d": 1}
        assert not is_done(units[2], context), "the journal knows what it was made from last"


def test_what_failed_is_tried_again_and_named_each_time(tmp_path: Path) -> None:
    with build_context(tmp_path) as context:
        broken = unit("broken", Faulty())
        for _ in range(2):
            problems = run_stage("reading", [broken, *writes(context, "a")], context)
            assert [str(problem) for problem in problems] == [f"{broken.id}: scene.tif: 404"]
        assert unfinished([broken], context) == [broken]
        assert {entry.product: entry.attempts for entry in context.journal.entries()} == {"broken": 2, "a": 1}


def test_a_lost_journal_costs_only_time(tmp_path: Path) -> None:
    with build_context(tmp_path) as context:
        run_stage("writing", writes(context, "a"), context)
    shutil.rmtree(tmp_path / ".landloom")
    with build_context(tmp_path) as context:
        units = writes(context, "a")
        assert unfinished(units, context) == units
        assert run_stage("writing", units, context) == []
        assert context.store.get("a") == b"x"


def test_a_stage_is_told_of_only_where_there_is_something_to_do(tmp_path: Path) -> None:
    heard: list[tuple[str, int]] = []

    class Listening:
        def started(self, stage: str, total: int) -> None:
            heard.append((stage, total))

        def advanced(self, unit: str, reason: str | None) -> None:
            """Nothing."""

    with build_context(tmp_path, listener=Listening()) as context:
        for _ in range(2):
            run_stage("writing", writes(context, "a", "b"), context)
    assert heard == [("writing", 2)]
