"""Adjudication: reviewers decide tasks on which annotators disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, insert, select

from landloom.annotate.ledger.accounts.users import require
from landloom.annotate.ledger.answers import read_tasks
from landloom.annotate.ledger.errors import NotAllowedError
from landloom.annotate.ledger.lookup import campaign_id, campaign_record, window_of
from landloom.annotate.ledger.rasters import check_labels
from landloom.annotate.ledger.rows import Subject, append, replayed
from landloom.annotate.ledger.schema.models import Chip, Review, Submission, Task
from landloom.annotate.ledger.values import Role
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger import values
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.lookup import CampaignRecord
    from landloom.annotate.ledger.values import AnsweredTask, User
    from landloom.annotate.tasks.values import TaskWindow


def disputed(ledger: Ledger, campaign: str, *, least: float = 0.0, most: int = 100) -> tuple[AnsweredTask, ...]:
    """Tasks with all their answers on which these differ, without a decision yet; the most disputed first.

    Args:
        ledger: an open one.
        campaign: its name.
        least: share of the pixels on which answers differ; tasks above it are listed.
        most: number of tasks.

    Raises:
        NotFoundError: no such campaign.
    """
    with ledger.read() as connection:
        number = campaign_id(connection, campaign)
        rows = connection.execute(
            select(Task.id, Task.public_id)
            .where(*_undecided(number, least))
            .order_by(Task.disputed.desc(), Task.shuffle)
            .limit(most)
        ).all()
        wanted = Task.id.in_([row.id for row in rows])
        found = {one.id: one for one in read_tasks(connection, wanted, counted=True, unanswered=False)}
    return tuple(found[row.public_id] for row in rows if row.public_id in found)


def count_disputed(ledger: Ledger, campaign: str, *, least: float = 0.0) -> int:
    """Number of tasks that `disputed` would list without a limit.

    Raises:
        NotFoundError: no such campaign.
    """
    with ledger.read() as connection:
        wanted = _undecided(campaign_id(connection, campaign), least)
        return int(connection.execute(select(func.count()).select_from(Task).where(*wanted)).scalar_one())


def _undecided(campaign: int | None, least: float) -> tuple[ColumnElement[bool], ...]:
    return (
        Task.campaign_id == campaign,
        Task.counted >= Task.copies,
        Task.disputed > least,
        ~exists().where(Review.task_id == Task.id).correlate(Task),
    )


def answered_task(ledger: Ledger, campaign: str, task: str) -> AnsweredTask:
    """One task with its answers.

    Raises:
        NotFoundError: no such task or campaign.
    """
    with ledger.read() as connection:
        number = campaign_id(connection, campaign)
        wanted = (Task.campaign_id == number, Task.public_id == task)
        found = next(read_tasks(connection, *wanted, counted=True, unanswered=True), None)
    if found is None:
        raise NotFoundError("no such task")
    return found


def decide(ledger: Ledger, campaign: str, user: User, task: str, submission: values.Submission) -> int:
    """Record a reviewer's decision on a task; the latest decision counts.

    Returns:
        Its sequence in the ledger.

    Raises:
        NotAllowedError: the user is no reviewer, manager or admin of the campaign, or has answered the task.
        NotFoundError: no such task or campaign.
        ConflictError: the id was used for another body.
        InvalidSubmissionError: another size, codes that are no classes, or unlabelled pixels.
    """

    def work(connection: Connection) -> int:
        found = campaign_record(connection, campaign)
        require(connection, user, found.id, {Role.REVIEWER, Role.MANAGER, Role.ADMIN})
        subject, window = _subject(connection, found, task)
        before = replayed(connection, user, subject, "review", submission)
        if before is not None:
            return before.sequence
        check_labels(submission.labels, window, found.campaign.codes, unlabelled=False)
        own = select(Submission.id).where(
            Submission.task_id == subject.task_id, Submission.user_id == user.id, Submission.role != "review"
        )
        if connection.execute(own).first():
            raise NotAllowedError("you have answered this task yourself; somebody else has to decide it")
        row = append(connection, found, user, subject, submission, role="review", state="accepted")
        connection.execute(insert(Review).values(task_id=subject.task_id, submission_id=row.id))
        return row.sequence

    return ledger.transact(work)


def _subject(connection: Connection, found: CampaignRecord, task: str) -> tuple[Subject, TaskWindow]:
    wanted: Any = (
        select(
            Task.id,
            Task.public_id,
            Task.guess,
            Task.guess_version,
            Task.row_offset,
            Task.column_offset,
            Task.height,
            Task.width,
            Chip.name.label("chip"),
        )
        .join(Chip, Chip.id == Task.chip_id)
        .where(Task.campaign_id == found.id, Task.public_id == task)
    )
    row = connection.execute(wanted.with_for_update(of=Task, key_share=True)).one_or_none()
    if row is None:
        raise NotFoundError("no such task")
    subject = Subject(
        task_id=row.id,
        task=row.public_id,
        guess=row.guess,
        guess_version=row.guess_version,
        assignment_id=None,
        assignment="",
    )
    return subject, window_of(row)
