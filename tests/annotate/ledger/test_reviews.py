"""Adjudication: the most disputed first, decided by somebody else, kept in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.annotate.ledger.made import GUESS, NAME, PIXELS, TRUTH, WRONG, fill, hand_in, person, work

from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.errors import ConflictError, InvalidSubmissionError, NotAllowedError
from landloom.annotate.ledger.progress import submissions
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.reviews import answered_task, count_disputed, decide, disputed
from landloom.annotate.ledger.values import Role
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger


@pytest.fixture
def answered(ledger: Ledger) -> Ledger:
    """Three tasks with two answers: unanimous, a quarter disputed, wholly disputed; one has a single answer."""
    fill(ledger, chips=1, order="random")
    pairs = [(TRUTH, TRUTH), (TRUTH, GUESS), (GUESS, WRONG)]
    for place, name in enumerate(("ada", "ben")):
        user = person(ledger, name)
        for number, loan in enumerate(sorted(take(ledger, NAME, user, 4), key=lambda one: one.window)):
            if number < len(pairs):
                hand_in(ledger, user, loan, pairs[number][place])
    return ledger


def test_the_most_disputed_come_first_with_all_answers(answered: Ledger) -> None:
    found = disputed(answered, NAME)
    assert [[one.labels for one in task.answers] for task in found] == [[GUESS, WRONG], [TRUTH, GUESS]]
    assert len(disputed(answered, NAME, least=0.5)) == 1
    assert len(disputed(answered, NAME, most=1)) == 1
    assert count_disputed(answered, NAME) == 2
    assert count_disputed(answered, NAME, least=0.5) == 1
    assert answered_task(answered, NAME, found[0].id) == found[0]


def test_a_decision_is_kept_and_the_latest_counts(answered: Ledger) -> None:
    rex = person(answered, "rex", Role.REVIEWER)
    task = disputed(answered, NAME)[0]
    first, second = work(TRUTH, seconds=9.0), work(GUESS)
    assert decide(answered, NAME, rex, task.id, first) == 7
    assert decide(answered, NAME, rex, task.id, first) == 7
    assert decide(answered, NAME, rex, task.id, second) == 8
    assert [one.id for one in disputed(answered, NAME)] != [task.id]
    assert len(disputed(answered, NAME)) == 1
    assert {one.id: one.adjudicated for one in answered_tasks(answered, NAME)}[task.id] == GUESS
    assert answered_task(answered, NAME, task.id).adjudicated == GUESS
    assert len(list(submissions(answered, NAME))) == 6
    assert verify(answered, NAME) == 8


def test_who_may_decide_what(answered: Ledger) -> None:
    rex = person(answered, "rex", Role.REVIEWER)
    task = disputed(answered, NAME)[0].id
    for role in (Role.ANNOTATOR, Role.EXPERT):
        with pytest.raises(NotAllowedError):
            decide(answered, NAME, person(answered, role.value, role), task, work())
    from landloom.annotate.ledger.accounts.users import grant, user

    ada = user(answered, "ada")
    grant(answered, ada, Role.REVIEWER, NAME, by=None)
    with pytest.raises(NotAllowedError, match="yourself"):
        decide(answered, NAME, ada, task, work())
    for labels in (b"", bytes(PIXELS), bytes([9] * PIXELS)):
        with pytest.raises(InvalidSubmissionError):
            decide(answered, NAME, rex, task, work(labels))
    with pytest.raises(NotFoundError, match="no such task"):
        decide(answered, NAME, rex, "unknown", work())
    with pytest.raises(NotFoundError, match="no such task"):
        answered_task(answered, NAME, "unknown")
    sent = work()
    decide(answered, NAME, rex, task, sent)
    other = next(one.id for one in disputed(answered, NAME) if one.id != task)
    with pytest.raises(ConflictError):
        decide(answered, NAME, rex, other, sent)
