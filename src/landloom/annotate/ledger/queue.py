"""The queue: who labels what next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import Assignment, User


def take(ledger: Ledger, campaign: str, user: User, count: int) -> tuple[Assignment, ...]:
    """Give a user up to `count` tasks, in one transaction: first those on loan already, then new ones.

    Raises:
        NotAllowedError: the user is neither annotator nor expert of the campaign.
        NotFoundError: no such campaign.
    """
    raise NotImplementedError


def assignment(ledger: Ledger, user: User, identity: str) -> Assignment:
    """Read one's own assignment, whether or not its lease has ended.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    raise NotImplementedError


def heartbeat(ledger: Ledger, user: User, identity: str) -> datetime:
    """Prolong a lease.

    Returns:
        When it ends now.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
        LeaseLostError: it ended, and others have taken every place of the task.
        ConflictError: the task was submitted or skipped.
    """
    raise NotImplementedError


def skip(ledger: Ledger, user: User, identity: str, reason: str) -> None:
    """Give a task back; it goes to others and never to this person again.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
        ConflictError: it was submitted.
    """
    raise NotImplementedError
