"""The tables' versions: upgrade and downgrade, one process at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from landloom.annotate.ledger.errors import LedgerUnavailableError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection

_LOCK: Final = 0x6C616E646C6F6F6D
"""Number of PostgreSQL's advisory lock: `landloom` in ASCII."""


class Database(Protocol):
    """What is asked of a ledger here."""

    @property
    def address(self) -> str:
        """Where it is, without a password."""

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that changes nothing."""

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that may write."""


def upgrade(ledger: Database, revision: str = "head") -> None:
    """Bring the tables to a version, in one transaction, under a lock.

    Raises:
        LedgerUnavailableError: the database, or the version wanted, is of a newer version of landloom.
    """
    _check_known(None if revision == "head" else revision)
    if _revision(ledger) == newest():
        return
    with ledger.write() as connection:
        _lock(connection)
        _known(connection)
        command.upgrade(_config(connection), revision)


def downgrade(ledger: Database, revision: str = "base") -> None:
    """Bring the tables back to an older version, in one transaction, under a lock; what it has no place for is lost."""
    with ledger.write() as connection:
        _lock(connection)
        _known(connection)
        command.downgrade(_config(connection), revision)


def check(ledger: Database) -> None:
    """Check that the tables are those of this version.

    Raises:
        LedgerUnavailableError: they are not.
    """
    found = _revision(ledger)
    if found != newest():
        raise LedgerUnavailableError(f"{ledger.address}: got tables of version {found}, expected {newest()}")


def newest() -> str:
    """The version of the tables that this version of landloom uses."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert head is not None  # noqa: S101 - the package has migrations
    return head


def _revision(ledger: Database) -> str | None:
    with ledger.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _known(connection: Connection) -> None:
    _check_known(MigrationContext.configure(connection).get_current_revision())


def _check_known(found: str | None) -> None:
    known = {one.revision for one in ScriptDirectory.from_config(_config(None)).walk_revisions()}
    if found is not None and found not in known:
        raise LedgerUnavailableError(f"got tables of version {found}, expected one of {sorted(known)}: update landloom")


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", "landloom.annotate.ledger.schema:migrations")
    config.attributes["connection"] = connection
    return config


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's transaction is the lock
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _LOCK})
