"""Progress: rows behind the manager's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.annotate.ledger.made import GUESS, NAME, PIXELS, TRUTH, fill, hand_in, person, work

from landloom.annotate.ledger.progress import annotators, chips, submissions
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.submissions import submit
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.trust import Trust
from landloom.annotate.tasks.values import TaskKind
from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger


def test_chips_add_up(ledger: Ledger) -> None:
    fill(ledger, chips=2, kinds={0: TaskKind.QUALIFICATION}, order="random")
    ada, ben = person(ledger, "ada"), person(ledger, "ben")
    for loan in take(ledger, NAME, ada, 7):
        hand_in(ledger, ada, loan)
    loan = take(ledger, NAME, ben, 1)[0]
    hand_in(ledger, ben, loan)
    hand_in(ledger, ben, loan)
    rows = {one.chip: one for one in chips(ledger, NAME)}
    assert [(one.tasks, one.needed) for one in rows.values()] == [(3, 6), (4, 8)]
    there = rows.pop(loan.window.chip)
    assert (there.done, there.started, there.submissions, there.surplus) == (1, there.tasks - 1, there.tasks + 1, 1)
    other = next(iter(rows.values()))
    assert (other.done, other.started, other.submissions, other.surplus) == (0, other.tasks, other.tasks, 0)


def test_submissions_say_what_was_done(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "Ada")
    first, second = take(ledger, NAME, ada, 2)
    submit(ledger, NAME, ada, first.id, work(TRUTH, seconds=3.5, flagged=True, comment="=HYPERLINK()"))
    hand_in(ledger, ada, second, GUESS)
    one, two = submissions(ledger, NAME)
    assert (one.sequence, one.name, one.annotator, one.seconds) == (1, "Ada", ada.pseudonym, 3.5)
    assert (one.flagged, one.comment, one.window, one.pixels, one.changed) == (
        True,
        "=HYPERLINK()",
        first.window,
        PIXELS,
        4,
    )
    assert one.counts == {1: (8, 0), 2: (4, 0), 3: (4, 4)}
    assert two.counts == {1: (8, 0), 2: (8, 0)}
    assert (one.result, one.planted, one.copied) == (None, 0, 0)
    assert one.recorded <= two.recorded
    assert [row.sequence for row in submissions(ledger, NAME, after=1)] == [2]


def test_annotators_are_listed_whether_or_not_they_work(ledger: Ledger) -> None:
    fill(ledger)
    ben, ada = person(ledger, "ben"), person(ledger, "Ada")
    person(ledger, "eve", Role.EXPERT)
    loans = take(ledger, NAME, ben, 3)
    hand_in(ledger, ben, loans[0])
    rows = annotators(ledger, NAME)
    assert [(one.name, one.submissions, one.counted, one.live) for one in rows] == [("Ada", 0, 0, 0), ("ben", 1, 1, 2)]
    assert {(one.trust, one.qualified) for one in rows} == {(Trust.PENDING, None)}
    assert rows[0].pseudonym == ada.pseudonym
    for call in (chips, annotators, lambda *args: next(submissions(*args))):
        with pytest.raises(NotFoundError):
            call(ledger, "asia")
