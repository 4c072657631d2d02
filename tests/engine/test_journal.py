"""The journal: what was recorded comes back, also after it was closed; one of an older shape costs time alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.outcomes import as_values, outcomes
from tests.engine.tasks import unit

from landloom.engine.journal import Journal
from landloom.engine.units import Outcome
from landloom.errors import DiskFullError, StoreError

NAMES = st.text(min_size=1, max_size=12)


@given(outcomes(), NAMES, NAMES, st.none() | st.integers(0, 99), st.floats(0, 1e6))
def test_what_was_recorded_comes_back(
    outcome: Outcome, product: str, key: str, part: int | None, seconds: float
) -> None:
    own = unit(product, tile="33N_16E-243N", part=part, key=key)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        with Journal(path) as journal:
            journal.record_outcome(own, outcome, seconds=seconds)
        with Journal(path) as journal:
            entry = journal.get(own.id)
            entries = list(journal.entries())
    assert entry is not None
    assert (entry.id, entry.kind, entry.product, entry.tile, entry.key) == (own.id, own.kind, product, own.tile, key)
    assert (entry.state, entry.attempts, entry.reason, entry.seconds) == ("done", 1, None, seconds)
    assert as_values(entry.outcome) == as_values(outcome)
    assert [one.id for one in entries] == [own.id]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), NAMES), max_size=12))
def test_it_holds_what_was_last_said_of_each_unit_and_how_often_it_was_tried(
    told: list[tuple[str, bool, str]],
) -> None:
    """A model of it: a dictionary."""
    model: dict[str, tuple[str, str | None, int]] = {}
    with TemporaryDirectory() as folder, Journal(Path(folder) / "j") as journal:
        for name, done, reason in told:
            own = unit(name)
            if done:
                journal.record_outcome(own, Outcome(files=()), seconds=0)
            else:
                journal.record_failure(own, reason, seconds=0)
            tries = model.get(own.id, ("", None, 0))[2] + 1
            model[own.id] = ("done", None, tries) if done else ("failed", reason, tries)
        found = {entry.id: (entry.state, entry.reason, entry.attempts) for entry in journal.entries()}
        assert journal.get("of nobody") is None
        assert list(found) == sorted(model)
    assert found == model


@given(st.lists(st.tuples(st.sampled_from(["plan", "order"]), NAMES, st.text(max_size=20))))
def test_notes_are_kept_by_kind_and_name(told: list[tuple[str, str, str]]) -> None:
    model: dict[str, dict[str, str]] = {"plan": {}, "order": {}}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "j"
        with Journal(path) as journal:
            for kind, name, text in told:
                journal.keep(kind, name, text)
                model[kind][name] = text
        with Journal(path) as journal:
            assert {kind: journal.notes(kind) for kind in model} == model
            assert journal.notes("nothing") == {}


def test_one_of_an_older_shape_forgets_its_units_and_keeps_its_notes(tmp_path: Path) -> None:
    """What orders of products have come to is in the notes: that must not be asked for again."""
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("create table unit (id text primary key, key text, state text)")
        old.execute("insert into unit values ('s2/33N_16E-243N', 'k', 'done')")
        old.execute("create table note (kind text, id text, document text, primary key (kind, id)) without rowid")
        old.execute("insert into note values ('order', 'S2A_1', 'paid')")
        old.execute("pragma user_version = 1")
    with Journal(path) as journal:
        assert list(journal.entries()) == []
        assert journal.notes("order") == {"S2A_1": "paid"}
        journal.record_failure(unit("s2"), "timeout", seconds=0)
    with Journal(path) as journal:
        assert [entry.reason for entry in journal.entries()] == ["timeout"]


def test_a_journal_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database, but long enough to be taken for one" * 100)
    with pytest.raises(StoreError, match=r"journal\.sqlite: cannot be used as a journal: file is not a database"):
        Journal(tmp_path / "journal.sqlite")


def test_a_disk_that_is_full_is_said(tmp_path: Path) -> None:
    """A real limit of the database: so many pages and no more."""
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal._db.execute("pragma max_page_count = 12")
        with pytest.raises(DiskFullError, match="no space left for the journal"):
            journal.keep("note", "long", "x" * 2**20)
        with pytest.raises(DiskFullError, match="no space left for the journal"):
            journal.record_failure(unit("a"), "x" * 2**20, seconds=0)
