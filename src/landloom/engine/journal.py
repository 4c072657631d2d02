"""The journal: units done and failed, and notes of the build. It is local build state and never published."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import zlib
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import orjson

from landloom.corpus.manifest import FileEntry
from landloom.engine.units import Outcome
from landloom.errors import DiskFullError, StoreError
from landloom.model.address import PRICES_VARIABLE
from landloom.store.network.budgets import prices, within_budgets
from landloom.store.network.traffic import Counts, total, traffic
from landloom.store.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from landloom.engine.units import Unit
    from landloom.store.network.budgets import Price

State = Literal["done", "failed"]

_TRAFFIC = "traffic"
"""Kind and id of the note with the traffic outside of units."""
_PRICES = "prices"
"""Kind and id of the note with the prices of hosts."""
_STATED = "stated"
"""Kind of the notes with what archives state of the files of units' scenes, by unit."""
_VERSION = 2
"""Version of the tables; the units of an older journal are dropped, and run once more."""
_PARSED = 8
"""Entries asked for last that are kept as they were parsed: a build asks for the same ones several times."""
_SCHEMA = """
create table if not exists unit (
  id text primary key, kind text not null, product text not null, tile text not null, key text not null,
  state text not null, attempts integer not null, reason text, seconds real not null, recorded real not null,
  files text not null, outcome text not null
) without rowid
"""
_NOTES = """
create table if not exists note (kind text not null, id text not null, document text not null, primary key (kind, id))
without rowid
"""
_WHOLE = "select * from unit where id = ?"
_BRIEF = """
select id, kind, product, tile, key, state, attempts, reason, seconds, recorded, '[]', outcome from unit where id = ?
"""
_JOIN = """
insert or replace into unit select * from other.unit as theirs
where not exists (select 1 from unit as own where own.id = theirs.id and own.recorded >= theirs.recorded)
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


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, zlib.error, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        what = f"the journal is damaged: {error}; remove it to run its units again"
        raise StoreError(f"{path}: {what}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """The journal's entry of a unit."""

    id: str
    kind: str
    product: str
    tile: str
    key: str
    state: State
    attempts: int
    reason: str | None
    seconds: float
    recorded: float
    """When, in seconds since 1970."""
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedUnit:
    """What decides whether a unit that is done has to be made again."""

    id: str
    files: Mapping[str, int]
    """Path → bytes of every file that it has written."""
    inputs: Mapping[str, Version]
    """Address → version of the source files that it has read."""


