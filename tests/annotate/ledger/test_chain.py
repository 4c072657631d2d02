"""The hash chain: append-only rows, and every change is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.annotate.ledger.made import NAME, fill, hand_in, person

from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.errors import TamperedError
from landloom.annotate.ledger.queue import take

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    fill(ledger)
    for name in ("ada", "ben"):
        user = person(ledger, name)
        for loan in take(ledger, NAME, user, 3):
            hand_in(ledger, user, loan)
    return ledger


def execute(ledger: Ledger, *statements: str, **values: Any) -> None:
    with ledger.write() as connection:
        for statement in statements:
            connection.execute(text(statement), values)


def without_triggers(ledger: Ledger) -> None:
    """As whoever owns the database can."""
    if ledger.dialect == "postgresql":
        execute(ledger, "alter table submission disable trigger all")
    else:
        execute(ledger, "drop trigger submission_no_update", "drop trigger submission_no_delete")


def test_an_untouched_chain_is_right(filled: Ledger) -> None:
    assert verify(filled, NAME) == 6


@pytest.mark.parametrize(
    "statement", ["update submission set comment = 'x'", "delete from submission", "delete from audit_event"]
)
def test_rows_are_never_changed(filled: Ledger, statement: str) -> None:
    with pytest.raises(DBAPIError, match="never changed"):
        execute(filled, statement)
    assert verify(filled, NAME) == 6


TAMPERED = {
    "labels": ("update submission set labels = :labels where sequence = 3", "submission 3: its labels"),
    "seconds": ("update submission set seconds = 1 where sequence = 3", "submission 3: its row"),
    "comment": ("update submission set comment = 'x' where sequence = 6", "submission 6: its row"),
    "recorded": ("update submission set recorded = recorded + 1 where sequence = 1", "submission 1: its row"),
    "person": ("update submission set user_id = (select max(id) from user_account) where sequence = 2", "submission 2"),
    "task": ("update submission set task_id = task_id % 8 + 1 where sequence = 2", "submission 2"),
    "middle": ("delete from submission where sequence = 2", "submission 2: got number 3"),
    "first": ("delete from submission where sequence = 1", "submission 1: got number 2"),
    "last": ("delete from submission where sequence = 6", "got 5 submissions, expected 6"),
    "head": ("update campaign set sequence = 5", "got 6 submissions, expected 5"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_every_change_is_found(filled: Ledger, what: str) -> None:
    statement, message = TAMPERED[what]
    without_triggers(filled)
    tidy = "delete from score_snapshot"  # it refers to rows that go
    execute(filled, tidy, statement, **({"labels": bytes([1] * 16)} if ":labels" in statement else {}))
    with pytest.raises(TamperedError, match=message):
        verify(filled, NAME)
