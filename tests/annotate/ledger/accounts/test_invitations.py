"""Invitations are good once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update
from tests.annotate.ledger.made import NAME, fill, person

from landloom.annotate.ledger.accounts.invitations import accept, invite
from landloom.annotate.ledger.accounts.sessions import login
from landloom.annotate.ledger.accounts.users import create_user, roles
from landloom.annotate.ledger.errors import ConflictError, NotAllowedError
from landloom.annotate.ledger.schema.models import Invitation
from landloom.annotate.ledger.values import Role
from landloom.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist


def test_an_invitation_makes_one_account_with_its_role(ledger: Ledger) -> None:
    fill(ledger)
    boss = person(ledger, "boss", Role.MANAGER)
    token = invite(ledger, "ada", Role.EXPERT, NAME, by=boss)
    with pytest.raises(InvalidValueError):
        accept(ledger, token, "short")
    ada = accept(ledger, token, PASSWORD)
    assert roles(ledger, ada, NAME) == {Role.EXPERT}
    assert login(ledger, "ada", PASSWORD)[1].user == ada
    for used in (token, "unknown", ""):
        with pytest.raises(NotFoundError):
            accept(ledger, used, PASSWORD)


def test_of_many_who_accept_at_once_one_does(ledger: Ledger) -> None:
    fill(ledger)
    token = invite(ledger, "ada", Role.ANNOTATOR, NAME, by=None)

    def attempt(_: int) -> bool:
        try:
            accept(ledger, token, PASSWORD)
        except (NotFoundError, ConflictError):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1


def test_invitations_end_and_names_are_taken(ledger: Ledger) -> None:
    fill(ledger)
    boss = person(ledger, "boss", Role.MANAGER)
    for role in (Role.MANAGER, Role.ADMIN):
        with pytest.raises(NotAllowedError):
            invite(ledger, "ada", role, NAME, by=boss)
    with pytest.raises(ConflictError):
        invite(ledger, "BOSS", Role.ANNOTATOR, NAME, by=boss)
    token, late = (invite(ledger, "ada", Role.ANNOTATOR, NAME, by=boss) for _ in range(2))
    create_user(ledger, "ada", None)
    with pytest.raises(ConflictError):
        accept(ledger, token, PASSWORD)
    ended = update(Invitation).values(expires=Invitation.created)
    ledger.transact(lambda connection: connection.execute(ended))
    with pytest.raises(NotFoundError):
        accept(ledger, late, PASSWORD)
