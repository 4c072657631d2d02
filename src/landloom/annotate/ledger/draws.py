"""Which task a person gets next.

One stays on a chip as long as its best task is worth it, so that its cube is loaded once. Kinds of tasks are chosen by
the server alone: reference tasks come from the same chip as the tasks around them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, select

from landloom.annotate.ledger.places import EXPERT
from landloom.annotate.ledger.schema.models import Assignment, Reference, Task
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.trust import Trust
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.lookup import CampaignRecord, Standing

STAY: Final = 0.5
"""A chip is left when its best task has less than this share of the priority of the best task of all."""
PROBE: Final = 0.25
"""Share of reference tasks among the draws of annotators who are pending, where the chip has any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A task drawn, its row locked."""

    id: int
    chip_id: int
    location: str
    copies: int
    purpose: str


def draw(connection: Connection, record: CampaignRecord, standing: Standing, roles: frozenset[Role]) -> Drawn | None:
    """Draw the next task for a user; None if there is none."""
    if Role.EXPERT in roles:
        drawn = _for_expert(connection, standing)
        if drawn is not None:
            return drawn
    if Role.ANNOTATOR not in roles or standing.trust is Trust.UNTRUSTED:
        return None
    if record.campaign.settings.qualification and standing.qualified is not True and Role.EXPERT not in roles:
        return None if standing.qualified is False else _for_qualification(connection, standing)
    return _for_annotator(connection, record, standing)


def _new_to(standing: Standing) -> ColumnElement[bool]:
    """Nobody sees a place twice, as whatever kind of task."""
    return ~exists().where(
        Assignment.user_id == standing.user_id,
        Assignment.campaign_id == standing.campaign_id,
        Assignment.location == Task.location,
    ).correlate(Task)


def _for_expert(connection: Connection, standing: Standing) -> Drawn | None:
    open_ = (
        Task.campaign_id == standing.campaign_id,
        Task.kind.in_([TaskKind.REFERENCE.value, TaskKind.QUALIFICATION.value]),
        ~exists().where(Reference.task_id == Task.id).correlate(Task),
        ~exists().where(Assignment.task_id == Task.id, Assignment.place == EXPERT).correlate(Task),
        _new_to(standing),
    )
    here = (Task.chip_id == standing.chip_id,)
    return _first(connection, "expert", [(*open_, *here), open_], Task.chip_id, Task.shuffle)


def _for_qualification(connection: Connection, standing: Standing) -> Drawn | None:
    wanted = (
        Task.campaign_id == standing.campaign_id,
        Task.kind == TaskKind.QUALIFICATION.value,
        exists().where(Reference.task_id == Task.id).correlate(Task),
        _new_to(standing),
    )
    return _first(connection, "qualify", [wanted], Task.chip_id, Task.shuffle)


def _for_annotator(connection: Connection, record: CampaignRecord, standing: Standing) -> Drawn | None:
    # A filter that names the chip's index alone: the campaign is the chip's.
    new = (Task.available, _new_to(standing))
    everywhere = (Task.campaign_id == standing.campaign_id, *new)
    order = (Task.priority.desc(), Task.shuffle)
    if standing.chip_id is None or not _stays(connection, record, standing):
        return _first(connection, "annotate", [everywhere], *order)
    here = (Task.chip_id == standing.chip_id, *new)
    choices: list[tuple[Any, ...]] = [here, everywhere]
    chance = random.Random(f"{record.campaign.settings.seed}/{standing.user_id}/{standing.draws}").random()  # noqa: S311 - a draw
    if standing.trust is Trust.PENDING and chance < PROBE:
        choices.insert(0, (*here, Task.kind == TaskKind.REFERENCE.value))
    return _first(connection, "annotate", choices, *order)


def _stays(connection: Connection, record: CampaignRecord, standing: Standing) -> bool:
    new = (Task.available, _new_to(standing))
    order = (Task.priority.desc(), Task.shuffle)
    here = connection.execute(
        select(Task.priority).where(Task.chip_id == standing.chip_id, *new).order_by(*order).limit(1)
    ).scalar()
    if here is None:
        return False
    if record.campaign.settings.order == "random":
        return True
    best = connection.execute(
        select(Task.priority).where(Task.campaign_id == standing.campaign_id, *new).order_by(*order).limit(1)
    ).scalar()
    return best is None or here >= STAY * best


def _first(connection: Connection, purpose: str, choices: list[tuple[Any, ...]], *order: Any) -> Drawn | None:
    """The first task that meets the first set of conditions that any task meets, locked.

    Tasks that others have locked are passed over, and waited for only if there is nothing else.
    """
    for conditions, skip_locked in _attempts(choices, connection.dialect.name):
        wanted = select(Task.id, Task.chip_id, Task.location, Task.copies).where(*conditions).order_by(*order).limit(1)
        row = connection.execute(wanted.with_for_update(of=Task, key_share=True, skip_locked=skip_locked)).one_or_none()
        if row is not None:
            return Drawn(id=row.id, chip_id=row.chip_id, location=row.location, copies=row.copies, purpose=purpose)
    return None


def _attempts(choices: list[tuple[Any, ...]], dialect: str) -> Iterator[tuple[tuple[Any, ...], bool]]:
    for conditions in choices:
        yield conditions, True
    if dialect == "postgresql":
        yield choices[-1], False
