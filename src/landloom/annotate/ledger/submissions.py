"""Submissions: label rasters, their rows in the ledger and what follows from them, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import Receipt, Submission, User


def submit(ledger: Ledger, user: User, identity: str, submission: Submission) -> Receipt:
    """Submit the work on an assignment. The answer comes after the commit; sent again, it comes again.

    Work whose lease has ended takes a free place of its task if there is one, and is kept as surplus if there is none.

    Raises:
        NotFoundError: no such assignment, or it is somebody else's.
        ConflictError: the id was used for another body, or the assignment was submitted too often.
        InvalidSubmissionError: another size, codes that are no classes, unlabelled pixels, or scenes not viewed.
        StorageFullError: no space is left; nothing was kept.
    """
    raise NotImplementedError
