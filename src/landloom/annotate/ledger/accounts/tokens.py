"""Tokens for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User


def create_token(ledger: Ledger, user: User, label: str, *, days: float = 90) -> str:
    """Make a token that acts as the user.

    Returns:
        The token, which is kept nowhere.
    """
    raise NotImplementedError


def token_user(ledger: Ledger, token: str) -> User | None:
    """The user of a token; None if unknown or expired."""
    raise NotImplementedError


def revoke_tokens(ledger: Ledger, user: User, label: str | None = None) -> int:
    """End a user's tokens, or those with a label.

    Returns:
        How many there were.
    """
    raise NotImplementedError
