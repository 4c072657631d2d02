"""One-time invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import Role, User


def invite(ledger: Ledger, name: str, role: Role, campaign: str | None, *, by: User | None, days: float = 7) -> str:
    """Invite somebody: with the token, an account of this name and role can be made once.

    Returns:
        The token, which is kept nowhere.

    Raises:
        NotAllowedError: `by` may not give this role.
        ConflictError: the name is taken.
        InvalidValueError: the name is not allowed.
    """
    raise NotImplementedError


def accept(ledger: Ledger, token: str, password: str) -> User:
    """Accept an invitation: makes the account.

    Raises:
        NotFoundError: unknown, used or expired token.
        ConflictError: the name was taken meanwhile.
        InvalidValueError: the password is not allowed.
    """
    raise NotImplementedError
