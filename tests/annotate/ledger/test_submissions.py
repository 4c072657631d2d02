"""Submissions: once each, checked, scored, and never lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import func, select
from tests.annotate.ledger.made import GUESS, NAME, PIXELS, PLANTED, TRUTH, WRONG, fill, hand_in, person, work

from landloom.annotate.ledger.errors import ConflictError, InvalidSubmissionError
from landloom.annotate.ledger.progress import submissions
from landloom.annotate.ledger.queue import skip, take
from landloom.annotate.ledger.schema.models import Draft, Submission, Task
from landloom.annotate.ledger.submissions import MOST, submit
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger


def count(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return connection.execute(select(func.count()).select_from(Submission)).scalar_one()


def test_sent_again_it_is_answered_again(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    sent = work(dates_viewed=(1, 0))
    receipt = submit(ledger, NAME, ada, loan.id, sent)
    assert (receipt.sequence, receipt.state, receipt.changed) == (1, "accepted", 4)
    assert submit(ledger, NAME, ada, loan.id, sent) == receipt
    assert count(ledger) == 1


@pytest.mark.parametrize(
    "change",
    [{"labels": GUESS}, {"seconds": 3.0}, {"flagged": True}, {"comment": "x"}, {"client": "other"}],
    ids=lambda change: next(iter(change)),
)
def test_an_id_stands_for_one_body(ledger: Ledger, change: dict[str, object]) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    sent = work()
    submit(ledger, NAME, ada, loan.id, sent)
    with pytest.raises(ConflictError):
        submit(ledger, NAME, ada, loan.id, replace(sent, **change))  # type: ignore[arg-type]
    assert count(ledger) == 1


def test_an_id_is_for_one_task_and_one_person(ledger: Ledger) -> None:
    fill(ledger)
    ada, ben = person(ledger, "ada"), person(ledger, "ben")
    first, second = take(ledger, NAME, ada, 2)
    sent = work()
    submit(ledger, NAME, ada, first.id, sent)
    with pytest.raises(ConflictError):
        submit(ledger, NAME, ada, second.id, sent)
    with pytest.raises(ConflictError):
        submit(ledger, NAME, ben, take(ledger, NAME, ben, 1)[0].id, sent)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": TRUTH[:-1]}, "got 15 bytes of labels, expected 16"),
        ({"labels": TRUTH + b"\1"}, "got 17 bytes"),
        ({"labels": b""}, "got 0 bytes"),
        ({"labels": bytes([4]) + TRUTH[1:]}, r"got class codes \[4\]"),
        ({"labels": bytes([255]) + TRUTH[1:]}, r"got class codes \[255\]"),
        ({"labels": bytes([0]) + TRUTH[1:]}, "got 1 pixel without a label"),
        ({"labels": bytes(PIXELS)}, "got 16 pixels without a label"),
        ({"dates_viewed": (0,)}, "got 1 scenes viewed, expected all 2"),
        ({"dates_viewed": ()}, "got 0 scenes viewed"),
        ({"dates_viewed": (0, 2)}, "got scene 2"),
    ],
)
def test_what_is_no_label_raster_is_refused(ledger: Ledger, changes: dict[str, object], message: str) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    with pytest.raises(InvalidSubmissionError, match=message):
        submit(ledger, NAME, ada, loan.id, replace(work(), **changes))  # type: ignore[arg-type]
    assert count(ledger) == 0
    assert hand_in(ledger, ada, loan).sequence == 1


def test_scenes_need_not_be_viewed_where_the_campaign_says_so(ledger: Ledger) -> None:
    fill(ledger, require_all_scenes=False)
    ada = person(ledger, "ada")
    assert submit(ledger, NAME, ada, take(ledger, NAME, ada, 1)[0].id, work(dates_viewed=())).state == "accepted"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "1"},
        {"id": "5B5E1C4A-0D5C-4C55-9A9B-6F2B0E1C7A11"},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"dates_viewed": (0, 0)},
        {"dates_viewed": (-1,)},
        {"comment": "x" * 2001},
        {"comment": "\0"},
        {"comment": "\ud800"},
        {"client": "x" * 101},
    ],
    ids=str,
)
def test_a_submission_is_checked_at_birth(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidSubmissionError):
        replace(work(), **changes)  # type: ignore[arg-type]


def test_an_unchanged_guess_counts_as_validated(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    assert hand_in(ledger, ada, take(ledger, NAME, ada, 1)[0], GUESS).changed == 0
    assert [one.counted for one in submissions(ledger, NAME)] == [True]


def test_without_a_guess_every_pixel_is_changed(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds=dict.fromkeys(range(4), TaskKind.BLIND))
    ada = person(ledger, "ada")
    assert hand_in(ledger, ada, take(ledger, NAME, ada, 1)[0], GUESS).changed == PIXELS


def test_a_second_tab_is_kept_as_surplus_up_to_a_limit(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    states = [hand_in(ledger, ada, loan, labels).state for labels in (TRUTH, GUESS, WRONG, TRUTH, GUESS)]
    assert states == ["accepted"] + ["surplus"] * (MOST - 1)
    with pytest.raises(ConflictError):
        hand_in(ledger, ada, loan)
    assert [one.counted for one in submissions(ledger, NAME)] == [True] + [False] * 4


def test_a_skipped_task_that_is_submitted_after_all_counts_while_a_place_is_free(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    skip(ledger, NAME, ada, loan.id, "")
    assert hand_in(ledger, ada, loan).state == "accepted"


def test_planted_errors_are_scored(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={0: TaskKind.PLANTED})
    for name, labels in (("ada", PLANTED), ("ben", GUESS)):
        user = person(ledger, name)
        for loan in take(ledger, NAME, user, 4):
            hand_in(ledger, user, loan, labels)
    rows = [one for one in submissions(ledger, NAME) if one.kind is TaskKind.PLANTED]
    assert [(one.name, one.planted, one.copied) for one in rows] == [("ada", 4, 4), ("ben", 4, 0)]
    assert [one.changed for one in rows] == [0, 4]
    assert sum(one.planted for one in submissions(ledger, NAME)) == 8


def test_references_are_scored_per_class(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={0: TaskKind.REFERENCE})
    eve, ada = person(ledger, "eve", Role.EXPERT), person(ledger, "ada")
    receipt = hand_in(ledger, eve, take(ledger, NAME, eve, 1)[0], TRUTH)
    assert (receipt.sequence, receipt.state) == (1, "accepted")
    for loan in take(ledger, NAME, ada, 4):
        hand_in(ledger, ada, loan, GUESS)
    found = [one.result for one in submissions(ledger, NAME) if one.result is not None]
    assert [(dict(one.pixels), dict(one.right)) for one in found] == [({1: 8, 2: 4, 3: 4}, {1: 8, 2: 4, 3: 0})]
    assert [one.name for one in submissions(ledger, NAME)] == ["ada"] * 4
    assert next(submissions(ledger, NAME, after=4)).sequence == 5


def test_priorities_follow_the_answers(ledger: Ledger) -> None:
    from landloom.annotate.tasks.gain import GainModel

    fill(ledger, chips=1, annotators=3)
    one, two = person(ledger, "ada"), person(ledger, "ben")
    loan = take(ledger, NAME, one, 1)[0]
    hand_in(ledger, one, loan, TRUTH)
    same = next(other for other in take(ledger, NAME, two, 4) if other.window == loan.window)
    hand_in(ledger, two, same, GUESS)
    with ledger.read() as connection:
        row = connection.execute(select(Task.priority, Task.disputed).where(Task.counted == 2)).one()
    assert row.disputed == 0.25
    guess, answers = np.frombuffer(GUESS, np.uint8), np.array([list(TRUTH), list(GUESS)], np.uint8)
    expected = GainModel.assumed((1, 2, 3)).expect(guess, None, answers, copies=3, least=0.25)
    assert row.priority == pytest.approx(expected.per_second)


def test_a_draft_ends_with_its_submission(ledger: Ledger) -> None:
    from landloom.annotate.ledger.drafts import save_draft

    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    save_draft(ledger, NAME, ada, loan.id, GUESS, 0)
    hand_in(ledger, ada, loan)
    with ledger.read() as connection:
        assert not connection.execute(select(Draft.version)).all()
    with pytest.raises(ConflictError):
        save_draft(ledger, NAME, ada, loan.id, GUESS, 1)
