"""The database behind a ledger: SQLite with one writer, or PostgreSQL with several hosts."""

from __future__ import annotations

import errno
import random
import sqlite3
import threading
import time
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from landloom.annotate.ledger.errors import LedgerUnavailableError, StorageFullError
from landloom.errors import InvalidValueError, MissingExtraError

try:
    from sqlalchemy import Float, create_engine, event, make_url, select
    from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
    from sqlalchemy.ext.compiler import compiles
    from sqlalchemy.sql.functions import FunctionElement
except ImportError as missing:  # pragma: no cover - the extra is not installed
    raise MissingExtraError.of("annotate", "annotation") from missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from sqlalchemy.engine import Connection, Engine
    from sqlalchemy.engine.url import URL

_Result = TypeVar("_Result")

BUSY_SECONDS: Final = 30
"""How long a writer of another process is waited for."""
_ATTEMPTS: Final = 8
_WRITE: Final = "landloom_write"
_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_DAMAGED: Final = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
_POSTGRES_FULL: Final = "53100"
_POSTGRES_AGAIN: Final = {"40001", "40P01", "23505"}
"""Serialisation failure, deadlock, and a row that somebody else added at the same moment: run again, the transaction
finds it."""
_POSTGRES_OPTIONS: Final = (
    "-c synchronous_commit=on -c timezone=UTC -c default_transaction_isolation=read\\ committed "
    "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=30000"
)


class clock(FunctionElement[float]):  # noqa: N801 - reads as the function of SQL that it is
    """The database's time now, in seconds since 1970."""

    type = Float(53)
    inherit_cache = True


@compiles(clock, "sqlite")
def _sqlite_clock(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(clock, "postgresql")
def _postgres_clock(*_: Any, **__: Any) -> str:
    return "cast(extract(epoch from clock_timestamp()) as double precision)"


_NOW: Final = select(clock())


def now(connection: Connection) -> float:
    """The database's time, in seconds since 1970."""
    return float(connection.execute(_NOW).scalar_one())


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as an aware time in UTC.

    Example:
        >>> moment(0.0).isoformat()
        '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC)


class Ledger:
    """A ledger that is open. It may be used by many threads; every call is one transaction.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, open_ledger(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        ...     ledger.dialect
        'sqlite'
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        """`sqlite` or `postgresql`."""
        self._writer = threading.Lock()

    @property
    def address(self) -> str:
        """Where it is, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and changes nothing."""
        with _translated(), self.engine.connect() as connection, self._options(connection, write=False).begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write: committed to disk at the end, rolled back after an exception.

        Raises:
            StorageFullError: no space is left; nothing of the transaction was kept.
        """
        lock = self._writer if self.dialect == "sqlite" else nullcontext()
        with (
            lock,
            _translated(),
            self.engine.connect() as connection,
            self._options(connection, write=True).begin(),
        ):
            yield connection

    def _options(self, connection: Connection, *, write: bool) -> Connection:
        if self.dialect == "sqlite":
            return connection.execution_options(**{_WRITE: write})
        if write:
            return connection
        return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def transact(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run work in a transaction that may write; once more if another transaction came between.

        Args:
            work: has no effect but on the database.
        """
        for attempt in range(_ATTEMPTS):
            try:
                with self.write() as connection:
                    return work(connection)
            except DBAPIError as error:
                if attempt == _ATTEMPTS - 1 or not _again(error):
                    raise
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - spreads retries, guards nothing
        raise AssertionError

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_ledger(url: str, *, migrate: bool = True) -> Ledger:
    """Open a ledger; an empty database gets its tables, an older one the newer tables.

    Args:
        url: `sqlite:///ledger.sqlite` or `postgresql+psycopg://user@host/database`.
        migrate: whether to bring the tables to this version; otherwise they have to be of this version.

    Raises:
        InvalidValueError: another kind of database.
        LedgerUnavailableError: it cannot be opened or reached, or was made by a newer version.
    """
    from landloom.annotate.ledger.schema.migrating import check, upgrade  # noqa: PLC0415 - Alembic is loaded for this alone

    ledger = open_database(url)
    try:
        if migrate:
            upgrade(ledger)
        else:
            check(ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


def open_database(url: str, *, wal: bool = True) -> Ledger:
    """Open a database whatever tables it has.

    Args:
        url: as for `open_ledger`.
        wal: whether SQLite writes ahead; False for a file that stays as it is.

    Raises:
        InvalidValueError: another kind of database.
    """
    return Ledger(_engine(_parsed(url), wal=wal))


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidValueError("got an address that is no URL, expected sqlite:///FILE or postgresql://…") from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise InvalidValueError(f"got a database of kind {kind!r}, expected sqlite or postgresql")
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise InvalidValueError("got a SQLite database without a file, expected sqlite:///FILE")
    return parsed.set(drivername="sqlite+pysqlite")


def _engine(url: URL, *, wal: bool) -> Engine:
    if url.get_backend_name() == "postgresql":
        return create_engine(
            url, pool_size=10, max_overflow=30, pool_pre_ping=True, connect_args={"options": _POSTGRES_OPTIONS}
        )
    path = Path(url.database or "")
    if path.parent.is_dir() and not path.exists():
        path.touch(mode=0o600)  # it will hold password hashes
    engine = create_engine(url, pool_size=10, max_overflow=54, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", partial(_set_up_sqlite, wal=wal))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _: Any, *, wal: bool) -> None:
    connection.isolation_level = None  # transactions are begun below
    for pragma in (*(["journal_mode = wal"] if wal else []), "synchronous = full", "foreign_keys = on"):
        connection.execute(f"pragma {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")


def _again(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _POSTGRES_AGAIN


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if _is_full(error.orig):
            raise StorageFullError("no space is left for the ledger; nothing was changed") from error
        damaged = getattr(error.orig, "sqlite_errorcode", None) in _DAMAGED
        if damaged or (isinstance(error, OperationalError) and not _again(error)):
            raise LedgerUnavailableError(f"the ledger cannot be used: {error.orig}") from error
        raise


def _is_full(error: BaseException | None) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    code = getattr(error, "sqlite_errorcode", None)
    return code in _FULL or getattr(error, "sqlstate", None) == _POSTGRES_FULL
