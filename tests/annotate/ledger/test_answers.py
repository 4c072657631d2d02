"""Rows for consensus: every answer that counts, with what is known about its task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.annotate.ledger.made import GUESS, NAME, PLANTED, TRUTH, WRONG, fill, hand_in, person, windows

from landloom.annotate.ledger.answers import answered_tasks, head, record_consensus
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import TaskKind
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger

KINDS = {0: TaskKind.REFERENCE, 1: TaskKind.BLIND, 2: TaskKind.PLANTED}


@pytest.fixture
def answered(ledger: Ledger) -> Ledger:
    fill(ledger, chips=2, kinds=KINDS, order="random")
    eve, ada, ben = person(ledger, "eve", Role.EXPERT), person(ledger, "ada"), person(ledger, "ben")
    hand_in(ledger, eve, take(ledger, NAME, eve, 1)[0], TRUTH)
    for loan in take(ledger, NAME, ada, 5):
        hand_in(ledger, ada, loan, TRUTH)
        hand_in(ledger, ada, loan, WRONG)  # a second tab
    hand_in(ledger, ben, take(ledger, NAME, ben, 1)[0], GUESS)
    return ledger


def test_answers_come_with_their_tasks(answered: Ledger) -> None:
    tasks = list(answered_tasks(answered, NAME, unanswered=True))
    assert [one.window for one in tasks] == windows(2)
    assert [one.kind for one in tasks[:4]] == [*KINDS.values(), TaskKind.REGULAR]
    assert [one.guess for one in tasks[:4]] == [GUESS, None, PLANTED, GUESS]
    assert [one.original for one in tasks[:4]] == [None, GUESS, GUESS, None]
    assert [one.reference for one in tasks[:4]] == [TRUTH, None, None, None]
    counts = [len(one.answers) for one in tasks]
    assert sum(counts) == 6
    assert {answer.labels for one in tasks for answer in one.answers} <= {TRUTH, GUESS}
    assert all(answer.counted for one in tasks for answer in one.answers)
    assert list(answered_tasks(answered, NAME)) == [one for one in tasks if one.answers]


def test_one_answer_a_person_even_with_surplus(answered: Ledger) -> None:
    for task in answered_tasks(answered, NAME, counted=False):
        people = [one.annotator for one in task.answers]
        assert len(set(people)) == len(people)
        assert WRONG not in {one.labels for one in task.answers}


def test_an_abandoned_iterator_holds_nothing(answered: Ledger) -> None:
    for _ in range(100):
        next(answered_tasks(answered, NAME))


def test_runs_are_recorded_with_what_they_used(answered: Ledger) -> None:
    assert head(answered, NAME) == 12
    for number in (1, 2):
        assert record_consensus(answered, NAME, method="published", version="1", report="{}") == number
    for call in (
        lambda: head(answered, "asia"),
        lambda: record_consensus(answered, "asia", method="x", version="1", report="{}"),
        lambda: next(answered_tasks(answered, "asia")),
    ):
        with pytest.raises(NotFoundError):
            call()
