"""Submissions: label rasters, their rows in the ledger and what follows from them, in one transaction."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from sqlalchemy import bindparam, func, insert, select, update

from landloom.annotate.ledger.access import locked_loan
from landloom.annotate.ledger.drafts import drop_draft
from landloom.annotate.ledger.errors import ConflictError, InvalidSubmissionError
from landloom.annotate.ledger.order.priorities import refresh
from landloom.annotate.ledger.places import EXPERTS, expert_place, free_place, recount
from landloom.annotate.ledger.rasters import check_labels
from landloom.annotate.ledger.rows import Subject, append, replayed
from landloom.annotate.ledger.schema.models import Assignment, Reference, ScoreSnapshot, Submission
from landloom.annotate.ledger.scoring import compare, record_score, reference_of, rescore, result_of
from landloom.annotate.ledger.trust import qualification, update_qualification, update_trust
from landloom.annotate.ledger.values import Feedback, Receipt
from landloom.annotate.tasks.trust import Trust

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger import values
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.lookup import CampaignRecord, Loan, Standing
    from landloom.annotate.ledger.rows import Appended
    from landloom.annotate.ledger.scoring import Score
    from landloom.annotate.ledger.values import User

MOST: Final = 5
"""Submissions kept for one assignment."""

_FINISH: Final = (
    update(Assignment)
    .where(Assignment.id == bindparam("number"))
    .values(state=bindparam("done"), place=bindparam("held"))
)


def submit(ledger: Ledger, campaign: str, user: User, identity: str, submission: values.Submission) -> Receipt:
    """Submit the work on an assignment. The answer comes after the commit; sent again, it comes again.

    Work whose lease has ended takes a free place of its task if there is one, and is kept as surplus if there is none.

    Raises:
        NotFoundError: no such assignment in the campaign, or it is somebody else's.
        ConflictError: the id was used for another body, or the assignment was submitted too often.
        InvalidSubmissionError: another size, codes that are no classes, unlabelled pixels, or scenes not viewed.
        StorageFullError: no space is left; nothing was kept.
    """
    return ledger.transact(lambda connection: _submit(connection, campaign, user, identity, submission))


def _submit(connection: Connection, campaign: str, user: User, identity: str, sent: values.Submission) -> Receipt:
    found, own, loan = locked_loan(connection, campaign, user, identity)
    subject = Subject(
        task_id=loan.task_id,
        task=loan.task,
        guess=loan.guess,
        guess_version=loan.guess_version,
        assignment_id=loan.id,
        assignment=loan.public_id,
    )
    before = replayed(connection, user, subject, loan.purpose, sent)
    if before is not None:
        return _receipt(connection, found, own, loan, before)
    check_labels(sent.labels, loan.window, found.campaign.codes, unlabelled=False)
    _check_scenes(sent, loan, required=found.campaign.settings.require_all_scenes)
    state, place = _decide(connection, own, loan)
    if loan.state in {"leased", "skipped"}:
        _finish(connection, loan, state, place)
    if state == "surplus":
        row = append(connection, found, user, subject, sent, role=loan.purpose, state=state)
    elif loan.purpose in EXPERTS:
        row = append(connection, found, user, subject, sent, role=loan.purpose, state=state)
        if loan.purpose == "expert":
            set_reference(connection, loan.task_id, sent.labels, row)
        else:
            narrow_reference(connection, loan.task_id, sent.labels)
        recount(connection, [loan.task_id])
    else:
        score = compare(connection, loan, sent.labels)
        _follow(connection, found, own, loan, score, None if place is None else sent.labels)
        row = append(connection, found, user, subject, sent, role=loan.purpose, state=state)
        record_score(connection, own, row.id, score)
    if loan.purpose == "qualify" and state == "accepted":
        update_qualification(connection, found, own)
    return _receipt(connection, found, own, loan, row)


def _check_scenes(sent: values.Submission, loan: Loan, *, required: bool) -> None:
    viewed = set(sent.dates_viewed)
    if viewed - set(range(loan.scenes)):
        raise InvalidSubmissionError(f"got scene {max(viewed)} among those viewed, expected 0 to {loan.scenes - 1}")
    if required and len(viewed) < loan.scenes:
        raise InvalidSubmissionError(f"got {len(viewed)} scenes viewed, expected all {loan.scenes}")


def _decide(connection: Connection, own: Standing, loan: Loan) -> tuple[Literal["accepted", "surplus"], int | None]:
    """Whether work is accepted, and the place that it takes in its task."""
    if loan.state in {"submitted", "surplus"}:
        kept = select(func.count()).select_from(Submission).where(Submission.assignment_id == loan.id)
        if connection.execute(kept).scalar_one() >= MOST:
            raise ConflictError(f"the task was submitted {MOST} times already")
        return "surplus", None
    if loan.purpose == "qualify":
        return "accepted", None
    if loan.purpose == "expert":
        return ("surplus", None) if reference_of(connection, loan.task_id) else ("accepted", loan.place)
    if loan.purpose == "second":
        place = expert_place(connection, loan.task_id, loan.purpose) if loan.place is None else loan.place
        return ("surplus", None) if place is None else ("accepted", place)
    if own.trust is Trust.UNTRUSTED:
        return "accepted", None
    place = loan.place
    if place is None:
        place = free_place(connection, loan.task_id, loan.copies)
    return ("surplus", None) if place is None else ("accepted", place)


def _finish(connection: Connection, loan: Loan, state: str, place: int | None) -> None:
    done = "submitted" if state == "accepted" else "surplus"
    connection.execute(_FINISH, {"number": loan.id, "done": done, "held": place})
    if loan.draft is not None:
        drop_draft(connection, loan.id)


def _follow(
    connection: Connection, found: CampaignRecord, own: Standing, loan: Loan, score: Score, labels: bytes | None
) -> None:
    """What follows from accepted work: counts and priority of the task, trust in the person.

    It comes before the row of the ledger, since that locks the end of the chain until the commit.
    """
    recount(connection, [loan.task_id])
    refresh(connection, found, [loan.task_id], latest=labels)
    update_trust(connection, found, own, score)


def set_reference(connection: Connection, task: int, labels: bytes, row: Appended) -> None:
    """Keep an expert's answer apart from all others."""
    digest = select(Submission.sha256).where(Submission.id == row.id).scalar_subquery()
    connection.execute(insert(Reference).values(task_id=task, labels=labels, sha256=digest, submission_id=row.id))


