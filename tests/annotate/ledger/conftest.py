"""Ledgers on both databases: copies of one that has its tables, since to make these takes long."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from landloom.annotate.ledger.database import open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Cluster

    from landloom.annotate.ledger.database import Ledger


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger without a campaign; not to be changed."""
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite"
    open_ledger(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> str:
    """A ledger without a campaign; not to be changed."""
    url = postgres_cluster.new_database()
    open_ledger(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a ledger without a campaign."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    with cluster.copied(request.getfixturevalue("postgres_template")) as url:
        yield url


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """An open ledger, on SQLite and on PostgreSQL."""
    with open_ledger(ledger_url) as opened:
        yield opened
