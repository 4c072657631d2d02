"""A command says as much as it is told, in the form it is told, and its log file has all of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError, StoreError
from landloom.reports.talk import LOG, TALK, Talk, talking
from landloom.reports.terminal import ProgressBars, note, say, say_table, size, warn

if TYPE_CHECKING:
    from pathlib import Path


def work() -> None:
    with ProgressBars() as bars:
        bars.started("digging", 2)
        bars.advanced("hole 1", None)
        bars.advanced("hole 2", "rock at https://user:hunter2@example.org/x")
    warn("a spade is bent")
    note("mind the hole")


def fail() -> None:
    work()
    raise InvalidInputError("stone")


def test_what_is_said_is_as_much_as_was_told(capsys: pytest.CaptureFixture[str]) -> None:
    work()
    loud = capsys.readouterr()
    assert loud.err.splitlines()[0] == "digging: 2"
    assert "a spade is bent" in loud.err
    assert loud.out == "  note: mind the hole\n"
    with talking(Talk(progress="none", is_quiet=True)):
        work()
    assert capsys.readouterr() == ("", "")
    assert TALK.get() == Talk()


def test_a_log_has_everything_with_times_and_no_secrets(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "a.log"
    before = list(LOG.handlers), LOG.level
    with talking(Talk(is_quiet=True), log_file=path, words=("landloom", "dig")):
        work()
    with pytest.raises(InvalidInputError), talking(Talk(), log_file=path):
        raise InvalidInputError("got a stone, expected sand")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(line[:4].isdigit() for line in lines[:6])
    for part in ("INFO landloom dig", "hole 1 done (1 of 2)", "WARNING a spade is bent", "note: mind the hole"):
        assert any(part in line for line in lines), part
    assert "got a stone, expected sand" in lines[-1]
    assert any(line.startswith("Traceback") for line in lines)
    assert "hunter2" not in path.read_text(encoding="utf-8")
    assert (list(LOG.handlers), LOG.level) == before


def test_more_words_show_more(capsys: pytest.CaptureFixture[str]) -> None:
    for verbose, traces in ((1, False), (2, True)):
        with pytest.raises(InvalidInputError), talking(Talk(progress="none"), verbose):
            fail()
        said = capsys.readouterr().err
        assert "INFO digging: hole 1 done (1 of 2)" in said
        assert ("Traceback" in said) == traces
    assert logging.getLogger().handlers is not LOG.handlers


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"), talking(Talk(), log_file=tmp_path):
        raise AssertionError


def test_a_table_is_aligned_by_column_or_plain(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("3 trees", 1200, 1_000_000), ("wood", 7, 5)]
    say_table("things", ("what", "count", "bytes"), [(a, b, size(c)) for a, b, c in rows])
    assert capsys.readouterr().out.splitlines()[2:] == ["  3 trees  1,200  1.0 MB", "  wood         7     5 B"]
    with talking(Talk(form="csv")):
        say_table("things", ("what", "count", "bytes"), [(a, b, size(c)) for a, b, c in rows])
        say("in all")
    assert capsys.readouterr() == ("what,count,bytes\n3 trees,1200,1000000\nwood,7,5\n", "in all\n")
