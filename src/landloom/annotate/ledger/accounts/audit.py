"""The audit trail: who did what to accounts, roles, references and trust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from landloom.annotate.ledger.database import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event."""

    at: datetime
    actor: str
    """Pseudonym; empty for the command line."""
    action: str
    subject: str
    """Pseudonym of the user, or id of the task, that it was done to."""
    campaign: str
    detail: dict[str, Any]


def events(ledger: Ledger, *, campaign: str | None = None, most: int = 1000) -> tuple[Event, ...]:
    """The latest events, newest first."""
    raise NotImplementedError
