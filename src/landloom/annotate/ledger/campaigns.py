"""Campaigns: creating one, reading it, drawing its references again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import numpy as np
from sqlalchemy import exists, insert, select, update

from landloom.annotate.ledger.accounts.audit import record
from landloom.annotate.ledger.accounts.users import require_manager
from landloom.annotate.ledger.chain import START, compact
from landloom.annotate.ledger.database import now
from landloom.annotate.ledger.errors import ConflictError
from landloom.annotate.ledger.lookup import campaign_record, location_of
from landloom.annotate.ledger.places import recount
from landloom.annotate.ledger.schema.models import SHUFFLES, Assignment, Chip, Reference, TaxonomyVersion
from landloom.annotate.ledger.schema.models import Campaign as CampaignModel
from landloom.annotate.ledger.schema.models import Task as TaskModel
from landloom.annotate.tasks.draw import redraw_references as redrawn
from landloom.annotate.tasks.values import TaskKind
from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User
    from landloom.annotate.tasks.values import Campaign, NewTask

_ROWS: Final = 5_000
"""Tasks that go to the database in one batch."""
_OPEN: Final = frozenset({TaskKind.REGULAR, TaskKind.BLIND, TaskKind.PLANTED})
"""Kinds that annotators get from the start."""


def create_campaign(ledger: Ledger, campaign: Campaign, tasks: Sequence[NewTask], *, scenes: Mapping[str, int]) -> None:
    """Put a new campaign into the ledger, in one transaction.

    Args:
        ledger: an open one.
        campaign: its name is new.
        tasks: in any order.
        scenes: chip → number of its scenes.

    Raises:
        ConflictError: there is a campaign of this name.
        InvalidValueError: a chip without a number of scenes.
    """
    names = sorted({task.window.chip for task in tasks})
    missing = [name for name in names if name not in scenes]
    if missing:
        raise InvalidValueError(f"got no number of scenes for the chips {missing[:5]}, expected one for each chip")

    def work(connection: Connection) -> None:
        number = _add_campaign(connection, campaign)
        chips = _add_chips(connection, number, {name: scenes[name] for name in names})
        shuffles = np.random.default_rng([campaign.settings.seed, 0x5F1E]).integers(0, SHUFFLES, len(tasks)).tolist()
        rows = [_task(number, chips, task, shuffle) for task, shuffle in zip(tasks, shuffles, strict=True)]
        for start in range(0, len(rows), _ROWS):
            connection.execute(insert(TaskModel), rows[start : start + _ROWS])
        detail = {"tasks": len(rows), "chips": len(chips)}
        record(connection, actor="", action="create campaign", subject="", campaign=campaign.name, detail=detail)

    ledger.transact(work)


def _add_campaign(connection: Connection, campaign: Campaign) -> int:
    if connection.execute(select(CampaignModel.id).where(CampaignModel.name == campaign.name)).first():
        raise ConflictError(f"there is a campaign {campaign.name!r} already")
    classes = compact([one.document() for one in campaign.classes])
    same = (
        TaxonomyVersion.name == campaign.taxonomy,
        TaxonomyVersion.version == campaign.taxonomy_version,
        TaxonomyVersion.classes == classes,
    )
    taxonomy = connection.execute(select(TaxonomyVersion.id).where(*same)).scalar_one_or_none()
    if taxonomy is None:
        row = {"name": campaign.taxonomy, "version": campaign.taxonomy_version, "classes": classes}
        taxonomy = connection.execute(insert(TaxonomyVersion).values(row).returning(TaxonomyVersion.id)).scalar_one()
    return connection.execute(
        insert(CampaignModel)
        .values(
            name=campaign.name,
            corpus=campaign.corpus,
            taxonomy_version_id=taxonomy,
            settings=compact(campaign.settings.document()),
            created=now(connection),
            sequence=0,
            digest=START,
            gain_model="",
            ordered=0,
        )
        .returning(CampaignModel.id)
    ).scalar_one()


def _add_chips(connection: Connection, campaign: int, scenes: Mapping[str, int]) -> dict[str, int]:
    rows = [{"campaign_id": campaign, "name": name, "scenes": count, "factor": 1.0} for name, count in scenes.items()]
    if rows:
        connection.execute(insert(Chip), rows)
    found = connection.execute(select(Chip.name, Chip.id).where(Chip.campaign_id == campaign))
    return {row.name: row.id for row in found}


def _task(campaign: int, chips: Mapping[str, int], task: NewTask, shuffle: int) -> dict[str, object]:
    return {
        "public_id": secrets.token_urlsafe(16),
        "campaign_id": campaign,
        "chip_id": chips[task.window.chip],
        "kind": task.kind.value,
        "row_offset": task.window.row,
        "column_offset": task.window.column,
        "height": task.window.height,
        "width": task.window.width,
        "location": location_of(task.window),
        "copies": task.copies,
        "taken": 0,
        "counted": 0,
        "available": task.kind in _OPEN,
        "priority": float(task.priority),
        "error": task.error,
        "doubt": task.doubt,
        "wrong": 0.0,
        "shuffle": shuffle,
        "guess": task.guess,
        "original": task.original,
        "guess_version": 1,
        "disputed": 0.0,
    }


def campaign(ledger: Ledger, name: str) -> Campaign:
    """Read a campaign.

    Raises:
        NotFoundError: there is none of this name.
    """
    with ledger.read() as connection:
        return campaign_record(connection, name).campaign


def campaigns(ledger: Ledger) -> tuple[str, ...]:
    """Names of the campaigns, in the order of their creation."""
    with ledger.read() as connection:
        return tuple(connection.execute(select(CampaignModel.name).order_by(CampaignModel.id)).scalars())


def redraw_references(ledger: Ledger, name: str, count: int, *, seed: int, by: User | None) -> tuple[int, int]:
    """Draw the pool of reference tasks again: unanswered ones are released, new ones drawn among tasks never issued.

    The draw is stratified by the largest class of the guess. Tasks on loan to an expert stay references.

    Returns:
        Numbers of new and of released reference tasks.

    Raises:
        NotAllowedError: `by` is no manager of the campaign; None is the command line.
        InvalidInputError: fewer tasks are left than wanted.
    """

    def work(connection: Connection) -> tuple[int, int]:
        found = campaign_record(connection, name)
        require_manager(connection, by, found.id)
        rows = _lock_all(connection, found.id)
        kinds = [TaskKind(row.kind) for row in rows]
        answered = {n for n, row in enumerate(rows) if row.answered or (row.issued and row.kind == TaskKind.REFERENCE)}
        issued = {n for n, row in enumerate(rows) if row.issued}
        strata = [_stratum(row.guess) for row in rows]
        drawn = redrawn(strata, kinds, answered=answered, issued=issued, count=count, seed=seed)
        promoted, released = ([rows[n].id for n in numbers] for numbers in (drawn.promote, drawn.release))
        _change_kinds(connection, promoted, TaskKind.REFERENCE)
        _change_kinds(connection, released, TaskKind.REGULAR)
        detail = {"new": len(promoted), "released": len(released), "seed": seed}
        actor = by.pseudonym if by else ""
        record(connection, actor=actor, action="redraw references", subject="", campaign=name, detail=detail)
        return len(promoted), len(released)

    return ledger.transact(work)


def _lock_all(connection: Connection, campaign: int) -> Sequence[Any]:
    wanted = select(TaskModel.id).where(TaskModel.campaign_id == campaign).order_by(TaskModel.id)
    connection.execute(wanted.with_for_update(key_share=True)).all()
    same_place = exists().where(
        Assignment.campaign_id == TaskModel.campaign_id, Assignment.location == TaskModel.location
    )
    return connection.execute(
        select(
            TaskModel.id,
            TaskModel.kind,
            TaskModel.guess,
            exists().where(Reference.task_id == TaskModel.id).correlate(TaskModel).label("answered"),
            same_place.correlate(TaskModel).label("issued"),
        )
        .where(TaskModel.campaign_id == campaign)
        .order_by(TaskModel.id)
    ).all()


def _stratum(guess: bytes | None) -> int:
    return int(np.bincount(np.frombuffer(guess, np.uint8)).argmax()) if guess else 0


def _change_kinds(connection: Connection, tasks: Sequence[int], kind: TaskKind) -> None:
    for start in range(0, len(tasks), 500):
        chunk = tasks[start : start + 500]
        connection.execute(update(TaskModel).where(TaskModel.id.in_(chunk)).values(kind=kind.value))
    recount(connection, tasks)
