"""Trust in annotators, kept up to date; untrusted work makes room for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from landloom.annotate.ledger.accounts.audit import record
from landloom.annotate.ledger.accounts.users import require_manager
from landloom.annotate.ledger.lookup import campaign_record, standing
from landloom.annotate.ledger.order.priorities import refresh
from landloom.annotate.ledger.places import free_place, lock_tasks, recount
from landloom.annotate.ledger.schema.models import Annotator, Assignment, Campaign, Task
from landloom.annotate.ledger.scoring import results
from landloom.annotate.tasks.trust import Trust, qualified, trust_state
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.lookup import CampaignRecord, Standing
    from landloom.annotate.ledger.scoring import Score
    from landloom.annotate.ledger.values import User


def update_trust(connection: Connection, found: CampaignRecord, own: Standing, latest: Score) -> None:
    """Decide about an annotator after a submission of any kind, and act on a change of mind.

    Args:
        connection: inside a transaction; the submission's own assignment is up to date.
        found: the campaign.
        own: the annotator.
        latest: the score of the submission, which has no row yet.
    """
    settings = found.campaign.settings
    known = results(connection, own, TaskKind.REFERENCE, most=settings.trust_window)
    if latest.kind is TaskKind.REFERENCE and latest.result is not None:
        known.append(latest.result)
    state = trust_state(known, settings)
    if state.trust is own.trust:
        return
    _set(connection, own, trust=state.trust.value)
    record(
        connection,
        actor="",
        action="trust",
        subject=own.user_id,
        campaign=found.campaign.name,
        detail={"from": own.trust.value, "to": state.trust.value, "reasons": list(state.reasons)},
    )
    if state.trust is Trust.UNTRUSTED:
        _release(connection, found, own)
    elif own.trust is Trust.UNTRUSTED:
        _reclaim(connection, found, own)


def qualification(connection: Connection, found: CampaignRecord, own: Standing) -> tuple[int, bool | None]:
    """How far an annotator is in the qualification round.

    Returns:
        Tasks left, and whether the round was passed; None while tasks are left.
    """
    settings = found.campaign.settings
    done = results(connection, own, TaskKind.QUALIFICATION, most=settings.qualification)
    return max(settings.qualification - len(done), 0), qualified(done, settings)


def update_qualification(connection: Connection, found: CampaignRecord, own: Standing) -> None:
    """Decide about the qualification round after one of its tasks."""
    _, passed = qualification(connection, found, own)
    if passed is not own.qualified:
        _set(connection, own, qualified=passed)


def give_another_chance(ledger: Ledger, campaign: str, user: User, *, by: User | None) -> None:
    """Make an annotator pending again: only later reference tasks decide, a failed qualification counts as passed.

    Raises:
        NotAllowedError: `by` is no manager of the campaign.
    """

    def work(connection: Connection) -> None:
        found = campaign_record(connection, campaign)
        require_manager(connection, by, found.id)
        own = standing(connection, found.id, user.id)
        head = connection.execute(select(Campaign.sequence).where(Campaign.id == found.id)).scalar_one()
        _set(
            connection,
            own,
            trust=Trust.PENDING.value,
            since=head,
            qualified=True if own.qualified is False else own.qualified,
        )
        if own.trust is Trust.UNTRUSTED:
            _reclaim(connection, found, own)
        actor = by.pseudonym if by else ""
        record(connection, actor=actor, action="another chance", subject=user.id, campaign=campaign, detail={})

    ledger.transact(work)


def _set(connection: Connection, own: Standing, **values: Any) -> None:
    connection.execute(
        update(Annotator)
        .where(Annotator.user_id == own.user_id, Annotator.campaign_id == own.campaign_id)
        .values(**values)
    )


def _work(own: Standing) -> tuple[Any, ...]:
    return (
        Assignment.user_id == own.user_id,
        Assignment.campaign_id == own.campaign_id,
        Assignment.purpose == "annotate",
        Assignment.state == "submitted",
    )


def _release(connection: Connection, found: CampaignRecord, own: Standing) -> None:
    """Give up every place of a user's submitted work, so that the tasks are issued again."""
    held = (*_work(own), Assignment.place.is_not(None))
    tasks = lock_tasks(connection, set(connection.execute(select(Assignment.task_id).where(*held)).scalars()))
    connection.execute(update(Assignment).where(*held).values(place=None))
    _recount(connection, found, tasks)


def _reclaim(connection: Connection, found: CampaignRecord, own: Standing) -> None:
    """Put a user's work back where places are still free."""
    lost = (*_work(own), Assignment.place.is_(None))
    rows = connection.execute(
        select(Assignment.id, Assignment.task_id, Task.copies).join(Task).where(*lost).order_by(Assignment.task_id)
    ).all()
    lock_tasks(connection, {row.task_id for row in rows})
    for row in rows:
        place = free_place(connection, row.task_id, row.copies)
        if place is not None:
            connection.execute(update(Assignment).where(Assignment.id == row.id).values(place=place))
    _recount(connection, found, {row.task_id for row in rows})


def _recount(connection: Connection, found: CampaignRecord, tasks: Collection[int]) -> None:
    recount(connection, tasks)
    refresh(connection, found, sorted(tasks))
