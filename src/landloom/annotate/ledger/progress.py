"""Progress of a campaign: the rows behind the manager's page. Figures are computed from them elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, or_, select

from landloom.annotate.ledger.answers import ANSWERS, counts
from landloom.annotate.ledger.database import moment, now
from landloom.annotate.ledger.lookup import campaign_id, window_of
from landloom.annotate.ledger.places import EXPERTS
from landloom.annotate.ledger.schema.models import (
    Annotator,
    Assignment,
    Chip,
    RoleGrant,
    ScoreSnapshot,
    Submission,
    Task,
    User,
)
from landloom.annotate.ledger.scoring import result_of
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.trust import Trust
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.tasks.trust import ReferenceResult
    from landloom.annotate.tasks.values import TaskWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipProgress:
    """Progress of one chip; sums over chips are those of the campaign."""

    chip: str
    tasks: int
    """Tasks that annotators answer; qualification tasks are none of them."""
    done: int
    """Tasks with all their answers."""
    started: int
    """Tasks with at least one counted answer that are not done."""
    submissions: int
    """Answers that count."""
    needed: int
    """Answers wanted."""
    surplus: int
    """Answers kept that do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionRow:
    """One answer of an annotator, without its labels."""

    sequence: int
    annotator: str
    """Pseudonym."""
    name: str
    """Login name."""
    task: str
    window: TaskWindow
    kind: TaskKind
    recorded: datetime
    seconds: float
    changed: int
    counts: dict[int, tuple[int, int]]
    """Class code → pixels labelled as it, and how many of them differ from the guess."""
    flagged: bool
    comment: str
    counted: bool
    planted: int
    """Altered pixels of the guess; 0 for all but planted tasks."""
    copied: int
    """Altered pixels that were left as they were."""
    result: ReferenceResult | None
    """Comparison with the expert's answer, of reference and qualification tasks."""

    @property
    def pixels(self) -> int:
        """Labelled pixels."""
        return sum(total for total, _ in self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatorRow:
    """One annotator's standing."""

    name: str
    pseudonym: str
    trust: Trust
    qualified: bool | None
    """Result of the qualification round; None until it is complete."""
    submissions: int
    counted: int
    """Submissions that count."""
    live: int
    """Tasks on loan."""


def chips(ledger: Ledger, campaign: str) -> tuple[ChipProgress, ...]:
    """Progress of each chip, by name.

    Raises:
        NotFoundError: no such campaign.
    """
    done, started = Task.counted >= Task.copies, and_(Task.counted > 0, Task.counted < Task.copies)
    with ledger.read() as connection:
        number = campaign_id(connection, campaign)
        rows = connection.execute(
            select(
                Chip.name,
                func.count(),
                func.sum(_one_if(done)),
                func.sum(_one_if(started)),
                func.sum(Task.counted),
                func.sum(Task.copies),
            )
            .select_from(Task)
            .join(Chip, Chip.id == Task.chip_id)
            .where(Task.campaign_id == number, Task.kind != TaskKind.QUALIFICATION.value)
            .group_by(Chip.name)
            .order_by(Chip.name)
        ).all()
        surplus = connection.execute(
            select(Chip.name, func.count())
            .select_from(Submission)
            .join(Task, Task.id == Submission.task_id)
            .join(Chip, Chip.id == Task.chip_id)
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .where(Submission.campaign_id == number, Submission.role.in_(["annotate", "import"]), ~_counted())
            .group_by(Chip.name)
        ).all()
    extra = {name: count for name, count in surplus}  # noqa: C416 - rows are no tuples to mypy
    return tuple(
        ChipProgress(
            chip=name,
            tasks=tasks,
            done=int(complete),
            started=int(begun),
            submissions=int(answered),
            needed=int(wanted),
            surplus=extra.get(name, 0),
        )
        for name, tasks, complete, begun, answered, wanted in rows
    )


def _one_if(condition: Any) -> Any:
    return case((condition, 1), else_=0)


def _counted() -> Any:
    return func.coalesce(counts(), False)


def submissions(ledger: Ledger, campaign: str, *, after: int = 0) -> Iterator[SubmissionRow]:
    """Answers of annotators (not of experts and reviewers) in the order of the ledger, after a sequence.

    Raises:
        NotFoundError: no such campaign.
    """
    with ledger.read() as connection:
        number = campaign_id(connection, campaign)
        wanted = (
            select(
                Submission.sequence,
                Submission.recorded,
                Submission.seconds,
                Submission.changed,
                Submission.counts,
                Submission.flagged,
                Submission.comment,
                User.pseudonym,
                User.name,
                Task.public_id,
                Task.kind,
                Task.row_offset,
                Task.column_offset,
                Task.height,
                Task.width,
                Chip.name.label("chip"),
                _counted().label("counted"),
                ScoreSnapshot.pixels,
                ScoreSnapshot.right,
                ScoreSnapshot.planted,
                ScoreSnapshot.copied,
            )
            .join(Task, Task.id == Submission.task_id)
            .join(Chip, Chip.id == Task.chip_id)
            .join(User, User.id == Submission.user_id)
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .join(ScoreSnapshot, ScoreSnapshot.submission_id == Submission.id, isouter=True)
            .where(Submission.campaign_id == number, Submission.sequence > after, Submission.role.in_(ANSWERS))
            .order_by(Submission.sequence)
        )
        with connection.execute(wanted.execution_options(yield_per=1000)) as rows:
            yield from map(_row, rows)


def _row(row: Any) -> SubmissionRow:
    return SubmissionRow(
        sequence=row.sequence,
        annotator=row.pseudonym,
        name=row.name,
        task=row.public_id,
        window=window_of(row),
        kind=TaskKind(row.kind),
        recorded=moment(row.recorded),
        seconds=row.seconds,
        changed=row.changed,
        counts={int(code): (total, changed) for code, (total, changed) in json.loads(row.counts).items()},
        flagged=row.flagged,
        comment=row.comment,
        counted=bool(row.counted),
        planted=row.planted or 0,
        copied=row.copied or 0,
        result=result_of(row.pixels, row.right) if row.pixels not in {None, "{}"} else None,
    )


def annotators(ledger: Ledger, campaign: str) -> tuple[AnnotatorRow, ...]:
    """Everybody who has taken a task or has the role, by name.

    Raises:
        NotFoundError: no such campaign.
    """
    with ledger.read() as connection:
        number = campaign_id(connection, campaign)
        own = (Assignment.user_id == User.id, Assignment.campaign_id == number, Assignment.purpose.not_in(EXPERTS))
        live = and_(Assignment.state == "leased", Assignment.expires > now(connection))
        done = Assignment.state.in_(["submitted", "surplus"])
        kept = and_(Assignment.state == "submitted", Assignment.place >= 0)
        sums = [
            select(func.count()).select_from(Assignment).where(*own, one).correlate(User).scalar_subquery()
            for one in (done, kept, live)
        ]
        granted = select(RoleGrant.user_id).where(
            RoleGrant.role == Role.ANNOTATOR.value,
            or_(RoleGrant.campaign_id == number, RoleGrant.campaign_id.is_(None)),
        )
        worked = select(Assignment.user_id).where(Assignment.campaign_id == number, Assignment.purpose.not_in(EXPERTS))
        rows = connection.execute(
            select(User.name, User.pseudonym, Annotator.trust, Annotator.qualified, *sums)
            .join(Annotator, and_(Annotator.user_id == User.id, Annotator.campaign_id == number), isouter=True)
            .where(or_(User.id.in_(granted), User.id.in_(worked)))
            .order_by(User.name_key)
        ).all()
    return tuple(
        AnnotatorRow(
            name=name,
            pseudonym=pseudonym,
            trust=Trust(trust or Trust.PENDING),
            qualified=qualified,
            submissions=submitted,
            counted=counted,
            live=on_loan,
        )
        for name, pseudonym, trust, qualified, submitted, counted, on_loan in rows
    )
