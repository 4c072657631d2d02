"""Ledgers on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.annotate.ledger.database import open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.annotate.ledger.database import Ledger


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """An empty ledger, on SQLite and on PostgreSQL."""
    with open_ledger(ledger_url) as opened:
        yield opened
