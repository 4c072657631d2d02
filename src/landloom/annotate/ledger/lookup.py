"""Rows by name or id, inside a transaction; what a user may not see is not there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, insert, select

from landloom.annotate.ledger.database import clock
from landloom.annotate.ledger.schema.models import Annotator as AnnotatorModel
from landloom.annotate.ledger.schema.models import Assignment as AssignmentModel
from landloom.annotate.ledger.schema.models import Campaign as CampaignModel
from landloom.annotate.ledger.schema.models import Chip, TaxonomyVersion
from landloom.annotate.ledger.schema.models import Draft as DraftModel
from landloom.annotate.ledger.schema.models import Task as TaskModel
from landloom.annotate.ledger.values import Draft
from landloom.annotate.tasks.trust import Trust
from landloom.annotate.tasks.values import Campaign, CampaignSettings, ClassChoice, TaskKind, TaskWindow
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.values import User


_UNKNOWN: Final = "no such assignment"


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
    at: float
    """The database's time when it was read."""


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
    scenes: int
    draft: Draft | None


_CAMPAIGN: Final = select(
    CampaignModel.id,
    CampaignModel.name,
    CampaignModel.corpus,
    CampaignModel.settings,
    TaxonomyVersion.name.label("taxonomy"),
    TaxonomyVersion.version,
    TaxonomyVersion.classes,
).join(TaxonomyVersion)
_BY_NAME: Final = _CAMPAIGN.where(CampaignModel.name == bindparam("key"))
_NUMBER: Final = select(CampaignModel.id).where(CampaignModel.name == bindparam("key"))


def campaign_record(connection: Connection, name: str) -> CampaignRecord:
    """Find a campaign by name.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(_BY_NAME, {"key": name}).one_or_none()
    if row is None:
        raise NotFoundError(f"no campaign {name!r}")
    return _record(*row)


@lru_cache(maxsize=32)
def _record(
    number: int, name: str, corpus: str, settings: str, taxonomy: str, version: str, classes: str
) -> CampaignRecord:
    """The value of a row, kept since parsing takes longer than reading."""
    value = Campaign(
        name=name,
        corpus=corpus,
        taxonomy=taxonomy,
        taxonomy_version=version,
        classes=tuple(ClassChoice(**one) for one in json.loads(classes)),
        settings=CampaignSettings.parse(json.loads(settings)),
    )
    return CampaignRecord(id=number, campaign=value)


def campaign_id(connection: Connection, name: str | None) -> int | None:
    """Number of a campaign; None for all of them.

    Raises:
        NotFoundError: there is none of this name.
    """
    if name is None:
        return None
    found: int | None = connection.execute(_NUMBER, {"key": name}).scalar_one_or_none()
    if found is None:
        raise NotFoundError(f"no campaign {name!r}")
    return found


_MINE: Final = (
    AssignmentModel.public_id == bindparam("identity"),
    AssignmentModel.user_id == bindparam("user"),
    AssignmentModel.campaign_id == bindparam("campaign"),
)
"""One assignment of a user in a campaign: a server of one campaign knows nothing of those of another."""
_STANDING: Final = (
    select(*AnnotatorModel.__table__.columns, clock().label("at"))
    .where(AnnotatorModel.user_id == bindparam("user"), AnnotatorModel.campaign_id == bindparam("campaign"))
    .with_for_update(key_share=True)
)
_LOCKED: Final = (
    select(*AnnotatorModel.__table__.columns, clock().label("at"))
    .join(
        AssignmentModel,
        and_(
            AssignmentModel.user_id == AnnotatorModel.user_id,
            AssignmentModel.campaign_id == AnnotatorModel.campaign_id,
        ),
    )
    .join(TaskModel, TaskModel.id == AssignmentModel.task_id)
    .where(*_MINE)
    .with_for_update(of=[AnnotatorModel, TaskModel], key_share=True)
)


def standing(connection: Connection, campaign: int, user: int) -> Standing:
    """Lock a user's standing, made if necessary: what one user does in a campaign happens one after the other."""
    wanted = {"user": user, "campaign": campaign}
    row = connection.execute(_STANDING, wanted).one_or_none()
    if row is None:
        _add_standing(connection, campaign, user)
        row = connection.execute(_STANDING, wanted).one()
    return _standing(row)


def locked(connection: Connection, campaign: int, user: int, identity: str) -> Standing:
    """Lock a user's standing and the task of an assignment.

    Raises:
        NotFoundError: there is no such assignment in the campaign, or it is somebody else's.
    """
    wanted = {"campaign": campaign, "user": user, "identity": identity}
    row = connection.execute(_LOCKED, wanted).one_or_none()
    if row is None:
        raise NotFoundError(_UNKNOWN)
    return _standing(row)


def _standing(row: Any) -> Standing:
    return Standing(
        user_id=row.user_id,
        campaign_id=row.campaign_id,
        trust=Trust(row.trust),
        qualified=row.qualified,
        since=row.since,
        chip_id=row.chip_id,
        at=row.at,
    )


def _add_standing(connection: Connection, campaign: int, user: int) -> None:
    row = {"user_id": user, "campaign_id": campaign, "trust": Trust.PENDING.value, "since": 0}
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as unless_there  # noqa: PLC0415 - one dialect's form

        connection.execute(unless_there(AnnotatorModel).values(row).on_conflict_do_nothing())
        return
    connection.execute(insert(AnnotatorModel).values(row))


_LOAN: Final = (
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
        Chip.name.label("chip"),
        Chip.scenes,
        DraftModel.labels.label("draft"),
        DraftModel.version.label("draft_version"),
    )
    .join(TaskModel, TaskModel.id == AssignmentModel.task_id)
    .join(Chip, Chip.id == TaskModel.chip_id)
    .join(DraftModel, DraftModel.assignment_id == AssignmentModel.id, isouter=True)
    .order_by(AssignmentModel.issued, AssignmentModel.id)
)
_OWN: Final = _LOAN.where(*_MINE)
_NUMBERED: Final = _LOAN.where(AssignmentModel.id.in_(bindparam("numbers", expanding=True)))
_UNFINISHED: Final = _LOAN.where(
    AssignmentModel.user_id == bindparam("user"),
    AssignmentModel.campaign_id == bindparam("campaign"),
    AssignmentModel.state == "leased",
)


def own_loan(connection: Connection, campaign: int, user: User, identity: str) -> Loan:
    """Find a user's assignment in a campaign.

    Raises:
        NotFoundError: there is none, or it is somebody else's; both look the same.
    """
    wanted = {"campaign": campaign, "user": user.id, "identity": identity}
    row = connection.execute(_OWN, wanted).one_or_none()
    if row is None:
        raise NotFoundError(_UNKNOWN)
    return _loan(row)


def loans_of(connection: Connection, numbers: Collection[int]) -> list[Loan]:
    """Assignments by their numbers, in the order of issue."""
    return [_loan(row) for row in connection.execute(_NUMBERED, {"numbers": list(numbers)})]


def unfinished(connection: Connection, own: Standing) -> list[Loan]:
    """A user's assignments that are neither submitted nor skipped, whether or not their leases have ended."""
    wanted = {"user": own.user_id, "campaign": own.campaign_id}
    return [_loan(row) for row in connection.execute(_UNFINISHED, wanted)]


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
        scenes=row.scenes,
        draft=None if row.draft is None else Draft(labels=row.draft, version=row.draft_version),
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