class Journal:
    """A table of units on local disk, written only by the coordinating process.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from landloom.engine.units import Unit
        >>> with TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
        ...     unit = Unit(kind="composite", product="s2", tile="33N_16E-243N", key="k", memory=0, task=None)
        ...     journal.record_failure(unit, "timeout", seconds=1.0)
        ...     entry = journal.get(unit.id)
        >>> entry.state, entry.attempts, entry.reason
        ('failed', 1, 'timeout')
    """

    def __init__(self, path: Path) -> None:
        """Open the journal, creating it if necessary.

        Raises:
            StoreError: it cannot be written, or is not a journal.
            DiskFullError: no space is left for it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._parsed: dict[tuple[str, bool], tuple[tuple[Any, ...], JournalEntry]] = {}
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            with _full_disk():
                self._db.execute("pragma journal_mode = wal")
                self._db.execute("pragma synchronous = normal")
                if self._db.execute("pragma user_version").fetchone()[0] < _VERSION:
                    self._db.execute("drop table if exists unit")
                    self._db.execute(f"pragma user_version = {_VERSION}")
                self._db.execute(_SCHEMA)
                self._db.execute(_NOTES)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: cannot be used as a journal: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def record_outcome(self, unit: Unit, outcome: Outcome, *, seconds: float) -> None:
        """Record that a unit is done."""
        outcome = self._with_earlier(unit, outcome)
        files = orjson.dumps([asdict(file) for file in outcome.files])
        self._write(unit, "done", None, seconds, _packed(files), _packed(json.dumps(outcome.document()).encode()))
        self.keep_stated(unit)

    def record_failure(
        self, unit: Unit, reason: str, *, seconds: float, traffic: Mapping[str, Counts] | None = None
    ) -> None:
        """Record that a unit has failed, with a reason for the user, and what it asked of hosts."""
        outcome = self._with_earlier(unit, Outcome(files=(), traffic=traffic or {}))
        self._write(unit, "failed", reason, seconds, "[]", _packed(json.dumps(outcome.document()).encode()))

    def _with_earlier(self, unit: Unit, outcome: Outcome) -> Outcome:
        """With the traffic of the unit's earlier attempts."""
        before = self.get(unit.id)
        spent = {} if before is None else before.outcome.traffic
        return replace(outcome, traffic=total((spent, outcome.traffic))) if spent else outcome

    def _write(self, unit: Unit, state: State, reason: str | None, seconds: float, *blobs: str | bytes) -> None:
        row = (unit.id, unit.kind, unit.product, unit.tile, unit.key, state, reason, seconds, time.time(), *blobs)
        with _full_disk():
            self._db.execute(
                "insert into unit values (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?) on conflict (id) do update set"
                " kind = excluded.kind, product = excluded.product, tile = excluded.tile, key = excluded.key,"
                " state = excluded.state, attempts = attempts + 1, reason = excluded.reason,"
                " seconds = excluded.seconds, recorded = excluded.recorded, files = excluded.files,"
                " outcome = excluded.outcome",
                row,
            )

    def join(self, path: Path) -> None:
        """Take over units and notes of another journal; of a unit that both have, what was recorded last.

        Args:
            path: of the other; nothing happens if it is not there.

        Raises:
            StoreError: it is damaged.
        """
        if not path.exists():
            return
        with _readable(path), _full_disk():
            self._db.execute("attach database ? as other", (str(path),))
            try:
                tables = self._db.execute("select name from other.sqlite_master where name in ('unit', 'note')")
                if len(tables.fetchall()) == len(("unit", "note")):
                    self._db.execute("begin immediate")
                    self._db.execute(_JOIN)
                    self._db.execute("insert or ignore into note select * from other.note")
                    self._db.execute("commit")
            finally:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                self._db.execute("detach database other")

    def content(self) -> bytes:
        """A whole copy, as the bytes of a file."""
        with closing(sqlite3.connect(":memory:")) as copy:
            self._db.backup(copy)
            return copy.serialize()

    def keep(self, kind: str, name: str, document: str) -> None:
        """Store a note of any kind; it is safely on disk when this returns, even if the machine fails."""
        with _full_disk():
            self._db.execute("pragma synchronous = full")
            self._db.execute("insert or replace into note values (?, ?, ?)", (kind, name, document))
            self._db.execute("pragma synchronous = normal")

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what is asked of hosts within, outside of units; no more than the budgets of the environment leave."""
        traffic()  # of what this process did before
        try:
            with within_budgets(self.traffic):
                yield
        finally:
            self.add_traffic(traffic())

    def add_traffic(self, found: Mapping[str, Counts]) -> None:
        """Add what was asked of hosts outside of units: searches, catalogues."""
        if found:
            now = total((self._other_traffic(), found))
            self.keep(_TRAFFIC, _TRAFFIC, json.dumps({host: counts.document() for host, counts in now.items()}))

    def traffic(self, *, units: bool = True) -> dict[str, Counts]:
        """Host → what it was asked for, and what it gave, in all builds of this journal.

        Args:
            units: include that of units.
        """
        spent = (entry.outcome.traffic for entry in (self.entries(whole=False) if units else ()))
        return total((self._other_traffic(), *spent))

    def keep_prices(self) -> None:
        """Keep the prices of hosts that the environment states; without any, those kept before."""
        text = os.environ.get(PRICES_VARIABLE, "")
        if prices(text):
            self.keep(_PRICES, _PRICES, text)

    def prices(self) -> dict[str, Price]:
        """Name → price of a host, as of the last build that was told any."""
        return prices(self.notes(_PRICES).get(_PRICES, ""))

    def _other_traffic(self) -> dict[str, Counts]:
        document = json.loads(self.notes(_TRAFFIC).get(_TRAFFIC, "{}"))
        return {host: Counts.parse(one) for host, one in document.items()}

    def notes(self, kind: str) -> dict[str, str]:
        """Name → document of every note of a kind, by name.

        Raises:
            StoreError: the journal is damaged; also of the other methods that read it.
        """
        found = self._rows("select id, document from note where kind = ? order by id", kind)
        with _readable(self._path):
            return dict(found)

    def get(self, unit: str, *, whole: bool = True) -> JournalEntry | None:
        """The entry of a unit, if any.

        Args:
            unit: its id.
            whole: with files and inputs of its outcome, which are thousands; else without any.
        """
        rows = self._rows(_WHOLE if whole else _BRIEF, unit)
        if not rows:
            return None
        row = rows[0]
        before = self._parsed.pop((unit, whole), None)
        if before is not None and before[0] == row:
            entry = before[1]
        else:
            with _readable(self._path):
                entry = _entry(row, whole=whole)
        self._parsed[unit, whole] = row, entry
        if len(self._parsed) > _PARSED:
            del self._parsed[next(iter(self._parsed))]
        return entry

    def finished(self, unit: Unit) -> FinishedUnit | None:
        """What a unit has written and read, without the rest of its outcome.

        Returns:
            None for a unit that is not done, was made from other inputs, or may not publish all of its chips.
        """
        query = "select files, outcome from unit where id = ? and state = 'done' and key = ?"
        rows = self._rows(query, unit.id, unit.key)
        if not rows:
            return None
        with _readable(self._path):
            files, outcome = orjson.loads(_unpacked(rows[0][0])), json.loads(_unpacked(rows[0][1]))
            if outcome.get("refused"):
                return None
            return FinishedUnit(
                id=unit.id,
                files={file["path"]: file["size"] for file in files},
                inputs={href: Version.parse(one) for href, one in outcome.get("inputs", {}).items()},
            )

    def keep_stated(self, unit: Unit) -> None:
        """Record what archives state of the files of a unit's scenes; what it has read of these is still the same."""
        with _full_disk():
            row = (_STATED, unit.id, " ".join(sorted(unit.stated)))
            self._db.execute("insert or replace into note values (?, ?, ?)", row)

    def stated(self, unit: Unit) -> frozenset[str]:
        """What archives stated of the files of a unit's scenes when they were last known to be those that it read."""
        rows = self._rows("select document from note where kind = ? and id = ?", _STATED, unit.id)
        return frozenset(rows[0][0].split()) if rows else frozenset()

    def recorded(self) -> dict[str, float]:
        """Unit → when it was recorded last, in seconds since 1970."""
        found = self._rows("select id, recorded from unit order by id")
        with _readable(self._path):
            return dict(found)

    def entries(self, *, whole: bool = True) -> Iterator[JournalEntry]:
        """Every unit, in id order, one at a time: the files of many units do not fit in memory.

        Args:
            whole: as of `get`.
        """
        for (unit,) in self._rows("select id from unit order by id"):
            entry = self.get(unit, whole=whole)
            if entry is not None:
                yield entry

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with _readable(self._path):
            return self._db.execute(query, values).fetchall()


def _packed(content: bytes) -> bytes:
    """Compressed: the files and inputs of a large corpus would take gigabytes as text."""
    return zlib.compress(content)


def _unpacked(content: str | bytes) -> str | bytes:
    """The inverse; journals of earlier versions hold plain text."""
    return zlib.decompress(content) if isinstance(content, bytes) else content


def _entry(row: tuple[Any, ...], *, whole: bool) -> JournalEntry:
    unit, kind, product, tile, key, state, attempts, reason, seconds, recorded, files, outcome = row
    records = tuple(FileEntry(**file) for file in orjson.loads(_unpacked(files)))
    document = json.loads(_unpacked(outcome))
    return JournalEntry(
        id=unit,
        kind=kind,
        product=product,
        tile=tile,
        key=key,
        state=state,
        attempts=attempts,
        reason=reason,
        seconds=seconds,
        recorded=recorded,
        outcome=Outcome.parse(records, document if whole else document | {"inputs": {}}),
    )
