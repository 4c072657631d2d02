"""Accounts and roles."""

from __future__ import annotations

import secrets
import unicodedata
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, insert, or_, select, update

from landloom.annotate.ledger import values
from landloom.annotate.ledger.accounts.audit import record
from landloom.annotate.ledger.accounts.passwords import hash_password
from landloom.annotate.ledger.database import now
from landloom.annotate.ledger.errors import ConflictError, NotAllowedError
from landloom.annotate.ledger.lookup import campaign_id
from landloom.annotate.ledger.schema.models import BIG, Campaign, RoleGrant, Session, User
from landloom.annotate.ledger.values import Role
from landloom.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger

LONGEST_NAME: Final = 64
"""Characters of a name."""
_ROLES: Final = (
    select(RoleGrant.role)
    .join(User, User.id == RoleGrant.user_id)
    .where(
        RoleGrant.user_id == bindparam("user"),
        User.disabled.is_(False),
        or_(RoleGrant.campaign_id.is_(None), RoleGrant.campaign_id == bindparam("campaign", type_=BIG)),
    )
)
"""No campaign equals null: then only roles in all campaigns are found."""
GIVEN_BY_MANAGERS: Final = frozenset({Role.ANNOTATOR, Role.REVIEWER, Role.EXPERT})
"""Roles that managers give to others."""


def create_user(ledger: Ledger, name: str, password: str | None, *, by: values.User | None = None) -> values.User:
    """Create an account.

    Args:
        ledger: an open one.
        name: 1 to 64 characters; names that differ by case alone are the same.
        password: at least 10 characters; None for an account that cannot log in.
        by: who does it; None for the command line.

    Raises:
        InvalidValueError: no such name or password is allowed.
        ConflictError: the name is taken.
        NotAllowedError: `by` is no admin of all campaigns.
    """
    check_name(name)
    hashed = None if password is None else hash_password(password)

    def work(connection: Connection) -> values.User:
        require(connection, by, None, {Role.ADMIN})
        return add_user(connection, name, hashed, actor=by.pseudonym if by else "")

    return ledger.transact(work)


def add_user(connection: Connection, name: str, hashed: str | None, *, actor: str) -> values.User:
    """Add an account in the caller's transaction.

    Raises:
        ConflictError: the name is taken.
    """
    if connection.execute(select(User.id).where(User.name_key == name_key(name))).first():
        raise ConflictError(f"the name {name!r} is taken")
    pseudonym = f"annotator-{secrets.token_hex(6)}"
    number = connection.execute(
        insert(User)
        .values(
            name=name,
            name_key=name_key(name),
            pseudonym=pseudonym,
            password=hashed,
            disabled=False,
            created=now(connection),
        )
        .returning(User.id)
    ).scalar_one()
    record(connection, actor=actor, action="create user", subject=pseudonym, campaign="", detail={})
    return values.User(id=number, name=name, pseudonym=pseudonym)


def check_name(name: str) -> None:
    """Check a new name.

    Raises:
        InvalidValueError: empty, too long, with blanks around it, or with characters that cannot be printed.

    Example:
        >>> check_name("Ada Lovelace")
    """
    if not 1 <= len(name) <= LONGEST_NAME or name != name.strip() or not name.isprintable() or not name_key(name):
        raise InvalidValueError(
            f"got the name {name!r:.80}, expected 1 to {LONGEST_NAME} printable characters without blanks around them"
        )


