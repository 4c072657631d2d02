"""Logins: rotation, expiry, limits that outlive a restart, and passwords."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update
from tests.annotate.ledger.made import NAME, fill

from landloom.annotate.ledger.accounts import attempts
from landloom.annotate.ledger.accounts.sessions import (
    IDLE,
    change_password,
    login,
    logout,
    session,
    session_in,
    set_password,
)
from landloom.annotate.ledger.accounts.users import create_user, disable, grant
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.errors import LoginError, TooManyAttemptsError
from landloom.annotate.ledger.schema.models import LoginFailure, Session
from landloom.annotate.ledger.values import Role
from landloom.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist
WRONG = "wrong horse battery"
CHOSEN = "chosen by somebody else"


def test_a_login_is_a_new_session_and_ends_the_old_one(ledger: Ledger) -> None:
    ada = create_user(ledger, "Ada", PASSWORD)
    first, opened = login(ledger, "ADA", PASSWORD)
    assert opened.user == ada
    assert session(ledger, first) == opened
    second, other = login(ledger, "ada", PASSWORD, old_token=first)
    assert second != first
    assert other.csrf != opened.csrf
    assert opened.csrf not in first
    assert session(ledger, first) is None
    logout(ledger, second)
    assert session(ledger, second) is None


def test_tokens_are_not_in_the_database(ledger: Ledger) -> None:
    create_user(ledger, "ada", PASSWORD)
    token, _ = login(ledger, "ada", PASSWORD)
    with ledger.read() as connection:
        assert connection.execute(select(Session.token_digest)).scalar_one() != token


def test_a_session_made_up_by_others_is_none(ledger: Ledger) -> None:
    create_user(ledger, "ada", PASSWORD)
    login(ledger, "ada", PASSWORD, old_token=CHOSEN)
    assert session(ledger, CHOSEN) is None
    assert session(ledger, "") is None


@pytest.mark.parametrize("column", ["expires", "seen"])
def test_sessions_end(ledger: Ledger, column: str) -> None:
    create_user(ledger, "ada", PASSWORD)
    token, opened = login(ledger, "ada", PASSWORD)
    moved = update(Session).values({column: Session.created if column == "expires" else Session.seen - IDLE - 1})
    ledger.transact(lambda connection: connection.execute(moved))
    assert opened.user.name == "ada"
    assert session(ledger, token) is None


@pytest.mark.parametrize(("name", "password"), [("ada", WRONG), ("nobody", PASSWORD), ("gone", PASSWORD), ("ada", "")])
def test_no_login_says_why(ledger: Ledger, name: str, password: str) -> None:
    create_user(ledger, "ada", PASSWORD)
    disable(ledger, create_user(ledger, "gone", PASSWORD), by=None)
    create_user(ledger, "nobody at all", None)
    with pytest.raises(LoginError, match="unknown name or wrong password"):
        login(ledger, name, password)


def test_failures_are_limited_even_after_a_restart(ledger: Ledger, ledger_url: str) -> None:
    create_user(ledger, "ada", PASSWORD)
    for _ in range(attempts.PER_PAIR):
        with pytest.raises(LoginError):
            login(ledger, "ada", WRONG, address="192.0.2.1")
    with open_ledger(ledger_url) as restarted:
        for name in ("ada", "ADA"):
            with pytest.raises(TooManyAttemptsError) as limit:
                login(restarted, name, PASSWORD, address="192.0.2.1")
            assert 0 < limit.value.seconds <= attempts.WINDOW
        assert login(restarted, "ada", PASSWORD, address="192.0.2.2")[1].user.name == "ada"
    moved = update(LoginFailure).values(at=LoginFailure.at - attempts.WINDOW - 1)
    ledger.transact(lambda connection: connection.execute(moved))
    assert login(ledger, "ada", PASSWORD, address="192.0.2.1")[1].user.name == "ada"


def test_many_attempts_at_once_are_not_more_than_allowed(ledger: Ledger) -> None:
    create_user(ledger, "ada", PASSWORD)

    def attempt(_: int) -> type[Exception]:
        try:
            attempts.begin(ledger, "ada", "192.0.2.1")
        except TooManyAttemptsError as error:
            return type(error)
        return LoginError

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(3 * attempts.PER_PAIR)))
    assert outcomes.count(LoginError) == attempts.PER_PAIR


def test_one_address_cannot_try_many_names(ledger: Ledger) -> None:
    for number in range(attempts.PER_ADDRESS):
        attempts.begin(ledger, f"name {number}", "192.0.2.1")
    with pytest.raises(TooManyAttemptsError):
        attempts.begin(ledger, "another", "192.0.2.1")
    attempts.begin(ledger, "another", "192.0.2.2")


def test_wrong_passwords_elsewhere_block_no_change_of_a_password(ledger: Ledger) -> None:
    ada = create_user(ledger, "ada", PASSWORD)
    for number in range(attempts.PER_ADDRESS):
        attempts.begin(ledger, f"name {number}", "192.0.2.1")
    with pytest.raises(TooManyAttemptsError):
        change_password(ledger, ada, PASSWORD, "a whole new password", address="192.0.2.1")
    change_password(ledger, ada, PASSWORD, "a whole new password", address="192.0.2.2")


def test_logins_that_succeed_are_no_failures_of_their_address(ledger: Ledger) -> None:
    attempts.begin(ledger, "eve", "192.0.2.1")
    for number in range(2 * attempts.PER_ADDRESS):
        name = f"name {number}"
        attempts.begin(ledger, name, "192.0.2.1")
        ledger.transact(partial(attempts.succeed, name=name, address="192.0.2.1"))
    with ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(LoginFailure)).scalar_one() == 3


def test_a_login_forgets_the_failures_before_it(ledger: Ledger) -> None:
    create_user(ledger, "ada", PASSWORD)
    for _ in range(3):
        with pytest.raises(LoginError):
            login(ledger, "ada", WRONG)
        login(ledger, "ada", PASSWORD)
    pair, _, _ = attempts._keys("ada", "")
    with ledger.read() as connection:
        left = select(func.count()).select_from(LoginFailure).where(LoginFailure.key == pair)
        assert connection.execute(left).scalar_one() == 0


def test_a_new_password_ends_everything_else(ledger: Ledger) -> None:
    ada = create_user(ledger, "ada", PASSWORD)
    create_user(ledger, "ben", PASSWORD)
    mine, other, foreign = (login(ledger, name, PASSWORD)[0] for name in ("ada", "ada", "ben"))
    with pytest.raises(LoginError):
        change_password(ledger, ada, WRONG, "a whole new password", token=mine)
    change_password(ledger, ada, PASSWORD, "a whole new password", token=mine)
    assert session(ledger, mine) is not None
    assert session(ledger, other) is None
    assert session(ledger, foreign) is not None
    with pytest.raises(LoginError):
        login(ledger, "ada", PASSWORD)
    set_password(ledger, ada, PASSWORD)
    assert session(ledger, mine) is None
    assert login(ledger, "ada", PASSWORD)[1].user == ada


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_passwords_have_a_length(ledger: Ledger, password: str) -> None:
    with pytest.raises(InvalidValueError, match="got a password of"):
        create_user(ledger, "ada", password)


def test_a_session_comes_with_its_roles(ledger: Ledger) -> None:
    fill(ledger)
    own = create_user(ledger, "Ada", PASSWORD)
    token, session = login(ledger, "Ada", PASSWORD)
    assert session_in(ledger, token, NAME) == (session, frozenset())
    grant(ledger, own, Role.ANNOTATOR, NAME, by=None)
    assert session_in(ledger, token, NAME) == (session, frozenset({Role.ANNOTATOR}))
    assert session_in(ledger, token[:-1], NAME) is None
    with pytest.raises(NotFoundError):
        session_in(ledger, token, "elsewhere")
    logout(ledger, token)
    assert session_in(ledger, token, NAME) is None
