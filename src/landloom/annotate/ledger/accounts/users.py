"""Accounts and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import Role, User


def create_user(ledger: Ledger, name: str, password: str | None, *, by: User | None = None) -> User:
    """Create an account.

    Args:
        ledger: an open one.
        name: 1 to 64 characters; names that differ by case alone are the same.
        password: at least 10 characters; None for an account that cannot log in.
        by: who does it; None for the command line.

    Raises:
        InvalidValueError: no such name or password is allowed.
        ConflictError: the name is taken.
        NotAllowedError: `by` is no admin.
    """
    raise NotImplementedError


def user(ledger: Ledger, name: str) -> User:
    """Find a user by name.

    Raises:
        NotFoundError: there is none.
    """
    raise NotImplementedError


def users(ledger: Ledger) -> tuple[tuple[User, tuple[tuple[Role, str | None], ...]], ...]:
    """Every user with roles: (role, name of the campaign, or None for all of them)."""
    raise NotImplementedError


def roles(ledger: Ledger, user: User, campaign: str) -> frozenset[Role]:
    """Roles of a user in a campaign; none if the account is disabled."""
    raise NotImplementedError


def grant(ledger: Ledger, user: User, role: Role, campaign: str | None, *, by: User | None) -> None:
    """Give a user a role in a campaign, or in all of them.

    Args:
        ledger: an open one.
        user: who gets it.
        role: what may be done.
        campaign: its name; None for all, which only admins of all campaigns can give.
        by: who does it; None for the command line.

    Raises:
        NotAllowedError: `by` may not: managers give annotator, reviewer and expert to others, admins give all roles.
    """
    raise NotImplementedError


def revoke(ledger: Ledger, user: User, role: Role, campaign: str | None, *, by: User | None) -> None:
    """Take a role away; the rules are those of `grant`."""
    raise NotImplementedError


def disable(ledger: Ledger, user: User, *, by: User | None) -> None:
    """Close an account: sessions and tokens end, no login any more; the work stays.

    Raises:
        NotAllowedError: `by` is no admin of all campaigns.
    """
    raise NotImplementedError
