"""Logins and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, insert, select, update

from landloom.annotate.ledger import values
from landloom.annotate.ledger.accounts import attempts
from landloom.annotate.ledger.accounts.audit import record
from landloom.annotate.ledger.accounts.passwords import hash_password, matches
from landloom.annotate.ledger.accounts.tokens import digest_of, new_secret
from landloom.annotate.ledger.accounts.users import name_key, roles_of
from landloom.annotate.ledger.database import clock, moment, now
from landloom.annotate.ledger.errors import LoginError
from landloom.annotate.ledger.lookup import campaign_id
from landloom.annotate.ledger.schema.models import Session as SessionModel
from landloom.annotate.ledger.schema.models import User

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger

LIFETIME: Final = 14 * 86_400
"""Seconds after which a session ends."""
IDLE: Final = 2 * 86_400
"""Seconds without a request after which a session ends."""
_SEEN_EVERY: Final = 300
"""Seconds between two notes that a session was used."""
_REFUSED: Final = "unknown name or wrong password"
_SESSION: Final = (
    select(
        SessionModel.id,
        SessionModel.seen,
        SessionModel.expires,
        User.id.label("user"),
        User.name,
        User.pseudonym,
        clock().label("at"),
    )
    .join(User, User.id == SessionModel.user_id)
    .where(
        SessionModel.token_digest == bindparam("digest"),
        SessionModel.expires > clock(),
        SessionModel.seen > clock() - IDLE,
        User.disabled.is_(False),
    )
)
"""Built once: every request asks for it."""


def login(
    ledger: Ledger, name: str, password: str, *, address: str = "", old_token: str | None = None
) -> tuple[str, values.Session]:
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
    key = name_key(name)
    found = _authenticate(ledger, key, password, address)
    token = new_secret()

    def work(connection: Connection) -> values.Session:
        attempts.succeed(connection, key, address)
        if old_token:
            connection.execute(delete(SessionModel).where(SessionModel.token_digest == digest_of(old_token)))
        at = now(connection)
        connection.execute(delete(SessionModel).where(SessionModel.expires <= at))
        row = {"user_id": found.id, "token_digest": digest_of(token), "created": at, "seen": at}
        connection.execute(insert(SessionModel).values(**row, expires=at + LIFETIME))
        record(connection, actor=found.pseudonym, action="login", subject=found.pseudonym, campaign="", detail={})
        return values.Session(user=found, csrf=_csrf(token), expires_at=moment(at + LIFETIME))

    return token, ledger.transact(work)


def _authenticate(ledger: Ledger, key: str, password: str, address: str) -> values.User:
    """The user of a name and password. Every failure takes the same steps."""
    attempts.begin(ledger, key, address)
    with ledger.read() as connection:
        row = connection.execute(
            select(User.id, User.name, User.pseudonym, User.password, User.disabled).where(User.name_key == key)
        ).one_or_none()
    right = matches(row.password if row else None, password)
    if row is None or row.disabled or not right:
        raise LoginError(_REFUSED)
    return values.User(id=row.id, name=row.name, pseudonym=row.pseudonym)


def session(ledger: Ledger, token: str) -> values.Session | None:
    """The session of a token; None if there is none or it ended."""
    with ledger.read() as connection:
        found, late = _session(connection, token)
    _note(ledger, late)
    return found


def session_in(ledger: Ledger, token: str, campaign: str) -> tuple[values.Session, frozenset[values.Role]] | None:
    """The session of a token, and the roles of its user in a campaign, from one state of the ledger.

    Raises:
        NotFoundError: no such campaign.
    """
    with ledger.read() as connection:
        found, late = _session(connection, token)
        roles = roles_of(connection, found.user.id, campaign_id(connection, campaign)) if found else frozenset()
    _note(ledger, late)
    return None if found is None else (found, roles)


def _session(connection: Connection, token: str) -> tuple[values.Session | None, tuple[int, float] | None]:
    """A session; and its number and the time, if it is to be noted that it was used."""
    row = connection.execute(_SESSION, {"digest": digest_of(token)}).one_or_none()
    if row is None:
        return None, None
    own = values.User(id=row.user, name=row.name, pseudonym=row.pseudonym)
    found = values.Session(user=own, csrf=_csrf(token), expires_at=moment(row.expires))
    return found, (row.id, row.at) if row.at - row.seen > _SEEN_EVERY else None


def _note(ledger: Ledger, late: tuple[int, float] | None) -> None:
    if late is not None:
        number, at = late
        used = update(SessionModel).where(SessionModel.id == number).values(seen=at)
        ledger.transact(lambda connection: connection.execute(used))


def logout(ledger: Ledger, token: str) -> None:
    """End a session."""
    gone = delete(SessionModel).where(SessionModel.token_digest == digest_of(token))
    ledger.transact(lambda connection: connection.execute(gone))


def change_password(
    ledger: Ledger, user: values.User, old: str, new: str, *, address: str = "", token: str | None = None
) -> None:
    """Change the own password: every other session ends.

    Args:
        ledger: an open one.
        user: whose password.
        old: the present password; failures count as failed logins.
        new: at least 10 characters.
        address: of the client; failed attempts are counted for it, too.
        token: of the session that goes on.

    Raises:
        LoginError: the old password is wrong.
        TooManyAttemptsError: too many failures.
        InvalidValueError: the new password is not allowed.
    """
    key = name_key(user.name)
    _authenticate(ledger, key, old, address)
    hashed = hash_password(new)

    def work(connection: Connection) -> None:
        attempts.succeed(connection, key, address)
        _store(connection, user, hashed, actor=user.pseudonym, kept=token)

    ledger.transact(work)


def set_password(ledger: Ledger, user: values.User, new: str) -> None:
    """Set a password from the command line; every session of the user ends.

    Raises:
        InvalidValueError: the password is not allowed.
    """
    hashed = hash_password(new)
    ledger.transact(lambda connection: _store(connection, user, hashed, actor="", kept=None))


def _store(connection: Connection, user: values.User, hashed: str, *, actor: str, kept: str | None) -> None:
    connection.execute(update(User).where(User.id == user.id).values(password=hashed))
    ended = delete(SessionModel).where(SessionModel.user_id == user.id)
    if kept is not None:
        ended = ended.where(SessionModel.token_digest != digest_of(kept))
    connection.execute(ended)
    record(connection, actor=actor, action="change password", subject=user.pseudonym, campaign="", detail={})


def _csrf(token: str) -> str:
    """The value that changing requests carry; it follows from the token, which it does not tell."""
    return digest_of(f"csrf\0{token}")
