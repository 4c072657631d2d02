"""Drafts: unsubmitted work, in versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    raise NotImplementedError
