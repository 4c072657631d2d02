"""Places of tasks: each task has as many as it wants answers, and a unique constraint keeps two people off one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, case, exists, func, or_, select, update

from landloom.annotate.ledger.schema.models import Assignment, Reference, Task
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy.engine import Connection

EXPERT: Final = -1
"""Place of the expert who answers a reference."""
_CHUNK: Final = 500


def free_place(connection: Connection, task: int, copies: int) -> int | None:
    """The first place of a task that nobody holds; None if there is none. The task's row is locked by the caller."""
    held = set(connection.execute(select(Assignment.place).where(Assignment.task_id == task)).scalars())
    return next((place for place in range(copies) if place not in held), None)


def expert_place(connection: Connection, task: int) -> int | None:
    """The expert's place of a task if it is free."""
    held = connection.execute(select(Assignment.id).where(Assignment.task_id == task, Assignment.place == EXPERT))
    return None if held.first() else EXPERT


def lock_tasks(connection: Connection, tasks: Collection[int], *, skip_locked: bool = False) -> list[int]:
    """Lock tasks in the order of their numbers; those that others have locked are left out if wanted so."""
    locked: list[int] = []
    for chunk in _chunks(sorted(tasks)):
        wanted = select(Task.id).where(Task.id.in_(chunk)).order_by(Task.id)
        locked += connection.execute(wanted.with_for_update(key_share=True, skip_locked=skip_locked)).scalars()
    return locked


def release_expired(connection: Connection, campaign: int, at: float) -> None:
    """Take the places of leases that ended; whoever held them may still submit."""
    ended = (
        Assignment.campaign_id == campaign,
        Assignment.state == "leased",
        Assignment.expires <= at,
        Assignment.place.is_not(None),
    )
    tasks = set(connection.execute(select(Assignment.task_id).where(*ended)).scalars())
    free = lock_tasks(connection, tasks, skip_locked=True) if tasks else []
    for chunk in _chunks(free):
        connection.execute(update(Assignment).where(*ended, Assignment.task_id.in_(chunk)).values(place=None))
    recount(connection, free)


def recount(connection: Connection, tasks: Collection[int]) -> None:
    """Bring the counts of tasks up to date: places taken, answers that count, whether annotators can get them."""
    own = (Assignment.task_id == Task.id, Assignment.place >= 0)
    taken = select(func.count()).select_from(Assignment).where(*own).correlate(Task).scalar_subquery()
    counted = (
        select(func.count())
        .select_from(Assignment)
        .where(*own, Assignment.state == "submitted")
        .correlate(Task)
        .scalar_subquery()
    )
    answered = exists().where(Reference.task_id == Task.id).correlate(Task)
    kinds = or_(
        Task.kind.in_([TaskKind.REGULAR.value, TaskKind.BLIND.value, TaskKind.PLANTED.value]),
        and_(Task.kind == TaskKind.REFERENCE.value, answered),
    )
    available = case((and_(taken < Task.copies, kinds), True), else_=False)
    for chunk in _chunks(sorted(tasks)):
        connection.execute(
            update(Task).where(Task.id.in_(chunk)).values(taken=taken, counted=counted, available=available)
        )


def _chunks(numbers: Collection[int]) -> Iterator[list[int]]:
    whole = list(numbers)
    for start in range(0, len(whole), _CHUNK):
        yield whole[start : start + _CHUNK]
