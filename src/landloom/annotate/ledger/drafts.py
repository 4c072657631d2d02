"""Drafts: unsubmitted work, in versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from landloom.annotate.ledger.access import locked_loan
from landloom.annotate.ledger.database import clock
from landloom.annotate.ledger.errors import ConflictError, StaleDraftError
from landloom.annotate.ledger.rasters import check_labels
from landloom.annotate.ledger.schema.models import Draft

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User


def save_draft(ledger: Ledger, user: User, identity: str, labels: bytes, expected_version: int) -> int:
    """Save a draft over the version that the caller has seen; 0 for none.

    Returns:
        The new version.

    Raises:
        NotFoundError: no such assignment, or it is somebody else's.
        StaleDraftError: another version is saved.
        ConflictError: the assignment was submitted.
        InvalidSubmissionError: another size, or codes that are no classes; 0 is allowed.
    """

    def work(connection: Connection) -> int:
        found, _, loan = locked_loan(connection, user, identity)
        check_labels(labels, loan.window, found.campaign.codes, unlabelled=True)
        if loan.state in {"submitted", "surplus"}:
            raise ConflictError("the task was submitted already")
        saved = connection.execute(select(Draft.version).where(Draft.assignment_id == loan.id)).scalar() or 0
        if saved != expected_version:
            raise StaleDraftError(saved)
        drop_draft(connection, loan.id)
        connection.execute(insert(Draft).values(assignment_id=loan.id, labels=labels, version=saved + 1, saved=clock()))
        return saved + 1

    return ledger.transact(work)


def drop_draft(connection: Connection, assignment: int) -> None:
    """Drop the draft of an assignment."""
    connection.execute(delete(Draft).where(Draft.assignment_id == assignment))
