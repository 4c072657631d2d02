"""Accounts and roles: who may give what to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.annotate.ledger.made import NAME, fill, person

from landloom.annotate.ledger.accounts.audit import events
from landloom.annotate.ledger.accounts.users import create_user, disable, grant, revoke, roles, user, users
from landloom.annotate.ledger.errors import ConflictError, NotAllowedError
from landloom.annotate.ledger.values import Role
from landloom.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger

LOWER = {Role.ANNOTATOR, Role.REVIEWER, Role.EXPERT}


@pytest.mark.parametrize("taken", ["Ada", "ada", "ADA", "\uff21da"])
def test_names_are_unique_whatever_their_case(ledger: Ledger, taken: str) -> None:
    ada = create_user(ledger, "Ada", None)
    with pytest.raises(ConflictError, match="taken"):
        create_user(ledger, taken, None)
    assert user(ledger, "aDA") == ada
    with pytest.raises(NotFoundError):
        user(ledger, "ben")


@pytest.mark.parametrize("name", ["", " ada", "ada ", "a\nb", "a\0b", "x" * 65, "\u202eada", "\ud800"])
def test_names_can_be_printed(ledger: Ledger, name: str) -> None:
    with pytest.raises(InvalidValueError):
        create_user(ledger, name, None)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("giver", Role)
def test_who_may_give_which_role(ledger: Ledger, giver: Role, role: Role) -> None:
    fill(ledger)
    by, other = person(ledger, "by", giver), create_user(ledger, "other", None)
    allowed = giver is Role.ADMIN or (giver is Role.MANAGER and role in LOWER)
    for call in (grant, revoke):
        if allowed:
            call(ledger, other, role, NAME, by=by)
        else:
            with pytest.raises(NotAllowedError):
                call(ledger, other, role, NAME, by=by)
        assert roles(ledger, other, NAME) == ({role} if allowed and call is grant else set())
        with pytest.raises(NotAllowedError):
            call(ledger, other, role, None, by=by)  # a campaign's admin is none of all campaigns
    if giver is not Role.ADMIN:
        with pytest.raises(NotAllowedError):
            grant(ledger, by, Role.EXPERT, NAME, by=by)


def test_admins_of_all_campaigns_make_and_close_accounts(ledger: Ledger) -> None:
    fill(ledger)
    root, boss = create_user(ledger, "root", None), person(ledger, "boss", Role.ADMIN)
    grant(ledger, root, Role.ADMIN, None, by=None)
    grant(ledger, root, Role.ADMIN, None, by=None)
    assert roles(ledger, root, NAME) == {Role.ADMIN}
    ada = create_user(ledger, "ada", None, by=root)
    grant(ledger, ada, Role.ANNOTATOR, None, by=root)
    for call in (lambda: create_user(ledger, "x", None, by=boss), lambda: disable(ledger, ada, by=boss)):
        with pytest.raises(NotAllowedError):
            call()
    assert dict(users(ledger)) == {
        ada: ((Role.ANNOTATOR, None),),
        boss: ((Role.ADMIN, NAME),),
        root: ((Role.ADMIN, None),),
    }
    disable(ledger, ada, by=root)
    assert roles(ledger, ada, NAME) == set()
    with pytest.raises(NotFoundError):
        roles(ledger, root, "asia")
    told = [(one.actor, one.action, one.subject) for one in events(ledger, most=3)]
    assert told[0] == (root.pseudonym, "disable", ada.pseudonym)
    assert [one.detail for one in events(ledger, campaign=NAME) if one.action == "grant"] == [{"role": "admin"}]
