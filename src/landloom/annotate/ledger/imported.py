"""Labels made elsewhere: answers and references that come from files, as rows of the ledger like any other."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import insert, select, update

from landloom.annotate.ledger.database import now
from landloom.annotate.ledger.errors import ConflictError
from landloom.annotate.ledger.lookup import campaign_record, loans_of, location_of, standing
from landloom.annotate.ledger.order.priorities import refresh, renew
from landloom.annotate.ledger.places import expert_place, lock_tasks, recount
from landloom.annotate.ledger.rasters import check_labels
from landloom.annotate.ledger.rows import Subject, append
from landloom.annotate.ledger.schema.models import Assignment, Submission, Task
from landloom.annotate.ledger.scoring import compare, record_score, reference_of, rescore
from landloom.annotate.ledger.submissions import set_reference
from landloom.annotate.ledger.values import Submission as SubmissionValue
from landloom.annotate.tasks.values import TaskKind
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.lookup import CampaignRecord, Loan
    from landloom.annotate.ledger.values import User
    from landloom.annotate.tasks.values import TaskWindow

CLIENT = "import"
"""Client of imported submissions."""
_REFERENCES = (TaskKind.REFERENCE.value, TaskKind.QUALIFICATION.value)


def import_answers(ledger: Ledger, campaign: str, user: User, answers: Mapping[TaskWindow, bytes]) -> int:
    """Add one person's answers from a file, in one transaction. They count beside those made on the page.

    Args:
        ledger: an open one.
        campaign: its name.
        user: whose answers.
        answers: window of a task → labels, uint8, row-major; 0 where the file says nothing.

    Returns:
        Number of new answers: those that the ledger holds already are passed over.

    Raises:
        NotFoundError: no such campaign, or no task with this window.
        ConflictError: the person has another answer at this place.
        InvalidSubmissionError: another size, or codes that are no classes.
    """
    return _import(ledger, campaign, user, answers, purpose="annotate")


def import_references(ledger: Ledger, campaign: str, user: User, answers: Mapping[TaskWindow, bytes]) -> int:
    """Add an expert's answers from a file: the tasks become reference tasks; the rest is as in `import_answers`.

    Answers that the tasks have already are scored against them.

    Raises:
        ConflictError: a task has a reference already, or is a blind or planted one.
    """
    return _import(ledger, campaign, user, answers, purpose="expert")


def _import(ledger: Ledger, name: str, user: User, answers: Mapping[TaskWindow, bytes], *, purpose: str) -> int:
    def work(connection: Connection) -> int:
        found = campaign_record(connection, name)
        return sum(_add(connection, found, user, window, labels, purpose) for window, labels in sorted(answers.items()))

    added = ledger.transact(work)
    renew(ledger, name)
    return added


def _add(
    connection: Connection, found: CampaignRecord, user: User, window: TaskWindow, labels: bytes, purpose: str
) -> bool:
    check_labels(labels, window, found.campaign.codes, unlabelled=True)
    sent = SubmissionValue(
        id=str(uuid5(NAMESPACE_URL, f"{found.campaign.name}/{user.pseudonym}/{purpose}/{location_of(window)}")),
        labels=labels,
        seconds=0.0,
        dates_viewed=(),
        client=CLIENT,
    )
    before = connection.execute(select(Submission.sha256).where(Submission.uuid == sent.id)).scalar_one_or_none()
    if before is not None:
        if before != hashlib.sha256(labels).hexdigest():
            raise ConflictError(f"{location_of(window)}: {user.name} has another answer here")
        return False
    own = standing(connection, found.id, user.id)
    task = _task(connection, found, window)
    loan = _lend(connection, found, user, task, purpose)
    role = "import" if purpose == "annotate" else purpose
    row = append(connection, found, user, _subject(loan), sent, role=role, state="accepted")
    if purpose == "expert":
        set_reference(connection, loan.task_id, labels, row)
        rescore(connection, loan.task_id, labels)
    else:
        record_score(connection, own, row.id, compare(connection, loan, labels))
    recount(connection, [loan.task_id])
    refresh(connection, found, [loan.task_id])
    return True


def _task(connection: Connection, found: CampaignRecord, window: TaskWindow) -> int:
    wanted = select(Task.id).where(Task.campaign_id == found.id, Task.location == location_of(window))
    task = connection.execute(wanted.order_by(Task.id).limit(1)).scalar_one_or_none()
    if task is None:
        raise NotFoundError(f"no task at {location_of(window)}")
    lock_tasks(connection, [task])
    return task


def _lend(connection: Connection, found: CampaignRecord, user: User, task: int, purpose: str) -> Loan:
    """An assignment for an imported answer, which takes a place of its own beyond those of the task if all are held."""
    location = connection.execute(select(Task.location).where(Task.id == task)).scalar_one()
    same = (Assignment.user_id == user.id, Assignment.campaign_id == found.id, Assignment.location == location)
    if connection.execute(select(Assignment.id).where(*same)).first():
        raise ConflictError(f"{location}: {user.name} has a task here already")
    place = _expert(connection, location, task) if purpose == "expert" else _place(connection, task)
    at = now(connection)
    number = connection.execute(
        insert(Assignment)
        .values(
            public_id=secrets.token_urlsafe(16),
            campaign_id=found.id,
            task_id=task,
            user_id=user.id,
            location=location,
            purpose=purpose,
            state="submitted",
            place=place,
            issued=at,
            expires=at,
            reason="",
        )
        .returning(Assignment.id)
    ).scalar_one()
    return loans_of(connection, [number])[0]


def _place(connection: Connection, task: int) -> int:
    held = set(connection.execute(select(Assignment.place).where(Assignment.task_id == task)).scalars())
    place = next(one for one in range(len(held) + 1) if one not in held)
    copies = connection.execute(select(Task.copies).where(Task.id == task)).scalar_one()
    if place >= copies:
        connection.execute(update(Task).where(Task.id == task).values(copies=place + 1))
    return place


def _expert(connection: Connection, location: str, task: int) -> int | None:
    if reference_of(connection, task) is not None or expert_place(connection, task) is None:
        raise ConflictError(f"{location}: the task has a reference already")
    kind = connection.execute(select(Task.kind).where(Task.id == task)).scalar_one()
    if kind not in _REFERENCES:
        if kind != TaskKind.REGULAR.value:
            raise ConflictError(f"{location}: got a {kind} task, expected a regular or a reference task")
        connection.execute(update(Task).where(Task.id == task).values(kind=TaskKind.REFERENCE.value))
    return expert_place(connection, task)


def _subject(loan: Loan) -> Subject:
    return Subject(
        task_id=loan.task_id,
        task=loan.task,
        guess=loan.guess,
        guess_version=loan.guess_version,
        assignment_id=loan.id,
        assignment=loan.public_id,
    )
