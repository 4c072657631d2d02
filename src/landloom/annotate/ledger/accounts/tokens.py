"""Tokens for programs, and how secrets that clients keep are stored."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from landloom.annotate.ledger import values
from landloom.annotate.ledger.accounts.audit import record
from landloom.annotate.ledger.database import now
from landloom.annotate.ledger.schema.models import ApiToken, User
from landloom.annotate.ledger.values import check_text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger

_LONGEST_LABEL = 100
_DAY = 86_400


def new_secret() -> str:
    """256 random bits, as text for addresses and headers."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is stored of a secret. It is random, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create_token(ledger: Ledger, user: values.User, label: str, *, days: float = 90) -> str:
    """Make a token that acts as the user.

    Returns:
        The token, which is kept nowhere.
    """
    check_text(label, "label", _LONGEST_LABEL)
    token = new_secret()

    def work(connection: Connection) -> None:
        at = now(connection)
        connection.execute(
            insert(ApiToken).values(
                user_id=user.id, token_digest=digest_of(token), label=label, created=at, expires=at + days * _DAY
            )
        )
        _told(connection, "create token", user, label)

    ledger.transact(work)
    return token


def token_user(ledger: Ledger, token: str) -> values.User | None:
    """The user of a token; None if it is unknown or expired, or the account is closed."""
    with ledger.read() as connection:
        row = connection.execute(
            select(User.id, User.name, User.pseudonym)
            .join(ApiToken, ApiToken.user_id == User.id)
            .where(
                ApiToken.token_digest == digest_of(token), ApiToken.expires > now(connection), User.disabled.is_(False)
            )
        ).one_or_none()
    return values.User(id=row.id, name=row.name, pseudonym=row.pseudonym) if row else None


def revoke_tokens(ledger: Ledger, user: values.User, label: str | None = None) -> int:
    """End a user's tokens, or those with a label.

    Returns:
        How many there were.
    """

    def work(connection: Connection) -> int:
        wanted = delete(ApiToken).where(ApiToken.user_id == user.id)
        ended = connection.execute(wanted if label is None else wanted.where(ApiToken.label == label)).rowcount
        _told(connection, "revoke tokens", user, label)
        return ended

    return ledger.transact(work)


def _told(connection: Connection, action: str, user: values.User, label: str | None) -> None:
    detail = {} if label is None else {"label": label}
    record(connection, actor=user.pseudonym, action=action, subject=user.pseudonym, campaign="", detail=detail)
