"""The order of a campaign's tasks: kept up to date after every answer, renewed from time to time for all of them.

Every kind of task takes the same steps, and the order is renewed after so many submissions of any kind, so that neither
the order nor how long an answer takes tells kinds apart.
"""

from __future__ import annotations

import json
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import bindparam, case, cast, exists, func, or_, select, update

from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.ledger.chain import compact
from landloom.annotate.ledger.lookup import campaign_record
from landloom.annotate.ledger.places import lock_tasks, recount
from landloom.annotate.ledger.schema.models import Assignment, Campaign, Chip, Reference, Submission, Task
from landloom.annotate.tasks.gain import Expected, GainModel, answers_wanted
from landloom.annotate.tasks.learning import SEVERAL, chip_factors, is_due, learned
from landloom.annotate.tasks.order import disagreement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.lookup import CampaignRecord
    from landloom.annotate.tasks.values import CampaignSettings

_CHUNK: Final = 100
"""Tasks that are locked at once: for some hundredths of a second."""

_COUNTED: Final = (Submission.state == "accepted", Assignment.place >= 0)
_ANSWERS: Final = (
    select(Submission.task_id, Submission.user_id, Submission.labels)
    .join(Assignment, Assignment.id == Submission.assignment_id)
    .where(Submission.task_id.in_(bindparam("tasks", expanding=True)), *_COUNTED)
    .order_by(Submission.sequence)
)
_TASKS: Final = (
    select(
        Task.id,
        Task.chip_id,
        func.coalesce(Task.original, Task.guess).label("guess"),
        Task.guess.label("shown"),
        Task.original,
        Task.doubt,
        Task.error,
        Task.copies,
        (Task.height * Task.width).label("pixels"),
        Chip.factor,
    )
    .join(Chip, Chip.id == Task.chip_id)
    .where(Task.id.in_(bindparam("tasks", expanding=True)))
    .order_by(Task.id)
)
_MODEL: Final = select(Campaign.gain_model).where(Campaign.id == bindparam("campaign"))
_REFRESH: Final = (
    update(Task)
    .where(Task.id == bindparam("number"))
    .values(
        disputed=bindparam("split"),
        wrong=bindparam("expected"),
        copies=bindparam("wanted"),
        priority=func.coalesce(cast(bindparam("gain"), Task.priority.type), Task.priority),
    )
)


def refresh(connection: Connection, found: CampaignRecord, tasks: Sequence[int], latest: bytes | None = None) -> None:
    """Bring disagreement, expected errors, priority and answers wanted of tasks up to date with the answers that count.

    Counts of a task are up to date before; they are afterwards.

    Args:
        connection: inside a transaction that has locked the tasks.
        found: their campaign.
        tasks: their numbers.
        latest: an answer to the only task that counts and has no row yet.
    """
    settings = found.campaign.settings
    ordered = settings.order == "gain" or settings.least_gain > 0
    model = _model(connection, found) if ordered else None
    for start in range(0, len(tasks), _CHUNK):
        rows = _refreshed(connection, model, settings, tasks[start : start + _CHUNK], latest)
        if rows:
            connection.execute(_REFRESH, rows)
        if settings.least_gain:
            recount(connection, [row["number"] for row in rows])


def _refreshed(
    connection: Connection,
    model: GainModel | None,
    settings: CampaignSettings,
    tasks: Sequence[int],
    latest: bytes | None,
) -> list[dict[str, Any]]:
    labels: dict[int, list[NDArray[np.uint8]]] = {}
    for row in connection.execute(_ANSWERS, {"tasks": list(tasks)}):
        labels.setdefault(row.task_id, []).append(np.frombuffer(row.labels, np.uint8))
    rows = []
    for task in connection.execute(_TASKS, {"tasks": list(tasks)}):
        given = [*labels.get(task.id, []), *([] if latest is None else [np.frombuffer(latest, np.uint8)])]
        table = np.stack(given) if given else np.zeros((0, task.pixels), np.uint8)
        most = max(task.copies, settings.annotators)
        expected = Expected(wrong=0.0, per_second=0.0) if model is None else _expected(model, task, table, most)
        gain = expected.per_second if settings.order == "gain" and task.error is not None else None
        wanted = answers_wanted(expected, len(given), most, settings.least_gain)
        rows.append(
            {
                "number": task.id,
                "split": disagreement(table),
                "expected": expected.wrong,
                "gain": gain,
                "wanted": wanted if settings.least_gain else task.copies,
            }
        )
    return rows


def _expected(model: GainModel, task: Any, labels: NDArray[np.uint8], copies: int) -> Expected:
    return model.expect(
        _raster(task.guess),
        _raster(task.doubt),
        labels,
        copies=copies,
        least=task.error or 0.0,
        factor=task.factor,
    )


def _raster(stored: bytes | None) -> NDArray[np.uint8] | None:
    return None if stored is None else np.frombuffer(stored, np.uint8)


def _model(connection: Connection, found: CampaignRecord) -> GainModel:
    return _parsed(connection.execute(_MODEL, {"campaign": found.id}).scalar_one(), found.campaign.codes)


