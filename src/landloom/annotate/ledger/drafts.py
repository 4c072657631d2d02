"""Drafts: unsubmitted work, in versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, insert, update

from landloom.annotate.ledger.access import locked_loan
from landloom.annotate.ledger.errors import ConflictError, StaleDraftError
from landloom.annotate.ledger.rasters import check_labels
from landloom.annotate.ledger.schema.models import Draft

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User

_VALUES: Final[dict[str, Any]] = {
    "labels": bindparam("raster"),
    "version": bindparam("newer"),
    "saved": bindparam("at"),
}
_INSERT: Final = insert(Draft).values(assignment_id=bindparam("number"), **_VALUES)
_REPLACE: Final = update(Draft).where(Draft.assignment_id == bindparam("number")).values(**_VALUES)
_DROP: Final = delete(Draft).where(Draft.assignment_id == bindparam("number"))


def save_draft(ledger: Ledger, campaign: str, user: User, identity: str, labels: bytes, expected_version: int) -> int:
    """Save a draft over the version that the caller has seen; 0 for none.

    Returns:
        The new version.

    Raises:
        NotFoundError: no such assignment in the campaign, or it is somebody else's.
        StaleDraftError: another version is saved.
        ConflictError: the assignment was submitted.
        InvalidSubmissionError: another size, or codes that are no classes; 0 is allowed.
    """

    def work(connection: Connection) -> int:
        found, own, loan = locked_loan(connection, campaign, user, identity)
        check_labels(labels, loan.window, found.campaign.codes, unlabelled=True)
        if loan.state in {"submitted", "surplus"}:
            raise ConflictError("the task was submitted already")
        saved = loan.draft.version if loan.draft else 0
        if saved != expected_version:
            raise StaleDraftError(saved)
        row = {"number": loan.id, "raster": labels, "newer": saved + 1, "at": own.at}
        connection.execute(_REPLACE if saved else _INSERT, row)
        return saved + 1

    return ledger.transact(work)


def drop_draft(connection: Connection, assignment: int) -> None:
    """Drop the draft of an assignment."""
    connection.execute(_DROP, {"number": assignment})
