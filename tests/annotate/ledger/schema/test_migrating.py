"""Versions of the tables: both ways, under a lock, and equal to the models."""

from __future__ import annotations

import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from tests.annotate.ledger.made import NAME, fill, hand_in, person

from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.database import open_database, open_ledger
from landloom.annotate.ledger.errors import LedgerUnavailableError
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.schema.migrating import check, downgrade, newest, upgrade
from landloom.annotate.ledger.schema.models import Base

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger

STEPS = (
    "landloom.annotate.ledger.schema.migrations.versions.v0001_initial",
    "landloom.annotate.ledger.schema.migrations.versions.v0002_scores",
)
ENVIRONMENT = "landloom.annotate.ledger.schema.migrations.env"
"""Alembic finds them by folder, not by import."""


def tables(ledger: Ledger) -> set[str]:
    with ledger.read() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_migrations_and_models_agree(ledger: Ledger) -> None:
    with ledger.read() as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="autogenerate skipping .* expression-based index")
        options = {"include_object": lambda _, name, *__: name != "uq_role_grant"}  # expressions are not compared
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
    assert tables(ledger) == set(Base.metadata.tables)


def test_down_and_up_again_step_by_step(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    hand_in(ledger, ada, take(ledger, NAME, ada, 1)[0])
    for number in range(len(STEPS) - 1, 0, -1):
        downgrade(ledger, f"{number:04}")
    upgrade(ledger)
    assert tables(ledger) == set(Base.metadata.tables)
    assert verify(ledger, NAME) == 1
    downgrade(ledger)
    assert tables(ledger) == set()
    upgrade(ledger)
    fill(ledger)
    assert newest() == f"{len(STEPS):04}"


def test_many_processes_open_a_new_ledger_at_once(empty_database: str) -> None:
    script = "import sys; from landloom.annotate.ledger.database import open_ledger; open_ledger(sys.argv[1]).close()"
    started = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", script, empty_database], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    with ThreadPoolExecutor(8) as pool:
        for opened in pool.map(open_ledger, [empty_database] * 8):
            opened.close()
    assert [(one.communicate()[1], one.returncode) for one in started] == [(b"", 0)] * 3
    with open_ledger(empty_database, migrate=False) as ledger:
        fill(ledger)


def test_a_newer_or_missing_version_is_refused(empty_database: str) -> None:
    with pytest.raises(LedgerUnavailableError, match="got tables of version None"):
        open_ledger(empty_database, migrate=False)
    with open_ledger(empty_database) as ledger:
        check(ledger)
        with ledger.write() as connection:
            connection.execute(text("update alembic_version set version_num = '9999'"))
    for migrate in (True, False):
        with pytest.raises(LedgerUnavailableError, match="9999"):
            open_ledger(empty_database, migrate=migrate)
    with open_database(empty_database) as ledger, pytest.raises(LedgerUnavailableError, match="update landloom"):
        downgrade(ledger)


def test_a_failed_migration_changes_nothing(empty_database: str) -> None:
    with open_database(empty_database) as ledger:
        upgrade(ledger, "0001")
        with ledger.write() as connection:
            connection.execute(text("create table review (x integer)"))
        before = tables(ledger)
        with pytest.raises(Exception, match="review"):
            upgrade(ledger)
        assert tables(ledger) == before
        with ledger.write() as connection:
            connection.execute(text("drop table review"))
        upgrade(ledger)
        assert tables(ledger) == set(Base.metadata.tables)
