"""Logins and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import Session, User


def login(
    ledger: Ledger, name: str, password: str, *, address: str = "", old_token: str | None = None
) -> tuple[str, Session]:
    """Log in: always a new session; the one that the browser brought along ends.

    Args:
        ledger: an open one.
        name: of the account.
        password: of the account.
        address: of the client; failed attempts are counted for it, too.
        old_token: the session of the browser, if any.

    Returns:
        The token, which only the client keeps, and the session.

    Raises:
        LoginError: unknown name, wrong password or closed account; the same message after the same time.
        TooManyAttemptsError: too many failures.
    """
    raise NotImplementedError


def session(ledger: Ledger, token: str) -> Session | None:
    """The session of a token; None if there is none or it ended."""
    raise NotImplementedError


def logout(ledger: Ledger, token: str) -> None:
    """End a session."""
    raise NotImplementedError


def change_password(ledger: Ledger, user: User, old: str, new: str, *, token: str | None = None) -> None:
    """Change the own password: every other session and every API token ends.

    Args:
        ledger: an open one.
        user: whose password.
        old: the present password; failures count as failed logins.
        new: at least 10 characters.
        token: of the session that goes on.

    Raises:
        LoginError: the old password is wrong.
        TooManyAttemptsError: too many failures.
        InvalidValueError: the new password is not allowed.
    """
    raise NotImplementedError


def set_password(ledger: Ledger, user: User, new: str) -> None:
    """Set a password from the command line; every session and API token of the user ends."""
    raise NotImplementedError
