"""The audit trail: who did what to accounts, roles, references and trust."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from landloom.annotate.ledger.database import clock, moment
from landloom.annotate.ledger.schema.models import AuditEvent, User

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event."""

    at: datetime
    actor: str
    """Pseudonym; empty for the command line and for rules of the campaign."""
    action: str
    subject: str
    """Pseudonym of the user, or id of the task, that it was done to."""
    campaign: str
    detail: dict[str, Any]


def record(
    connection: Connection, *, actor: str, action: str, subject: str | int, campaign: str, detail: dict[str, Any]
) -> None:
    """Add an event in the caller's transaction.

    Args:
        connection: inside a transaction.
        actor: pseudonym.
        action: what was done.
        subject: pseudonym or id; the number of a user stands for the user's pseudonym.
        campaign: name; empty for all.
        detail: JSON values, without secrets.
    """
    if isinstance(subject, int):
        subject = connection.execute(select(User.pseudonym).where(User.id == subject)).scalar_one()
    connection.execute(
        insert(AuditEvent).values(
            at=clock(),
            actor=actor,
            action=action,
            subject=subject,
            campaign=campaign,
            detail=json.dumps(detail, sort_keys=True),
        )
    )


def events(ledger: Ledger, *, campaign: str | None = None, most: int = 1000) -> tuple[Event, ...]:
    """The latest events, newest first."""
    wanted = select(AuditEvent.__table__).order_by(AuditEvent.id.desc()).limit(most)
    if campaign is not None:
        wanted = wanted.where(AuditEvent.campaign == campaign)
    with ledger.read() as connection:
        return tuple(
            Event(
                at=moment(row.at),
                actor=row.actor,
                action=row.action,
                subject=row.subject,
                campaign=row.campaign,
                detail=json.loads(row.detail),
            )
            for row in connection.execute(wanted)
        )
