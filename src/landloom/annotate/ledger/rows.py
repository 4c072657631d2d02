"""Rows of the ledger: appended to the chain, in the caller's transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, insert, select, update

from landloom.annotate.ledger.chain import Link, compact
from landloom.annotate.ledger.database import clock
from landloom.annotate.ledger.errors import ConflictError
from landloom.annotate.ledger.rasters import changed_pixels, class_counts
from landloom.annotate.ledger.schema.models import Campaign, Submission

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger import values
    from landloom.annotate.ledger.lookup import CampaignRecord

_SENT: Final = select(
    Submission.id,
    Submission.sequence,
    Submission.state,
    Submission.changed,
    Submission.user_id,
    Submission.task_id,
    Submission.assignment_id,
    Submission.role,
    Submission.sha256,
    Submission.seconds,
    Submission.dates_viewed,
    Submission.flagged,
    Submission.comment,
    Submission.client,
).where(Submission.uuid == bindparam("identity"))
_HEAD: Final = (
    select(Campaign.sequence, Campaign.digest, clock().label("at"))
    .where(Campaign.id == bindparam("campaign"))
    .with_for_update(key_share=True)
)
_INSERT: Final = insert(Submission).returning(Submission.id)
_ADVANCE: Final = (
    update(Campaign)
    .where(Campaign.id == bindparam("campaign"))
    .values(sequence=bindparam("newest"), digest=bindparam("hash"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a row is about."""

    task_id: int
    task: str
    guess: bytes | None
    guess_version: int
    assignment_id: int | None
    assignment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """A row of the ledger."""

    id: int
    sequence: int
    state: str
    changed: int


def replayed(
    connection: Connection, user: values.User, subject: Subject, role: str, sent: values.Submission
) -> Appended | None:
    """The row of a submission that was sent before; None if it is new.

    Raises:
        ConflictError: the id was used for another body, task or person.
    """
    row = connection.execute(_SENT, {"identity": sent.id}).one_or_none()
    if row is None:
        return None
    body = (
        user.id,
        subject.task_id,
        subject.assignment_id,
        role,
        hashlib.sha256(sent.labels).hexdigest(),
        float(sent.seconds),
        compact(sorted(sent.dates_viewed)),
        sent.flagged,
        sent.comment,
        sent.client,
    )
    if tuple(row)[4:] != body:
        raise ConflictError(f"the id {sent.id} was used for another submission")
    return Appended(id=row.id, sequence=row.sequence, state=row.state, changed=row.changed)


def append(
    connection: Connection,
    found: CampaignRecord,
    user: values.User,
    subject: Subject,
    sent: values.Submission,
    *,
    role: str,
    state: str,
) -> Appended:
    """Append a submission to the chain of its campaign; the chain's head is locked until the transaction ends."""
    head = connection.execute(_HEAD, {"campaign": found.id}).one()
    link = Link(
        campaign=found.campaign.name,
        sequence=head.sequence + 1,
        uuid=sent.id,
        task=subject.task,
        annotator=user.pseudonym,
        assignment=subject.assignment,
        role=role,
        state=state,
        sha256=hashlib.sha256(sent.labels).hexdigest(),
        guess_version=subject.guess_version,
        changed=changed_pixels(sent.labels, subject.guess),
        seconds=float(sent.seconds),
        dates_viewed=compact(sorted(sent.dates_viewed)),
        flagged=sent.flagged,
        comment=sent.comment,
        client=sent.client,
        counts=compact(class_counts(sent.labels, subject.guess)),
        recorded=head.at,
        previous=head.digest,
    )
    number = connection.execute(_INSERT, _row(found, user, subject, sent, link)).scalar_one()
    connection.execute(_ADVANCE, {"campaign": found.id, "newest": link.sequence, "hash": link.digest})
    return Appended(id=number, sequence=link.sequence, state=state, changed=link.changed)


def _row(
    found: CampaignRecord, user: values.User, subject: Subject, sent: values.Submission, link: Link
) -> dict[str, Any]:
    return {
        "campaign_id": found.id,
        "sequence": link.sequence,
        "uuid": link.uuid,
        "task_id": subject.task_id,
        "user_id": user.id,
        "assignment_id": subject.assignment_id,
        "role": link.role,
        "state": link.state,
        "labels": sent.labels,
        "sha256": link.sha256,
        "guess_version": link.guess_version,
        "changed": link.changed,
        "seconds": link.seconds,
        "dates_viewed": link.dates_viewed,
        "flagged": link.flagged,
        "comment": link.comment,
        "client": link.client,
        "counts": link.counts,
        "recorded": link.recorded,
        "previous": link.previous,
        "digest": link.digest,
    }
