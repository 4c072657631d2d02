"""Labels made elsewhere count like those made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.annotate.ledger.made import GUESS, NAME, PIXELS, SIDE, TRUTH, fill, person, windows

from landloom.annotate.ledger.accounts.users import create_user
from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.errors import ConflictError, InvalidSubmissionError
from landloom.annotate.ledger.imported import import_answers, import_references
from landloom.annotate.ledger.progress import annotators, chips, submissions
from landloom.annotate.ledger.queue import take
from landloom.annotate.tasks.values import TaskKind, TaskWindow
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger

HALF = TRUTH[:8] + bytes(8)


def test_answers_from_files_count_however_many_there_are(ledger: Ledger) -> None:
    fill(ledger, chips=1)
    people = [create_user(ledger, name, None) for name in ("one", "two", "three")]
    for user, labels in zip(people, (TRUTH, GUESS, HALF), strict=True):
        assert import_answers(ledger, NAME, user, {windows(1)[0]: labels, windows(1)[1]: labels}) == 2
        assert import_answers(ledger, NAME, user, {windows(1)[0]: labels}) == 0
    tasks = list(answered_tasks(ledger, NAME))
    assert [[one.labels for one in task.answers] for task in tasks] == [[TRUTH, GUESS, HALF]] * 2
    assert [(one.done, one.submissions, one.needed) for one in chips(ledger, NAME)] == [(2, 6, 10)]
    assert len(take(ledger, NAME, person(ledger, "ada"), 10)) == 2
    assert verify(ledger, NAME) == 6
    assert [one.counted for one in annotators(ledger, NAME) if one.name != "ada"] == [2, 2, 2]


def test_references_from_files_score_what_is_there_already(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={0: TaskKind.REFERENCE})
    one, eve = create_user(ledger, "one", None), create_user(ledger, "eve", None)
    import_answers(ledger, NAME, one, {windows(1)[1]: GUESS, windows(1)[2]: HALF})
    assert import_references(ledger, NAME, eve, dict.fromkeys(windows(1)[:3], TRUTH)) == 3
    kinds = [task.kind for task in answered_tasks(ledger, NAME, unanswered=True)]
    assert kinds == [TaskKind.REFERENCE] * 3 + [TaskKind.REGULAR]
    results = [row.result for row in submissions(ledger, NAME)]
    assert [dict(one.right) for one in results if one] == [{1: 8, 2: 4, 3: 0}, {1: 8}]
    assert [dict(one.pixels) for one in results if one] == [{1: 8, 2: 4, 3: 4}, {1: 8}]
    assert len(take(ledger, NAME, person(ledger, "ada"), 10)) == 4
    with pytest.raises(ConflictError, match="reference already"):
        import_references(ledger, NAME, create_user(ledger, "eva", None), {windows(1)[0]: TRUTH})


def test_what_does_not_fit_is_refused_whole(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={3: TaskKind.BLIND})
    one = create_user(ledger, "one", None)
    first, second = windows(1)[:2]
    foreign = TaskWindow(chip="chip_00", row=1, column=0, height=SIDE, width=SIDE)
    with pytest.raises(NotFoundError, match="no task at chip_00/1/0/4x4"):
        import_answers(ledger, NAME, one, {first: TRUTH, foreign: TRUTH})
    with pytest.raises(InvalidSubmissionError):
        import_answers(ledger, NAME, one, {first: TRUTH, second: bytes([9] * PIXELS)})
    assert not list(submissions(ledger, NAME))
    import_answers(ledger, NAME, one, {first: TRUTH})
    with pytest.raises(ConflictError, match="another answer"):
        import_answers(ledger, NAME, one, {first: GUESS})
    with pytest.raises(ConflictError, match="blind"):
        import_references(ledger, NAME, one, {windows(1)[3]: TRUTH})
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    with pytest.raises(ConflictError, match="has a task here"):
        import_answers(ledger, NAME, ada, {loan.window: TRUTH})
