"""Which task a person gets next.

One stays on a chip as long as its best task is worth it, so that its cube is loaded once. What annotators get does not
depend on the kind of a task: an order that preferred references, at the start say, would tell which tasks they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import aliased

from landloom.annotate.ledger.places import EXPERT, SECOND
from landloom.annotate.ledger.schema.models import BIG, SHUFFLES, Assignment, Campaign, Reference, Submission, Task
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.trust import Trust
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.lookup import CampaignRecord, Standing

STAY: Final = 0.5
"""A chip is left when its best task has less than this share of the priority of the best task of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A task drawn, its row locked."""

    id: int
    chip_id: int
    location: str
    copies: int
    purpose: str


_CAMPAIGN: Final = Task.campaign_id == bindparam("campaign")
_HERE: Final = Task.chip_id == bindparam("chip", type_=BIG)
_NEW: Final = ~exists().where(
    Assignment.user_id == bindparam("user"),
    Assignment.campaign_id == bindparam("campaign"),
    Assignment.location == Task.location,
).correlate(Task)
"""Nobody sees a place twice, as whatever kind of task."""
_BEGUN: Final = aliased(Task)
_IN_TURN: Final = ~exists().where(
    Reference.task_id == Task.id,
    Submission.id == Reference.submission_id,
    Campaign.id == Task.campaign_id,
    Submission.sequence > Campaign.ordered,
    Assignment.user_id == bindparam("user"),
    Assignment.campaign_id == bindparam("campaign"),
    Assignment.issued < Submission.recorded,
    _BEGUN.id == Assignment.task_id,
    _BEGUN.chip_id == Task.chip_id,
).correlate(Task)
"""No reference that its expert answered after the person had begun its chip: coming after tasks of less gain, it would
be known for what it is. It waits until all tasks have new priorities, or nothing else is left."""
_ANSWERED: Final = exists().where(Reference.task_id == Task.id).correlate(Task)
_ORDER: Final = (Task.priority.desc(), Task.shuffle.desc())
"""That of the indices, backwards."""


def _locking(purpose: str, order: tuple[Any, ...], *conditions: Any) -> tuple[str, Any, Any]:
    """The first task of an order that nobody has locked, and the same waiting for those who have."""
    wanted = (
        select(Task.id, Task.chip_id, Task.location, Task.copies, Task.priority)
        .where(*conditions, _NEW)
        .order_by(*order)
        .limit(1)
    )
    passing, waiting = (wanted.with_for_update(of=Task, key_share=True, skip_locked=skip) for skip in (True, False))
    return purpose, passing, waiting


_OPEN: Final = (
    _CAMPAIGN,
    Task.kind.in_([TaskKind.REFERENCE.value, TaskKind.QUALIFICATION.value]),
    ~_ANSWERED,
    ~exists().where(Assignment.task_id == Task.id, Assignment.place == EXPERT).correlate(Task),
)
_EXPERT_HERE: Final = _locking("expert", (Task.shuffle,), *_OPEN, _HERE)
_EXPERT: Final = _locking("expert", (Task.chip_id, Task.shuffle), *_OPEN)
_AGAIN: Final = (
    _CAMPAIGN,
    Task.kind == TaskKind.REFERENCE.value,
    _ANSWERED,
    Task.shuffle < bindparam("relabelled", type_=BIG),
    ~exists().where(Assignment.task_id == Task.id, Assignment.place == SECOND).correlate(Task),
)
"""References for a second expert: a share of them that nothing but chance decides."""
_SECOND_HERE: Final = _locking("second", (Task.shuffle,), *_AGAIN, _HERE)
_SECOND: Final = _locking("second", (Task.chip_id, Task.shuffle), *_AGAIN)
_QUALIFY: Final = _locking(
    "qualify", (Task.chip_id, Task.shuffle), _CAMPAIGN, Task.kind == TaskKind.QUALIFICATION.value, _ANSWERED
)
_ANY_HERE: Final = _locking("annotate", _ORDER, _HERE, Task.available)
_ANY: Final = _locking("annotate", _ORDER, _CAMPAIGN, Task.available)
_BEST_HERE: Final = _locking("annotate", _ORDER, _HERE, Task.available, _IN_TURN)
_BEST: Final = _locking("annotate", _ORDER, _CAMPAIGN, Task.available, _IN_TURN)
_PRIORITY: Final = select(Task.priority).where(_CAMPAIGN, Task.available, _NEW, _IN_TURN).order_by(*_ORDER).limit(1)


def draw(connection: Connection, record: CampaignRecord, standing: Standing, roles: frozenset[Role]) -> Drawn | None:
    """Draw the next task for a user; None if there is none."""
    if Role.EXPERT in roles:
        row = _for_expert(connection, standing, record.campaign.settings.relabel_share)
        if row is not None:
            return row
    if Role.ANNOTATOR not in roles or standing.trust is Trust.UNTRUSTED:
        return None
    if record.campaign.settings.qualification and standing.qualified is not True and Role.EXPERT not in roles:
        return None if standing.qualified is False else _first(connection, standing, _QUALIFY, wait=True)
    if record.campaign.settings.order == "random":
        here = None if standing.chip_id is None else _first(connection, standing, _ANY_HERE)
    else:
        here = _nearby(connection, standing) or _first(connection, standing, _BEST)
    return here or _first(connection, standing, _ANY, wait=True)


def _for_expert(connection: Connection, standing: Standing, share: float) -> Drawn | None:
    """A reference without an answer; when all have one, one of another expert's to be answered again."""
    row = _first(connection, standing, _EXPERT_HERE) or _first(connection, standing, _EXPERT, wait=True)
    if row is not None or not share:
        return row
    return _first(connection, standing, _SECOND_HERE, share=share) or _first(connection, standing, _SECOND, share=share)


def _nearby(connection: Connection, standing: Standing) -> Drawn | None:
    """The best task of the chip at hand, unless there are much better ones."""
    if standing.chip_id is None:
        return None
    here, priority = _row(connection, standing, _BEST_HERE)
    if here is None:
        return None
    best = connection.execute(_PRIORITY, _parameters(standing)).scalar()
    return None if best is not None and priority < STAY * best else here


def _first(
    connection: Connection,
    standing: Standing,
    choice: tuple[str, Any, Any],
    *,
    wait: bool = False,
    share: float = 0.0,
) -> Drawn | None:
    """The first task that nobody has locked; if wanted so, one that is waited for if there is nothing else."""
    row = _row(connection, standing, choice, share)[0]
    if row is None and wait and connection.dialect.name == "postgresql":
        purpose, _, waiting = choice
        row = _row(connection, standing, (purpose, waiting, waiting))[0]
    return row


def _row(
    connection: Connection, standing: Standing, choice: tuple[str, Any, Any], share: float = 0.0
) -> tuple[Drawn | None, float]:
    purpose, statement, _ = choice
    wanted = {**_parameters(standing), "relabelled": round(share * SHUFFLES)}
    row = connection.execute(statement, wanted).one_or_none()
    if row is None:
        return None, 0.0
    drawn = Drawn(id=row.id, chip_id=row.chip_id, location=row.location, copies=row.copies, purpose=purpose)
    return drawn, row.priority


def _parameters(standing: Standing) -> dict[str, int | None]:
    return {"user": standing.user_id, "campaign": standing.campaign_id, "chip": standing.chip_id}
