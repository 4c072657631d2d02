"""The queue: who labels what next."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, insert, update

from landloom.annotate.ledger.access import WORKERS, locked_loan, readable_loan
from landloom.annotate.ledger.accounts.users import roles_of
from landloom.annotate.ledger.database import moment
from landloom.annotate.ledger.errors import ConflictError, LeaseLostError, NotAllowedError
from landloom.annotate.ledger.lookup import campaign_record, loans_of, standing, unfinished
from landloom.annotate.ledger.order.draws import draw
from landloom.annotate.ledger.places import EXPERTS, expert_place, free_place, lock_tasks, recount, release_expired
from landloom.annotate.ledger.schema.models import Annotator as AnnotatorModel
from landloom.annotate.ledger.schema.models import Assignment as AssignmentModel
from landloom.annotate.ledger.values import LONGEST_COMMENT, Assignment, check_text
from landloom.annotate.tasks.trust import Trust
from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.lookup import Loan, Standing
    from landloom.annotate.ledger.order.draws import Drawn
    from landloom.annotate.ledger.values import User

MOST: Final = 16
"""Tasks on loan to one person."""


def take(ledger: Ledger, campaign: str, user: User, count: int) -> tuple[Assignment, ...]:
    """Give a user up to `count` tasks, in one transaction: first those on loan already, then new ones.

    Raises:
        NotAllowedError: the user is neither annotator nor expert of the campaign.
        NotFoundError: no such campaign.
    """
    if not 1 <= count <= MOST:
        raise InvalidValueError(f"got {count} tasks, expected 1 to {MOST}")
    return ledger.transact(lambda connection: _take(connection, campaign, user, count))


_INSERT: Final = insert(AssignmentModel).returning(AssignmentModel.id)
_NOTE_CHIP: Final = (
    update(AnnotatorModel)
    .where(AnnotatorModel.user_id == bindparam("user"), AnnotatorModel.campaign_id == bindparam("campaign"))
    .values(chip_id=bindparam("chip"))
)
_PROLONG: Final = (
    update(AssignmentModel)
    .where(AssignmentModel.id == bindparam("number"))
    .values(place=bindparam("held"), expires=bindparam("until"))
)


def _take(connection: Connection, name: str, user: User, count: int) -> tuple[Assignment, ...]:
    record = campaign_record(connection, name)
    roles = roles_of(connection, user.id, record.id)
    if not roles & WORKERS:
        raise NotAllowedError("only annotators and experts get tasks")
    own = standing(connection, record.id, user.id)
    release_expired(connection, record.id, own.at)
    expires = own.at + record.campaign.settings.lease_seconds
    kept = [loan.id for loan in unfinished(connection, own) if _holds(connection, loan, own, expires)][:count]
    while len(kept) < count:
        drawn = draw(connection, record, own, roles)
        if drawn is None:
            break
        kept.append(_issue(connection, drawn, own, expires))
        own = replace(own, chip_id=drawn.chip_id)
    found = {loan.id: loan for loan in loans_of(connection, kept)}
    return tuple(_value(found[number]) for number in kept)


def _holds(connection: Connection, loan: Loan, own: Standing, expires: float) -> bool:
    """Whether a loan is live, or can be lent again to the same person."""
    if loan.expires > own.at and (loan.place is not None or loan.purpose == "qualify"):
        return True
    if own.trust is Trust.UNTRUSTED and loan.purpose == "annotate":
        return False
    lock_tasks(connection, [loan.task_id])
    return _renew(connection, loans_of(connection, [loan.id])[0], expires)


def _renew(connection: Connection, loan: Loan, expires: float) -> bool:
    """Prolong a lease; if its place was taken away, on any place that is free. The task is locked by the caller."""
    place = loan.place
    lost = place is None and loan.purpose != "qualify"
    if lost:
        place = (
            expert_place(connection, loan.task_id, loan.purpose)
            if loan.purpose in EXPERTS
            else free_place(connection, loan.task_id, loan.copies)
        )
        if place is None:
            return False
    connection.execute(_PROLONG, {"number": loan.id, "held": place, "until": expires})
    if lost:
        recount(connection, [loan.task_id])
    return True


def _issue(connection: Connection, drawn: Drawn, own: Standing, expires: float) -> int:
    place = None
    if drawn.purpose in EXPERTS:
        place = expert_place(connection, drawn.id, drawn.purpose)
    elif drawn.purpose == "annotate":
        place = free_place(connection, drawn.id, drawn.copies)
    row = {
        "public_id": secrets.token_urlsafe(16),
        "campaign_id": own.campaign_id,
        "task_id": drawn.id,
        "user_id": own.user_id,
        "location": drawn.location,
        "purpose": drawn.purpose,
        "state": "leased",
        "place": place,
        "issued": own.at,
        "expires": expires,
        "reason": "",
    }
    number: int = connection.execute(_INSERT, row).scalar_one()
    connection.execute(_NOTE_CHIP, {"user": own.user_id, "campaign": own.campaign_id, "chip": drawn.chip_id})
    recount(connection, [drawn.id])
    return number


def _value(loan: Loan) -> Assignment:
    return Assignment(
        id=loan.public_id,
        window=loan.window,
        guess=loan.guess or bytes(loan.window.pixels),
        expires_at=moment(loan.expires),
        draft=loan.draft,
        qualification=loan.purpose == "qualify",
    )


def assignment(ledger: Ledger, campaign: str, user: User, identity: str) -> Assignment:
    """Read one's own assignment, whether or not its lease has ended.

    Raises:
        NotFoundError: there is none in the campaign, or it is somebody else's.
    """
    with ledger.read() as connection:
        return _value(readable_loan(connection, campaign_record(connection, campaign).id, user, identity))


def heartbeat(ledger: Ledger, campaign: str, user: User, identity: str) -> datetime:
    """Prolong a lease.

    Returns:
        When it ends now.

    Raises:
        NotFoundError: there is none in the campaign, or it is somebody else's.
        LeaseLostError: it ended, and others have taken every place of the task.
        ConflictError: the task was submitted or skipped.
    """
    return ledger.transact(lambda connection: _heartbeat(connection, campaign, user, identity))


def _heartbeat(connection: Connection, campaign: str, user: User, identity: str) -> datetime:
    record, own, loan = locked_loan(connection, campaign, user, identity)
    if loan.state != "leased":
        raise ConflictError(f"the task was {loan.state} already")
    expires = own.at + record.campaign.settings.lease_seconds
    if not _renew(connection, loan, expires):
        raise LeaseLostError("the lease ended, and the task went to others; work on it is kept when it is submitted")
    return moment(expires)


def skip(ledger: Ledger, campaign: str, user: User, identity: str, reason: str) -> None:
    """Give a task back; it goes to others and never to this person again.

    Raises:
        NotFoundError: there is none in the campaign, or it is somebody else's.
        ConflictError: it was submitted.
    """
    check_text(reason, "reason", LONGEST_COMMENT)
    ledger.transact(lambda connection: _skip(connection, campaign, user, identity, reason))


def _skip(connection: Connection, campaign: str, user: User, identity: str, reason: str) -> None:
    _, _, loan = locked_loan(connection, campaign, user, identity)
    if loan.state not in {"leased", "skipped"}:
        raise ConflictError("the task was submitted already")
    connection.execute(
        update(AssignmentModel).where(AssignmentModel.id == loan.id).values(state="skipped", place=None, reason=reason)
    )
    recount(connection, [loan.task_id])
