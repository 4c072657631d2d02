"""Backups while people work: one state of the ledger, checked before it gets its name."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from landloom.annotate.ledger.chain import verify_on
from landloom.annotate.ledger.copies.export import export_ledger
from landloom.annotate.ledger.database import open_database
from landloom.annotate.ledger.errors import ConflictError, LedgerUnavailableError, StorageFullError
from landloom.annotate.ledger.schema.models import Campaign

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.annotate.ledger.database import Ledger

_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)


def backup(ledger: Ledger, target: Path) -> Path:
    """Copy a ledger with names and password hashes while others work on; keep it as safely as the ledger.

    Args:
        ledger: an open one.
        target: SQLite: a file, which is a ledger that can be opened. PostgreSQL: a folder, from which `rebuild` makes
            a ledger. Nothing stands there yet.

    Returns:
        The target.

    Raises:
        ConflictError: something stands there.
        StorageFullError: no space is left.
        TamperedError: the ledger's hash chain is broken; there is no backup of it.
    """
    if target.exists():
        raise ConflictError(f"{target}: exists already; expected a name for a new file or folder")
    if ledger.dialect == "postgresql":
        export_ledger(ledger, target, names=True)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        partial.touch(mode=0o600)
        _copy(ledger, partial)
        _verify(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        for name in (partial.name, f"{partial.name}-wal", f"{partial.name}-shm"):
            partial.with_name(name).unlink(missing_ok=True)
    return target


def _copy(ledger: Ledger, path: Path) -> None:
    with ledger.engine.connect() as connection, closing(sqlite3.connect(path)) as copy:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)  # noqa: S101 - the dialect was checked
        try:
            source.backup(copy)
            copy.execute("pragma journal_mode = delete").close()  # one file
            faults = [row[0] for row in copy.execute("pragma quick_check")]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in _FULL:
                raise StorageFullError(f"{path.parent}: no space is left for the backup") from error
            raise LedgerUnavailableError(f"the ledger cannot be copied: {error}") from error
    if faults != ["ok"]:
        raise LedgerUnavailableError(f"the ledger is damaged: {faults[0]}")


def _verify(path: Path) -> None:
    with open_database(f"sqlite:///{path}", wal=False) as copy, copy.read() as connection:
        for name in connection.execute(select(Campaign.name)).scalars().all():
            verify_on(connection, name)
