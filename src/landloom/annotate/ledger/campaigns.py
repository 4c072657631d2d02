"""Campaigns: creating one, reading it, drawing its references again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User
    from landloom.annotate.tasks.values import Campaign, NewTask, TaskWindow


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
    raise NotImplementedError


def campaign(ledger: Ledger, name: str) -> Campaign:
    """Read a campaign.

    Raises:
        NotFoundError: there is none of this name.
    """
    raise NotImplementedError


def campaigns(ledger: Ledger) -> tuple[str, ...]:
    """Names of the campaigns, in the order of their creation."""
    raise NotImplementedError


def redraw_references(ledger: Ledger, name: str, count: int, *, seed: int, by: User | None) -> tuple[int, int]:
    """Draw the pool of reference tasks again: unanswered ones are released, new ones drawn among tasks never issued.

    Returns:
        Numbers of new and of released reference tasks.
    """
    raise NotImplementedError


def set_guesses(
    ledger: Ledger, name: str, guesses: Mapping[TaskWindow, tuple[bytes, float]], *, by: User | None
) -> int:
    """Replace guess and expected error of tasks that nobody was given yet; their guess version is raised.

    Returns:
        Number of tasks changed.
    """
    raise NotImplementedError