def narrow_reference(connection: Connection, task: int, labels: bytes) -> None:
    """Keep of a reference what a second expert says, too: pixels on which two experts differ count for nobody.

    Both answers stay in the ledger; who answered the task before is scored again.
    """
    first, second = (np.frombuffer(one, np.uint8) for one in (reference_of(connection, task) or labels, labels))
    agreed = np.where(first == second, first, 0).astype(np.uint8).tobytes()
    digest = hashlib.sha256(agreed).hexdigest()
    connection.execute(update(Reference).where(Reference.task_id == task).values(labels=agreed, sha256=digest))
    rescore(connection, task, agreed)


def _receipt(connection: Connection, found: CampaignRecord, own: Standing, loan: Loan, row: Appended) -> Receipt:
    feedback = None
    if loan.purpose == "qualify" and row.state == "accepted":
        feedback = _feedback(connection, found, own, loan, row)
    state: Literal["accepted", "surplus"] = "accepted" if row.state == "accepted" else "surplus"
    return Receipt(sequence=row.sequence, state=state, changed=row.changed, feedback=feedback)


def _feedback(connection: Connection, found: CampaignRecord, own: Standing, loan: Loan, row: Appended) -> Feedback:
    left, passed = qualification(connection, found, own)
    stored = connection.execute(
        select(ScoreSnapshot.pixels, ScoreSnapshot.right).where(ScoreSnapshot.submission_id == row.id)
    ).one()
    result = result_of(stored.pixels, stored.right)
    return Feedback(
        right=sum(result.right.values()),
        pixels=sum(result.pixels.values()),
        labels=reference_of(connection, loan.task_id) or b"",
        left=left,
        passed=passed,
    )
