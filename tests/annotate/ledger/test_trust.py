"""Trust states, reissue of untrusted work, qualification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.annotate.ledger.made import GUESS, NAME, TRUTH, WRONG, fill, hand_in, person
from tests.annotate.ledger.test_queue import expire

from landloom.annotate.ledger.accounts.audit import events
from landloom.annotate.ledger.answers import answered_tasks, expert_agreement
from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.errors import NotAllowedError
from landloom.annotate.ledger.progress import annotators, submissions
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.trust import give_another_chance
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.trust import Trust
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User


def answer_references(ledger: Ledger) -> None:
    eve = person(ledger, "eve", Role.EXPERT)
    for loan in take(ledger, NAME, eve, 10):
        hand_in(ledger, eve, loan, TRUTH)


def label_all(ledger: Ledger, user: User, labels: bytes) -> int:
    done = 0
    while loans := take(ledger, NAME, user, 1):
        hand_in(ledger, user, loans[0], labels)
        done += 1
    return done


def standing(ledger: Ledger, user: User) -> tuple[Trust, int]:
    row = next(one for one in annotators(ledger, NAME) if one.name == user.name)
    return row.trust, row.counted


def counted(ledger: Ledger) -> list[str]:
    return [answer.annotator for task in answered_tasks(ledger, NAME) for answer in task.answers]


def test_a_second_expert_answers_references_again(ledger: Ledger) -> None:
    """Blind to the first answer, and never the same person; where the two differ, nobody is scored."""
    fill(ledger, chips=1, kinds={0: TaskKind.REFERENCE}, annotators=2, relabel_share=1.0, trust_after=1)
    eve = person(ledger, "eve", Role.EXPERT)
    (first,) = take(ledger, NAME, eve, 10)
    hand_in(ledger, eve, first, TRUTH)
    assert take(ledger, NAME, eve, 10) == ()
    ann = person(ledger, "ann")
    before = take(ledger, NAME, ann, 4)
    for loan in before:
        hand_in(ledger, ann, loan, GUESS)  # the last quarter of the reference is another class
    assert annotated(ledger) == [(12, 16)]
    fay, gus = person(ledger, "fay", Role.EXPERT), person(ledger, "gus", Role.EXPERT)
    (again,) = take(ledger, NAME, fay, 10)
    assert (again.window, again.guess) == (first.window, first.guess)
    assert take(ledger, NAME, gus, 10) == (), "one more expert is enough"
    assert expert_agreement(ledger, NAME).share is None
    hand_in(ledger, fay, again, GUESS)
    assert annotated(ledger) == [(12, 12)], "scored again without the pixels on which experts differ"
    agreement = expert_agreement(ledger, NAME)
    assert (agreement.tasks, agreement.pixels, agreement.same) == (1, 16, 12)
    (task,) = (one for one in answered_tasks(ledger, NAME) if one.reference is not None)
    assert task.reference == bytes(a if a == b else 0 for a, b in zip(TRUTH, GUESS, strict=True))
    assert eve.pseudonym not in counted(ledger)
    assert fay.pseudonym not in counted(ledger)
    assert verify(ledger, NAME) == 6


def test_a_second_answer_whose_lease_ended_is_kept(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={0: TaskKind.REFERENCE}, relabel_share=1.0)
    answer_references(ledger)
    fay, gus = person(ledger, "fay", Role.EXPERT), person(ledger, "gus", Role.EXPERT)
    (late,) = take(ledger, NAME, fay, 1)
    expire(ledger, late.id)
    (other,) = take(ledger, NAME, gus, 1)
    assert hand_in(ledger, gus, other, TRUTH).state == "accepted"
    assert hand_in(ledger, fay, late, GUESS).state == "surplus"
    assert expert_agreement(ledger, NAME).share == 1.0


def test_without_a_share_nobody_answers_a_reference_again(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={0: TaskKind.REFERENCE}, relabel_share=0.0)
    answer_references(ledger)
    assert take(ledger, NAME, person(ledger, "fay", Role.EXPERT), 1) == ()


def annotated(ledger: Ledger) -> list[tuple[int, int]]:
    """Right pixels, and those compared, of each answer to a reference."""
    scores = [one.result for one in submissions(ledger, NAME) if one.result is not None]
    return [(sum(one.right.values()), sum(one.pixels.values())) for one in scores]


def test_untrusted_work_is_issued_again(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={0: TaskKind.REFERENCE}, annotators=1)
    answer_references(ledger)
    bad, good = person(ledger, "bad"), person(ledger, "good")
    assert standing(ledger, bad) == (Trust.PENDING, 0)
    loans = take(ledger, NAME, bad, 4)
    receipts = [hand_in(ledger, bad, loan, WRONG) for loan in loans]
    assert {one.state for one in receipts} == {"accepted"}
    assert standing(ledger, bad) == (Trust.UNTRUSTED, 0)
    assert not take(ledger, NAME, bad, 1)
    assert label_all(ledger, good, TRUTH) == 4
    assert standing(ledger, good) == (Trust.TRUSTED, 4)
    assert counted(ledger) == [good.pseudonym] * 4
    told = next(one for one in events(ledger, campaign=NAME) if one.action == "trust" and one.subject == bad.pseudonym)
    assert told.detail["to"] == "untrusted"
    assert told.detail["reasons"]
    everything = [len(task.answers) for task in answered_tasks(ledger, NAME, counted=False)]
    assert everything == [2] * 4


def test_another_chance_brings_back_work_whose_places_are_free(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={0: TaskKind.REFERENCE}, annotators=1)
    answer_references(ledger)
    bad, good = person(ledger, "bad"), person(ledger, "good")
    boss = person(ledger, "boss", Role.MANAGER)
    label_all(ledger, bad, WRONG)
    hand_in(ledger, good, take(ledger, NAME, good, 1)[0], TRUTH)
    with pytest.raises(NotAllowedError):
        give_another_chance(ledger, NAME, bad, by=bad)
    before = standing(ledger, bad)
    give_another_chance(ledger, NAME, bad, by=boss)
    trust, kept = standing(ledger, bad)
    assert before == (Trust.UNTRUSTED, 0)
    assert trust is Trust.PENDING
    assert sorted(counted(ledger)) == sorted([bad.pseudonym] * kept + [good.pseudonym])


def test_acceptance_rules_hold_per_class(ledger: Ledger) -> None:
    kinds = dict.fromkeys(range(16), TaskKind.REFERENCE)
    fill(ledger, chips=4, kinds=kinds, annotators=1, acceptance={3: 0.95}, trust_mark=0.5, trust_window=20)
    eve = person(ledger, "eve", Role.EXPERT)
    for loan in take(ledger, NAME, eve, 16):
        hand_in(ledger, eve, loan, TRUTH)
    ada = person(ledger, "ada")
    done = label_all(ledger, ada, GUESS)  # all right but for class 3, which is known once it has 50 pixels
    assert done == 13
    assert standing(ledger, ada) == (Trust.UNTRUSTED, 0)


def test_the_qualification_round_comes_first_with_feedback(ledger: Ledger) -> None:
    kinds = {0: TaskKind.QUALIFICATION, 5: TaskKind.QUALIFICATION}
    fill(ledger, chips=2, kinds=kinds, annotators=1, qualification=2, pass_mark=0.8)
    ada, ben = person(ledger, "ada"), person(ledger, "ben")
    assert not take(ledger, NAME, ada, 10)
    answer_references(ledger)
    for user in (ada, ben):  # everybody does each of them
        loans = take(ledger, NAME, user, 10)
        assert [one.qualification for one in loans] == [True, True]
        first = hand_in(ledger, user, loans[0], TRUTH).feedback
        assert first is not None
        assert (first.right, first.pixels, first.labels, first.left, first.passed) == (16, 16, TRUTH, 1, None)
        second = hand_in(ledger, user, loans[1], TRUTH if user is ada else WRONG).feedback
        assert second is not None
        assert (second.left, second.passed) == (0, user is ada)
    assert {one.qualification for one in take(ledger, NAME, ada, 10)} == {False}
    assert not take(ledger, NAME, ben, 10)
    give_another_chance(ledger, NAME, ben, by=None)
    assert len(take(ledger, NAME, ada, 10)) == 6
    assert not any(task.kind is TaskKind.QUALIFICATION for task in answered_tasks(ledger, NAME))