@lru_cache(maxsize=32)
def _parsed(document: str, codes: tuple[int, ...]) -> GainModel:
    """The model of a row, kept since parsing takes longer than reading."""
    return GainModel.parse(json.loads(document)) if document else GainModel.assumed(tuple(sorted(codes)))


def renew(ledger: Ledger, name: str, *, only_if_due: bool = False) -> int:
    """Learn from the references again, and give all open tasks their priorities anew.

    The tasks are locked a few hundred at a time, so that people go on meanwhile.

    Args:
        ledger: an open one.
        name: of the campaign.
        only_if_due: whether nothing happens as long as it is not due.

    Returns:
        Number of tasks; 0 in random order.

    Raises:
        NotFoundError: no such campaign.
    """
    with ledger.read() as connection:
        found = campaign_record(connection, name)
        if found.campaign.settings.order != "gain":
            return 0
        head = connection.execute(select(Campaign.sequence, Campaign.ordered).where(Campaign.id == found.id)).one()
        if only_if_due and not is_due(head.sequence, head.ordered):
            return 0
        model = learned(*_references(connection, found), sorted(found.campaign.codes))
        factors = _factors(connection, found, model)
        wanted = or_(Task.counted < Task.copies, Task.counted < found.campaign.settings.annotators)
        tasks = (
            connection.execute(select(Task.id).where(Task.campaign_id == found.id, wanted).order_by(Task.id))
            .scalars()
            .all()
        )
    ledger.transact(lambda connection: _keep(connection, found, head.sequence, model, factors))
    for start in range(0, len(tasks), _CHUNK):
        ledger.transact(partial(_renewed, found=found, tasks=tasks[start : start + _CHUNK]))
    return len(tasks)


def _renewed(connection: Connection, *, found: CampaignRecord, tasks: Sequence[int]) -> None:
    refresh(connection, found, lock_tasks(connection, tasks))


def _references(
    connection: Connection, found: CampaignRecord
) -> tuple[list[TaskAnswers], list[NDArray[np.uint8] | None]]:
    """Tasks that experts answered, and the doubts of their guesses."""
    rows = connection.execute(
        select(Reference.task_id, Reference.labels)
        .join(Task, Task.id == Reference.task_id)
        .where(Task.campaign_id == found.id)
    )
    known = {row.task_id: row.labels for row in rows}
    answers: list[TaskAnswers] = []
    doubts: list[NDArray[np.uint8] | None] = []
    for start in range(0, len(known), _CHUNK):
        wanted = {"tasks": sorted(known)[start : start + _CHUNK]}
        given: dict[int, dict[int, NDArray[np.uint8]]] = {}
        for row in connection.execute(_ANSWERS, wanted):
            given.setdefault(row.task_id, {})[row.user_id] = np.frombuffer(row.labels, np.uint8)
        for task in connection.execute(_TASKS, wanted):
            own = given.get(task.id, {})
            answers.append(
                TaskAnswers(
                    task=str(task.id),
                    annotators=tuple(own),
                    labels=np.stack(list(own.values())) if own else np.zeros((0, task.pixels), np.uint8),
                    guess=_raster(task.shown),
                    original=_raster(task.original),
                    reference=_raster(known[task.id]),
                )
            )
            doubts.append(_raster(task.doubt))
    return answers, doubts


def _factors(connection: Connection, found: CampaignRecord, model: GainModel) -> Mapping[int, float]:
    """Chip → how much more often the guess is wrong on it, by references and by tasks with several answers."""
    answered = exists().where(Reference.task_id == Task.id).correlate(Task)
    reference = select(Reference.labels).where(Reference.task_id == Task.id).correlate(Task).scalar_subquery()
    rows = connection.execute(
        select(
            Task.chip_id,
            func.coalesce(Task.original, Task.guess).label("guess"),
            Task.doubt,
            Task.wrong,
            case((answered, reference), else_=None).label("reference"),
        )
        .where(Task.campaign_id == found.id, Task.doubt.is_not(None), or_(answered, Task.counted >= SEVERAL))
        .execution_options(yield_per=_CHUNK)
    )
    chips, expected, wrong = [], [], []
    for row in rows:
        guess, doubt, truth = _raster(row.guess), _raster(row.doubt), _raster(row.reference)
        if guess is None or doubt is None:
            continue
        there = guess > 0 if truth is None else (guess > 0) & (truth > 0)
        chips.append(row.chip_id)
        expected.append(float(model.curve.error[doubt[there]].sum()))
        wrong.append(row.wrong if truth is None else float((guess != truth)[there].sum()))
    return chip_factors(chips, expected, wrong)


def _keep(
    connection: Connection, found: CampaignRecord, sequence: int, model: GainModel, factors: Mapping[int, float]
) -> None:
    values = {"gain_model": compact(model.document()), "ordered": sequence}
    connection.execute(update(Campaign).where(Campaign.id == found.id).values(values))
    if factors:
        statement = update(Chip).where(Chip.id == bindparam("number")).values(factor=bindparam("times"))
        connection.execute(statement, [{"number": chip, "times": value} for chip, value in sorted(factors.items())])
