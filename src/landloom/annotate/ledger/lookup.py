"""Rows by name or id, inside a transaction; what a user may not see is not there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from landloom.annotate.ledger.schema.models import Annotator as AnnotatorModel
from landloom.annotate.ledger.schema.models import Assignment as AssignmentModel
from landloom.annotate.ledger.schema.models import Campaign as CampaignModel
from landloom.annotate.ledger.schema.models import Chip, TaxonomyVersion
from landloom.annotate.ledger.schema.models import Task as TaskModel
from landloom.annotate.tasks.trust import Trust
from landloom.annotate.tasks.values import Campaign, CampaignSettings, ClassChoice, TaskKind, TaskWindow
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.values import User


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRecord:
    """A campaign with its number in this ledger."""

    id: int
    campaign: Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A user's standing in a campaign, locked for the rest of the transaction."""

    user_id: int
    campaign_id: int
    trust: Trust
    qualified: bool | None
    since: int
    chip_id: int | None
    draws: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """An assignment with its task, as the ledger sees them."""

    id: int
    public_id: str
    campaign_id: int
    purpose: str
    state: str
    place: int | None
    expires: float
    task_id: int
    task: str
    kind: TaskKind
    window: TaskWindow
    location: str
    copies: int
    guess: bytes | None
    original: bytes | None
    guess_version: int
    error: float | None
    scenes: int


def campaign_record(connection: Connection, name: str) -> CampaignRecord:
    """Find a campaign by name.

    Raises:
        NotFoundError: there is none.
    """
    return _campaign(connection, CampaignModel.name == name, name)


def campaign_of(connection: Connection, number: int) -> CampaignRecord:
    """Read a campaign by its number."""
    return _campaign(connection, CampaignModel.id == number, str(number))


def _campaign(connection: Connection, condition: Any, told: str) -> CampaignRecord:
    row = connection.execute(
        select(
            CampaignModel.id,
            CampaignModel.name,
            CampaignModel.corpus,
            CampaignModel.settings,
            TaxonomyVersion.name.label("taxonomy"),
            TaxonomyVersion.version,
            TaxonomyVersion.classes,
        )
        .join(TaxonomyVersion)
        .where(condition)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"no campaign {told!r}")
    value = Campaign(
        name=row.name,
        corpus=row.corpus,
        taxonomy=row.taxonomy,
        taxonomy_version=row.version,
        classes=tuple(ClassChoice(**one) for one in json.loads(row.classes)),
        settings=CampaignSettings.parse(json.loads(row.settings)),
    )
    return CampaignRecord(id=row.id, campaign=value)


def campaign_id(connection: Connection, name: str | None) -> int | None:
    """Number of a campaign; None for all of them.

    Raises:
        NotFoundError: there is none of this name.
    """
    if name is None:
        return None
    found = connection.execute(select(CampaignModel.id).where(CampaignModel.name == name)).scalar_one_or_none()
    if found is None:
        raise NotFoundError(f"no campaign {name!r}")
    return found


def standing(connection: Connection, campaign: int, user: int) -> Standing:
    """Lock a user's standing, made if necessary: what one user does in a campaign happens one after the other."""
    wanted = select(AnnotatorModel.__table__).where(
        AnnotatorModel.user_id == user, AnnotatorModel.campaign_id == campaign
    )
    row = connection.execute(wanted.with_for_update(key_share=True)).one_or_none()
    if row is None:
        _add_standing(connection, campaign, user)
        row = connection.execute(wanted.with_for_update(key_share=True)).one()
    return Standing(
        user_id=user,
        campaign_id=campaign,
        trust=Trust(row.trust),
        qualified=row.qualified,
        since=row.since,
        chip_id=row.chip_id,
        draws=row.draws,
    )


def _add_standing(connection: Connection, campaign: int, user: int) -> None:
    row = {"user_id": user, "campaign_id": campaign, "trust": Trust.PENDING.value, "since": 0, "draws": 0}
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as unless_there  # noqa: PLC0415 - one dialect's form

        connection.execute(unless_there(AnnotatorModel).values(row).on_conflict_do_nothing())
        return
    connection.execute(insert(AnnotatorModel).values(row))


_LOAN = (
    select(
        AssignmentModel.id,
        AssignmentModel.public_id,
        AssignmentModel.campaign_id,
        AssignmentModel.purpose,
        AssignmentModel.state,
        AssignmentModel.place,
        AssignmentModel.expires,
        AssignmentModel.task_id,
        AssignmentModel.location,
        TaskModel.public_id.label("task"),
        TaskModel.kind,
        TaskModel.row_offset,
        TaskModel.column_offset,
        TaskModel.height,
        TaskModel.width,
        TaskModel.copies,
        TaskModel.guess,
        TaskModel.original,
        TaskModel.guess_version,
        TaskModel.error,
        Chip.name.label("chip"),
        Chip.scenes,
    )
    .join(TaskModel, TaskModel.id == AssignmentModel.task_id)
    .join(Chip, Chip.id == TaskModel.chip_id)
)


def own_loan(connection: Connection, user: User, identity: str) -> Loan:
    """Find a user's assignment.

    Raises:
        NotFoundError: there is none, or it is somebody else's; both look the same.
    """
    found = loans(connection, AssignmentModel.public_id == identity, AssignmentModel.user_id == user.id)
    if not found:
        raise NotFoundError("no such assignment")
    return found[0]


def loans(connection: Connection, *conditions: Any) -> list[Loan]:
    """Assignments that meet the conditions, in the order of issue."""
    rows = connection.execute(_LOAN.where(*conditions).order_by(AssignmentModel.issued, AssignmentModel.id))
    return [_loan(row) for row in rows]


def _loan(row: Any) -> Loan:
    return Loan(
        id=row.id,
        public_id=row.public_id,
        campaign_id=row.campaign_id,
        purpose=row.purpose,
        state=row.state,
        place=row.place,
        expires=row.expires,
        task_id=row.task_id,
        task=row.task,
        kind=TaskKind(row.kind),
        window=window_of(row),
        location=row.location,
        copies=row.copies,
        guess=row.guess,
        original=row.original,
        guess_version=row.guess_version,
        error=row.error,
        scenes=row.scenes,
    )


def window_of(row: Any) -> TaskWindow:
    """The window of a row with `chip`, `row_offset`, `column_offset`, `height` and `width`."""
    return TaskWindow(chip=row.chip, row=row.row_offset, column=row.column_offset, height=row.height, width=row.width)


def location_of(window: TaskWindow) -> str:
    """The place of a window as one text.

    Example:
        >>> location_of(TaskWindow(chip="37TDK_02", row=32, column=0, height=32, width=30))
        '37TDK_02/32/0/32x30'
    """
    return f"{window.chip}/{window.row}/{window.column}/{window.height}x{window.width}"
