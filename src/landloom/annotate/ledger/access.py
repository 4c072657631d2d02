"""Own assignments, for those who still have a role in the campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.annotate.ledger.accounts.users import roles_of
from landloom.annotate.ledger.errors import NotAllowedError
from landloom.annotate.ledger.lookup import campaign_record, locked, own_loan
from landloom.annotate.ledger.values import Role

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.lookup import CampaignRecord, Loan, Standing
    from landloom.annotate.ledger.values import User

WORKERS: Final = frozenset({Role.ANNOTATOR, Role.EXPERT})
"""Roles that get tasks."""


def readable_loan(connection: Connection, campaign: int, user: User, identity: str) -> Loan:
    """A user's assignment in a campaign, to be read.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
        NotAllowedError: the user's role was taken away.
    """
    loan = own_loan(connection, campaign, user, identity)
    if not roles_of(connection, user.id, campaign) & WORKERS:
        raise NotAllowedError("only annotators and experts have tasks")
    return loan


def locked_loan(
    connection: Connection, campaign: str, user: User, identity: str
) -> tuple[CampaignRecord, Standing, Loan]:
    """A user's assignment, to be changed: whatever else the user does in the campaign, and others on its task, waits.

    Raises:
        NotFoundError: there is none in the campaign, or it is somebody else's; or there is no such campaign.
        NotAllowedError: the user's role was taken away.
    """
    found = campaign_record(connection, campaign)
    own = locked(connection, found.id, user.id, identity)
    return found, own, readable_loan(connection, found.id, user, identity)
