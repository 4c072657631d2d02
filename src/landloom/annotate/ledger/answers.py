"""What was answered: the rows behind consensus and scores. Never for annotators."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import and_, func, insert, select
from sqlalchemy.orm import aliased

from landloom.annotate.ledger.database import now
from landloom.annotate.ledger.lookup import campaign_id, window_of
from landloom.annotate.ledger.schema.models import (
    Assignment,
    Campaign,
    Chip,
    ConsensusRun,
    Reference,
    Review,
    Submission,
    Task,
    User,
)
from landloom.annotate.ledger.values import Answer, AnsweredTask, ExpertAgreement
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger

ANSWERS = ("annotate", "qualify", "import")
"""Roles of the submissions that are answers of annotators."""


def counts() -> ColumnElement[bool]:
    """Whether a submission, joined with its assignment, counts."""
    return and_(
        Submission.role.in_(["annotate", "import"]),
        Submission.state == "accepted",
        Assignment.state == "submitted",
        Assignment.place >= 0,
    )


def answered_tasks(
    ledger: Ledger, campaign: str, *, counted: bool = True, unanswered: bool = False
) -> Iterator[AnsweredTask]:
    """Tasks with their answers, chip by chip, from one state of the ledger.

    Args:
        ledger: an open one.
        campaign: its name.
        counted: only answers that count; False: surplus, untrusted and qualification work as well.
        unanswered: whether tasks without an answer come, too.
    """
    with ledger.read() as connection:
        number = campaign_id(connection, campaign)
        yield from read_tasks(connection, Task.campaign_id == number, counted=counted, unanswered=unanswered)


def read_tasks(
    connection: Connection, *conditions: ColumnElement[bool], counted: bool, unanswered: bool
) -> Iterator[AnsweredTask]:
    """As `answered_tasks`, inside a transaction, for the tasks that meet the conditions."""
    wanted = counts() if counted else and_(Submission.role.in_(ANSWERS))
    latest = select(func.max(Review.id)).where(Review.task_id == Task.id).correlate(Task).scalar_subquery()
    decided = (
        select(Submission.labels)
        .join(Review, Review.submission_id == Submission.id)
        .where(Review.id == latest)
        .correlate(Task)
        .scalar_subquery()
    )
    tasks = (
        select(
            Task.id,
            Task.public_id,
            Task.kind,
            Task.row_offset,
            Task.column_offset,
            Task.height,
            Task.width,
            Task.guess,
            Task.original,
            Chip.name.label("chip"),
            Reference.labels.label("reference"),
            decided.label("adjudicated"),
        )
        .join(Chip, Chip.id == Task.chip_id)
        .join(Reference, Reference.task_id == Task.id, isouter=True)
        .where(*conditions)
        .order_by(Task.chip_id, Task.id)
    )
    with (
        connection.execute(_answers(wanted, conditions)) as answers,
        connection.execute(tasks.execution_options(yield_per=500)) as found,
    ):
        for task, rows in _joined(found, answers):
            if rows or unanswered:
                yield _value(task, rows)


def _joined(tasks: Iterable[Any], answers: Iterable[Any]) -> Iterator[tuple[Any, list[Any]]]:
    """Tasks with their rows of answers; both come in the order of the tasks."""
    groups = groupby(answers, key=lambda row: row.task_id)
    following = next(groups, None)
    for task in tasks:
        rows: list[Any] = []
        if following is not None and following[0] == task.id:
            rows = list(following[1])
            following = next(groups, None)
        yield task, rows


def _answers(wanted: ColumnElement[bool], conditions: tuple[ColumnElement[bool], ...]) -> Any:
    return (
        select(
            Submission.task_id,
            Submission.sequence,
            Submission.labels,
            Submission.seconds,
            Submission.changed,
            Submission.flagged,
            Submission.comment,
            User.pseudonym,
            counts().label("counted"),
        )
        .join(Task, Task.id == Submission.task_id)
        .join(User, User.id == Submission.user_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(wanted, *conditions)
        .order_by(Task.chip_id, Task.id, Submission.sequence)
        .execution_options(yield_per=500)
    )


def _value(task: Any, rows: list[Any]) -> AnsweredTask:
    answers: dict[str, Answer] = {}
    for row in rows:
        if row.counted or row.pseudonym not in answers:
            answers[row.pseudonym] = Answer(
                annotator=row.pseudonym,
                labels=row.labels,
                sequence=row.sequence,
                seconds=row.seconds,
                changed=row.changed,
                flagged=row.flagged,
                comment=row.comment,
                counted=bool(row.counted),
            )
    return AnsweredTask(
        id=task.public_id,
        window=window_of(task),
        kind=TaskKind(task.kind),
        guess=task.guess,
        original=task.original,
        reference=task.reference,
        adjudicated=task.adjudicated,
        answers=tuple(sorted(answers.values(), key=lambda one: one.sequence)),
    )


def expert_agreement(ledger: Ledger, campaign: str) -> ExpertAgreement:
    """How far experts agree on the references that two of them have answered.

    Raises:
        NotFoundError: no such campaign.
    """
    first, second = aliased(Submission), aliased(Submission)
    pair = and_(second.task_id == first.task_id, second.role == "second", second.state == "accepted")
    with ledger.read() as connection:
        rows = connection.execute(
            select(first.labels, second.labels)
            .join(second, pair)
            .where(
                first.campaign_id == campaign_id(connection, campaign),
                first.role == "expert",
                first.state == "accepted",
            )
        ).all()
    pairs = [tuple(np.frombuffer(labels, np.uint8) for labels in row) for row in rows]
    return ExpertAgreement(
        tasks=len(pairs),
        pixels=sum(one.size for one, _ in pairs),
        same=sum(int((one == other).sum()) for one, other in pairs),
    )


def record_consensus(ledger: Ledger, campaign: str, *, method: str, version: str, report: str) -> int:
    """Record that a consensus was computed from the present state of the ledger.

    Args:
        ledger: an open one.
        campaign: its name.
        method: of the consensus.
        version: of the method.
        report: JSON.

    Returns:
        Number of the run of this campaign, from 1.

    Raises:
        NotFoundError: no such campaign.
    """

    def work(connection: Connection) -> int:
        number = campaign_id(connection, campaign)
        head = connection.execute(
            select(Campaign.sequence).where(Campaign.id == number).with_for_update(key_share=True)
        ).scalar_one()
        row = {"campaign_id": number, "method": method, "version": version, "sequence": head, "report": report}
        connection.execute(insert(ConsensusRun).values(**row, at=now(connection)))
        return connection.execute(
            select(func.count()).select_from(ConsensusRun).where(ConsensusRun.campaign_id == number)
        ).scalar_one()

    return ledger.transact(work)


def head(ledger: Ledger, campaign: str) -> int:
    """Number of submissions in a campaign's ledger.

    Raises:
        NotFoundError: no such campaign.
    """
    with ledger.read() as connection:
        number = campaign_id(connection, campaign)
        return connection.execute(select(Campaign.sequence).where(Campaign.id == number)).scalar_one()
