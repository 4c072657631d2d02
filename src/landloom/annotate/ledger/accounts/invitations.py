"""One-time invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from landloom.annotate.ledger.accounts.audit import record
from landloom.annotate.ledger.accounts.passwords import hash_password
from landloom.annotate.ledger.accounts.tokens import digest_of, new_secret
from landloom.annotate.ledger.accounts.users import add_grant, add_user, check_name, name_key, require_giver
from landloom.annotate.ledger.database import now
from landloom.annotate.ledger.errors import ConflictError
from landloom.annotate.ledger.lookup import campaign_id
from landloom.annotate.ledger.schema.models import Invitation, User
from landloom.annotate.ledger.values import Role
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger import values
    from landloom.annotate.ledger.database import Ledger

_DAY = 86_400


def invite(
    ledger: Ledger, name: str, role: Role, campaign: str | None, *, by: values.User | None, days: float = 7
) -> str:
    """Invite somebody: with the token, an account of this name and role can be made once.

    Returns:
        The token, which is kept nowhere.

    Raises:
        NotAllowedError: `by` may not give this role.
        ConflictError: the name is taken.
        InvalidValueError: the name is not allowed.
    """
    check_name(name)
    token = new_secret()

    def work(connection: Connection) -> None:
        number = campaign_id(connection, campaign)
        require_giver(connection, by, role, number, None)
        if connection.execute(select(User.id).where(User.name_key == name_key(name))).first():
            raise ConflictError(f"the name {name!r} is taken")
        at = now(connection)
        connection.execute(
            insert(Invitation).values(
                token_digest=digest_of(token),
                name=name,
                role=role.value,
                campaign_id=number,
                invited_by=by.id if by else None,
                created=at,
                expires=at + days * _DAY,
            )
        )
        detail = {"role": role.value}
        actor = by.pseudonym if by else ""
        record(connection, actor=actor, action="invite", subject="", campaign=campaign or "", detail=detail)

    ledger.transact(work)
    return token


def accept(ledger: Ledger, token: str, password: str) -> values.User:
    """Accept an invitation: makes the account.

    Raises:
        NotFoundError: unknown, used or expired token.
        ConflictError: the name was taken meanwhile.
        InvalidValueError: the password is not allowed.
    """
    with ledger.read() as connection:  # nobody makes this server hash passwords without an invitation
        _open(connection, token, lock=False)
    hashed = hash_password(password)

    def work(connection: Connection) -> values.User:
        number, name, role, campaign = _open(connection, token, lock=True)
        connection.execute(update(Invitation).where(Invitation.id == number).values(accepted=now(connection)))
        user = add_user(connection, name, hashed, actor="")
        add_grant(connection, user.id, role, campaign)
        return user

    return ledger.transact(work)


def _open(connection: Connection, token: str, *, lock: bool) -> tuple[int, str, Role, int | None]:
    wanted = select(Invitation.id, Invitation.name, Invitation.role, Invitation.campaign_id).where(
        Invitation.token_digest == digest_of(token),
        Invitation.accepted.is_(None),
        Invitation.expires > now(connection),
    )
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise NotFoundError("no such invitation: it is unknown, used or expired")
    return row.id, row.name, Role(row.role), row.campaign_id