def name_key(name: str) -> str:
    """A name for comparison.

    Example:
        >>> name_key("ADA") == name_key("ada")
        True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def user(ledger: Ledger, name: str) -> values.User:
    """Find a user by name.

    Raises:
        NotFoundError: there is none.
    """
    with ledger.read() as connection:
        row = connection.execute(
            select(User.id, User.name, User.pseudonym).where(User.name_key == name_key(name))
        ).one_or_none()
    if row is None:
        raise NotFoundError(f"no user {name!r:.80}")
    return values.User(id=row.id, name=row.name, pseudonym=row.pseudonym)


def users(ledger: Ledger) -> tuple[tuple[values.User, tuple[tuple[Role, str | None], ...]], ...]:
    """Every user, by name, with roles: (role, name of the campaign, or None for all of them)."""
    with ledger.read() as connection:
        found = connection.execute(select(User.id, User.name, User.pseudonym).order_by(User.name_key)).all()
        grants = connection.execute(
            select(RoleGrant.user_id, RoleGrant.role, Campaign.name)
            .join(Campaign, Campaign.id == RoleGrant.campaign_id, isouter=True)
            .order_by(RoleGrant.role, Campaign.name)
        ).all()
    return tuple(
        (
            values.User(id=row.id, name=row.name, pseudonym=row.pseudonym),
            tuple((Role(grant.role), grant.name) for grant in grants if grant.user_id == row.id),
        )
        for row in found
    )


def roles(ledger: Ledger, user: values.User, campaign: str) -> frozenset[Role]:
    """Roles of a user in a campaign; none if the account is disabled.

    Raises:
        NotFoundError: no such campaign.
    """
    with ledger.read() as connection:
        return roles_of(connection, user.id, campaign_id(connection, campaign))


def roles_of(connection: Connection, user: int, campaign: int | None) -> frozenset[Role]:
    """Roles of a user in a campaign (None: in all campaigns), inside a transaction."""
    found = connection.execute(_ROLES, {"user": user, "campaign": campaign}).scalars()
    return frozenset(Role(one) for one in found)


def require(connection: Connection, by: values.User | None, campaign: int | None, wanted: Collection[Role]) -> None:
    """Check that somebody has one of some roles.

    Args:
        connection: inside a transaction.
        by: who; None for the command line, which may do everything.
        campaign: number of a campaign; None for all of them.
        wanted: roles.

    Raises:
        NotAllowedError: none of them.
    """
    if by is not None and not roles_of(connection, by.id, campaign) & set(wanted):
        names = ", ".join(sorted(wanted))
        raise NotAllowedError(f"only {names} may do this")


def require_manager(connection: Connection, by: values.User | None, campaign: int) -> None:
    """Check that somebody manages a campaign.

    Raises:
        NotAllowedError: neither manager nor admin.
    """
    require(connection, by, campaign, {Role.MANAGER, Role.ADMIN})


def grant(ledger: Ledger, user: values.User, role: Role, campaign: str | None, *, by: values.User | None) -> None:
    """Give a user a role in a campaign, or in all of them.

    Args:
        ledger: an open one.
        user: who gets it.
        role: what may be done.
        campaign: its name; None for all, which only admins of all campaigns can give.
        by: who does it; None for the command line.

    Raises:
        NotAllowedError: `by` may not: managers give annotator, reviewer and expert to others, admins give all roles.
        NotFoundError: no such campaign.
    """

    def work(connection: Connection) -> None:
        number = campaign_id(connection, campaign)
        require_giver(connection, by, role, number, user.id)
        add_grant(connection, user.id, role, number)
        _told(connection, "grant", user, role, campaign, by)

    ledger.transact(work)


def require_giver(
    connection: Connection, by: values.User | None, role: Role, campaign: int | None, receiver: int | None
) -> None:
    """Check that somebody may give or take a role.

    Raises:
        NotAllowedError: neither an admin, nor a manager who gives a lower role to somebody else.
    """
    if by is None:
        return
    own = roles_of(connection, by.id, campaign)
    lower = Role.MANAGER in own and role in GIVEN_BY_MANAGERS and by.id != receiver
    if Role.ADMIN not in own and not lower:
        raise NotAllowedError(f"you may not give or take the role {role.value}")


def add_grant(connection: Connection, user: int, role: Role, campaign: int | None) -> None:
    """Add a role in the caller's transaction, unless it is there."""
    if not connection.execute(select(RoleGrant.id).where(*_same(user, role, campaign))).first():
        connection.execute(
            insert(RoleGrant).values(user_id=user, role=role.value, campaign_id=campaign, created=now(connection))
        )


def revoke(ledger: Ledger, user: values.User, role: Role, campaign: str | None, *, by: values.User | None) -> None:
    """Take a role away; the rules are those of `grant`."""

    def work(connection: Connection) -> None:
        number = campaign_id(connection, campaign)
        require_giver(connection, by, role, number, user.id)
        connection.execute(delete(RoleGrant).where(*_same(user.id, role, number)))
        _told(connection, "revoke", user, role, campaign, by)

    ledger.transact(work)


def _same(user: int, role: Role, campaign: int | None) -> tuple[Any, ...]:
    scope = RoleGrant.campaign_id.is_(None) if campaign is None else RoleGrant.campaign_id == campaign
    return RoleGrant.user_id == user, RoleGrant.role == role.value, scope


def _told(
    connection: Connection, action: str, user: values.User, role: Role, campaign: str | None, by: values.User | None
) -> None:
    record(
        connection,
        actor=by.pseudonym if by else "",
        action=action,
        subject=user.pseudonym,
        campaign=campaign or "",
        detail={"role": role.value},
    )


def disable(ledger: Ledger, user: values.User, *, by: values.User | None) -> None:
    """Close an account: sessions end, no login any more; the work stays.

    Raises:
        NotAllowedError: `by` is no admin of all campaigns.
    """

    def work(connection: Connection) -> None:
        require(connection, by, None, {Role.ADMIN})
        connection.execute(update(User).where(User.id == user.id).values(disabled=True))
        connection.execute(delete(Session).where(Session.user_id == user.id))
        actor = by.pseudonym if by else ""
        record(connection, actor=actor, action="disable", subject=user.pseudonym, campaign="", detail={})

    ledger.transact(work)
