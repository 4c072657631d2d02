"""Places of tasks: each task has as many as it wants answers, and a unique constraint keeps two people off one.

Statements here and in the modules beside it are built once: to build one takes longer than to run it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, case, exists, func, or_, select, update

from landloom.annotate.ledger.schema.models import Assignment, Reference, Task
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy.engine import Connection

EXPERT: Final = -1
"""Place of the expert who answers a reference."""
SECOND: Final = -2
"""Place of the second expert, who answers it again without seeing the first answer."""
EXPERTS: Final = {"expert": EXPERT, "second": SECOND}
"""Purpose of an expert's assignment → its place."""
_CHUNK: Final = 500

_HELD: Final = select(Assignment.place).where(Assignment.task_id == bindparam("task"))
_EXPERTS: Final = select(Assignment.id).where(
    Assignment.task_id == bindparam("task"), Assignment.place == bindparam("place")
)
_LOCK: Final = select(Task.id).where(Task.id.in_(bindparam("tasks", expanding=True))).order_by(Task.id)
_LOCKS: Final = {skip: _LOCK.with_for_update(key_share=True, skip_locked=skip) for skip in (False, True)}

_ENDED: Final = (
    Assignment.campaign_id == bindparam("campaign"),
    Assignment.state == "leased",
    Assignment.expires <= bindparam("at"),
    Assignment.place.is_not(None),
)
_OVERDUE: Final = select(Assignment.task_id).where(*_ENDED).distinct()
_RELEASE: Final = (
    update(Assignment).where(*_ENDED, Assignment.task_id.in_(bindparam("tasks", expanding=True))).values(place=None)
)


def _counting() -> Any:
    own = (Assignment.task_id == Task.id, Assignment.place >= 0)
    taken = select(func.count()).select_from(Assignment).where(*own).correlate(Task).scalar_subquery()
    submitted = (*own, Assignment.state == "submitted")
    counted = select(func.count()).select_from(Assignment).where(*submitted).correlate(Task).scalar_subquery()
    answered = exists().where(Reference.task_id == Task.id).correlate(Task)
    kinds = or_(
        Task.kind.in_([TaskKind.REGULAR.value, TaskKind.BLIND.value, TaskKind.PLANTED.value]),
        and_(Task.kind == TaskKind.REFERENCE.value, answered),
    )
    available = case((and_(taken < Task.copies, kinds), True), else_=False)
    wanted = Task.id.in_(bindparam("tasks", expanding=True))
    return update(Task).where(wanted).values(taken=taken, counted=counted, available=available)


_COUNT: Final = _counting()


def free_place(connection: Connection, task: int, copies: int) -> int | None:
    """The first place of a task that nobody holds; None if there is none. The task's row is locked by the caller."""
    held = set(connection.execute(_HELD, {"task": task}).scalars())
    return next((place for place in range(copies) if place not in held), None)


def expert_place(connection: Connection, task: int, purpose: str = "expert") -> int | None:
    """The place of a task for its first or second expert, if it is free."""
    place = EXPERTS[purpose]
    return None if connection.execute(_EXPERTS, {"task": task, "place": place}).first() else place


def lock_tasks(connection: Connection, tasks: Collection[int], *, skip_locked: bool = False) -> list[int]:
    """Lock tasks in the order of their numbers; those that others have locked are left out if wanted so."""
    locked: list[int] = []
    for chunk in _chunks(sorted(tasks)):
        locked += connection.execute(_LOCKS[skip_locked], {"tasks": chunk}).scalars()
    return locked


def release_expired(connection: Connection, campaign: int, at: float) -> None:
    """Take the places of leases that ended; whoever held them may still submit."""
    ended = {"campaign": campaign, "at": at}
    tasks = connection.execute(_OVERDUE, ended).scalars().all()
    free = lock_tasks(connection, tasks, skip_locked=True)
    for chunk in _chunks(free):
        connection.execute(_RELEASE, {**ended, "tasks": chunk})
    recount(connection, free)


def recount(connection: Connection, tasks: Collection[int]) -> None:
    """Bring the counts of tasks up to date: places taken, answers that count, whether annotators can get them."""
    for chunk in _chunks(sorted(tasks)):
        connection.execute(_COUNT, {"tasks": chunk})


def _chunks(numbers: Collection[int]) -> Iterator[list[int]]:
    whole = list(numbers)
    for start in range(0, len(whole), _CHUNK):
        yield whole[start : start + _CHUNK]
