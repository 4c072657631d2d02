"""Small campaigns for tests of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from landloom.annotate.ledger.accounts.users import create_user, grant
from landloom.annotate.ledger.campaigns import create_campaign
from landloom.annotate.ledger.submissions import submit
from landloom.annotate.ledger.values import Role, Submission
from landloom.annotate.tasks.values import Campaign, CampaignSettings, ClassChoice, NewTask, TaskKind, TaskWindow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import Assignment, Receipt, User

SIDE = 4
"""Side of a task: chips are 8 × 8 pixels, four tasks each."""
PIXELS = SIDE * SIDE
SCENES = 2
GUESS = bytes([1] * 8 + [2] * 8)
TRUTH = bytes([1] * 8 + [2] * 4 + [3] * 4)
WRONG = bytes([3] * PIXELS)
PLANTED = bytes([3] * 4 + [1] * 4 + [2] * 8)
NAME = "africa"


def windows(chips: int) -> list[TaskWindow]:
    return [
        TaskWindow(chip=f"chip_{chip:02}", row=row, column=column, height=SIDE, width=SIDE)
        for chip in range(chips)
        for row in (0, SIDE)
        for column in (0, SIDE)
    ]


def campaign_of(name: str = NAME, **settings: Any) -> Campaign:
    known: dict[str, Any] = {"task_size": SIDE, "context": 8, "annotators": 2, "trust_after": 1, "trust_window": 5}
    return Campaign(
        name=name,
        corpus="corpus",
        taxonomy="lcn",
        taxonomy_version="1",
        classes=tuple(
            ClassChoice(code=code, key=str(code), name=f"Class {code}", colour="#112233") for code in (1, 2, 3)
        ),
        settings=CampaignSettings(**known | settings),
    )


def tasks_of(chips: int, kinds: Mapping[int, TaskKind], copies: int) -> list[NewTask]:
    """Four tasks a chip; kinds by position."""
    made = []
    for number, window in enumerate(windows(chips)):
        kind = kinds.get(number, TaskKind.REGULAR)
        made.append(
            NewTask(
                window=window,
                kind=kind,
                guess={TaskKind.BLIND: None, TaskKind.PLANTED: PLANTED}.get(kind, GUESS),
                original=GUESS if kind in {TaskKind.BLIND, TaskKind.PLANTED} else None,
                copies=copies,
                priority=1.0,
                error=0.25,
            )
        )
    return made


def fill(
    ledger: Ledger, chips: int = 2, kinds: Mapping[int, TaskKind] | None = None, *, name: str = NAME, **settings: Any
) -> Campaign:
    """Create a campaign in a ledger."""
    campaign = campaign_of(name, **settings)
    tasks = tasks_of(chips, kinds or {}, campaign.settings.annotators)
    create_campaign(ledger, campaign, tasks, scenes={task.window.chip: SCENES for task in tasks})
    return campaign


def person(ledger: Ledger, name: str, *roles: Role, campaign: str = NAME) -> User:
    """A user without a password, with roles in the campaign."""
    user = create_user(ledger, name, None)
    for role in roles or (Role.ANNOTATOR,):
        grant(ledger, user, role, campaign, by=None)
    return user


def work(labels: bytes = TRUTH, **changes: Any) -> Submission:
    known: dict[str, Any] = {"id": str(uuid4()), "seconds": 2.5, "dates_viewed": tuple(range(SCENES)), "client": "test"}
    return Submission(labels=labels, **known | changes)


def hand_in(ledger: Ledger, user: User, loan: Assignment, labels: bytes = TRUTH, *, campaign: str = NAME) -> Receipt:
    return submit(ledger, campaign, user, loan.id, work(labels))
