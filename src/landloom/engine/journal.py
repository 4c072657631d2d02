"""The journal: what was intended, done and failed. It is local build state, never part of what is published."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from landloom.corpus.manifest import FileEntry
from landloom.engine.units import Outcome
from landloom.errors import DiskFullError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

State = Literal["done", "failed"]

_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
_SCHEMA = """
create table if not exists unit (
  id text primary key, key text not null, state text not null, attempts integer not null, reason text,
  seconds real not null, recorded real not null, files text not null, facts text not null
) without rowid
"""
_NOTES = """
create table if not exists note (kind text not null, id text not null, document text not null, primary key (kind, id))
without rowid
"""


@contextmanager
def _full_disk() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in {
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR_WRITE,
            sqlite3.SQLITE_IOERR_SHMSIZE,
        }:
            raise
        raise DiskFullError(f"no space left for the journal: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the journal holds of a unit."""

    id: str
    key: str
    state: State
    attempts: int
    reason: str | None
    seconds: float
    outcome: Outcome


class Journal:
    """A table of units on local disk; only the coordinator writes it.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
        ...     journal.record_failure("s2/33N_16E-243N", "k", "timeout", seconds=1.0)
        ...     entry = journal.get("s2/33N_16E-243N")
        >>> entry.state, entry.attempts, entry.reason
        ('failed', 1, 'timeout')
    """

    def __init__(self, path: Path) -> None:
        """Open it, made if need be.

        Raises:
            StoreError: it cannot be written, or is none.
            DiskFullError: no space is left for it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            with _full_disk():
                self._db.execute("pragma journal_mode = wal")
                self._db.execute("pragma synchronous = normal")
                self._db.execute(_SCHEMA)
                self._db.execute(_NOTES)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: cannot be used as a journal: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def record_outcome(self, unit: str, key: str, outcome: Outcome, *, seconds: float) -> None:
        """A unit is done."""
        files = json.dumps([asdict(file) for file in outcome.files])
        self._write(unit, key, "done", None, seconds, files, json.dumps(dict(outcome.facts)))

    def record_failure(self, unit: str, key: str, reason: str, *, seconds: float) -> None:
        """A unit has failed, for a reason that a person can act on."""
        self._write(unit, key, "failed", reason, seconds, "[]", "{}")

    def _write(self, unit: str, key: str, state: State, reason: str | None, seconds: float, *blobs: str) -> None:
        with _full_disk():
            self._insert(unit, key, state, reason, seconds, *blobs)

    def _insert(self, unit: str, key: str, state: State, reason: str | None, seconds: float, *blobs: str) -> None:
        self._db.execute(
            "insert into unit values (?, ?, ?, 1, ?, ?, ?, ?, ?) on conflict (id) do update set key = excluded.key,"
            " state = excluded.state, attempts = attempts + 1, reason = excluded.reason, seconds = excluded.seconds,"
            " recorded = excluded.recorded, files = excluded.files, facts = excluded.facts",
            (unit, key, state, reason, seconds, time.time(), *blobs),
        )

    def forget(self, unit: str) -> None:
        """Drop a unit that is no longer planned."""
        self._db.execute("delete from unit where id = ?", (unit,))

    def keep(self, kind: str, name: str, document: str) -> None:
        """Keep a note of any kind; it is safe on disk when this returns, whatever happens to the machine."""
        with _full_disk():
            self._db.execute("pragma synchronous = full")
            self._db.execute("insert or replace into note values (?, ?, ?)", (kind, name, document))
            self._db.execute("pragma synchronous = normal")

    def notes(self, kind: str) -> dict[str, str]:
        """Name → document of every note of a kind, by name."""
        return dict(self._db.execute("select id, document from note where kind = ? order by id", (kind,)).fetchall())

    def get(self, unit: str) -> Entry | None:
        """What is known of a unit."""
        row = self._db.execute("select * from unit where id = ?", (unit,)).fetchone()
        return None if row is None else _entry(row)

    def entries(self) -> Iterator[Entry]:
        """Every unit, in id order, one at a time: the files of many do not fit in memory."""
        for (unit,) in self._db.execute("select id from unit order by id").fetchall():
            entry = self.get(unit)
            if entry is not None:
                yield entry


def _entry(row: tuple[Any, ...]) -> Entry:
    unit, key, state, attempts, reason, seconds, _, files, facts = row
    records = tuple(FileEntry(**file) for file in json.loads(files))
    outcome = Outcome(files=records, facts=json.loads(facts))
    return Entry(id=unit, key=key, state=state, attempts=attempts, reason=reason, seconds=seconds, outcome=outcome)
