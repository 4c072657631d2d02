"""Trust in annotators, kept up to date; untrusted work makes room for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User


def give_another_chance(ledger: Ledger, campaign: str, user: User, *, by: User) -> None:
    """Make an annotator pending again: only later reference tasks decide, a failed qualification counts as passed.

    Raises:
        NotAllowedError: `by` is no manager of the campaign.
    """
    raise NotImplementedError
