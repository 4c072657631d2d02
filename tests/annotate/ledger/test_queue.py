"""Who gets what: leases, places, chips, roles."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update
from tests.annotate.ledger.made import GUESS, NAME, PIXELS, campaign_of, fill, hand_in, person, tasks_of, windows, work

from landloom.annotate.ledger.accounts.users import grant, revoke
from landloom.annotate.ledger.campaigns import create_campaign
from landloom.annotate.ledger.drafts import save_draft
from landloom.annotate.ledger.errors import ConflictError, LeaseLostError, NotAllowedError
from landloom.annotate.ledger.queue import assignment, heartbeat, skip, take
from landloom.annotate.ledger.schema.models import Assignment, Campaign, Task
from landloom.annotate.ledger.submissions import submit
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import TaskKind
from landloom.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User
    from landloom.annotate.tasks.values import TaskWindow


def expire(ledger: Ledger, *identities: str) -> None:
    """Leases end: the database's time is moved past them, by moving them."""
    ledger.transact(
        lambda connection: connection.execute(
            update(Assignment).where(Assignment.public_id.in_(identities)).values(expires=Assignment.expires - 10_000)
        )
    )


def test_a_chip_is_worked_through_before_the_next(ledger: Ledger) -> None:
    fill(ledger, chips=3)
    ada = person(ledger, "ada")
    chips = []
    while loans := take(ledger, NAME, ada, 1):
        chips.append(loans[0].window.chip)
        hand_in(ledger, ada, loans[0])
    assert len(chips) == 12
    assert [chips[n] for n in range(0, 12, 4)] == list(dict.fromkeys(chips))


def test_live_loans_come_back_first(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    first = take(ledger, NAME, ada, 2)
    again = take(ledger, NAME, ada, 3)
    assert [one.id for one in again[:2]] == [one.id for one in first]
    assert len({one.window for one in again}) == 3
    assert assignment(ledger, NAME, ada, first[0].id) == first[0]
    assert all(len(one.guess) == PIXELS for one in again)


def test_places_run_out_and_nobody_sees_a_place_twice(ledger: Ledger) -> None:
    fill(ledger, chips=1)
    people = [person(ledger, name) for name in ("ada", "ben", "cas")]
    taken = [take(ledger, NAME, one, 10) for one in people]
    assert [len(one) for one in taken] == [4, 4, 0]
    for user, loans in zip(people, taken, strict=True):
        for loan in loans:
            hand_in(ledger, user, loan)
    assert not any(take(ledger, NAME, one, 10) for one in people)


def test_a_place_is_never_given_twice_to_a_person_whatever_its_kind(ledger: Ledger) -> None:
    from tests.annotate.ledger.made import campaign_of, tasks_of

    from landloom.annotate.ledger.campaigns import create_campaign

    twice = tasks_of(1, {}, 2) + tasks_of(1, dict.fromkeys(range(4), TaskKind.BLIND), 2)
    create_campaign(ledger, campaign_of(), twice, scenes={"chip_00": 2})
    ada = person(ledger, "ada")
    loans = take(ledger, NAME, ada, 10)
    assert len(loans) == 4
    assert len({one.window for one in loans}) == 4


def test_an_ended_lease_goes_to_others_and_comes_back_while_a_place_is_free(ledger: Ledger) -> None:
    fill(ledger, chips=1, annotators=1)
    ada, ben = person(ledger, "ada"), person(ledger, "ben")
    loans = take(ledger, NAME, ada, 4)
    assert not take(ledger, NAME, ben, 4)
    assert save_draft(ledger, NAME, ada, loans[0].id, bytes(PIXELS), 0) == 1
    expire(ledger, *(one.id for one in loans))
    lost = take(ledger, NAME, ben, 2)
    assert len(lost) == 2
    back = take(ledger, NAME, ada, 4)
    assert {one.id for one in back} == {one.id for one in loans if one.window not in {two.window for two in lost}}
    assert heartbeat(ledger, NAME, ada, back[0].id) >= back[0].expires_at
    gone = next(one for one in loans if one.window == lost[0].window)
    with pytest.raises(LeaseLostError):
        heartbeat(ledger, NAME, ada, gone.id)
    assert hand_in(ledger, ada, gone).state == "surplus"
    assert hand_in(ledger, ben, lost[0]).state == "accepted"


def test_a_late_submission_takes_a_place_that_is_still_free(ledger: Ledger) -> None:
    fill(ledger, chips=1, annotators=1)
    ada, ben = person(ledger, "ada"), person(ledger, "ben")
    loan = take(ledger, NAME, ada, 1)[0]
    expire(ledger, loan.id)
    others = take(ledger, NAME, ben, 1)
    if others[0].window == loan.window:
        skip(ledger, NAME, ben, others[0].id, "too cloudy")
    assert hand_in(ledger, ada, loan).state == "accepted"
    rest = {one.window for one in take(ledger, NAME, ben, 10)}
    assert loan.window not in rest
    assert len(rest) == 3


def test_a_skipped_task_goes_to_others_alone(ledger: Ledger) -> None:
    fill(ledger, chips=1, annotators=1)
    ada, ben = person(ledger, "ada"), person(ledger, "ben")
    loan = take(ledger, NAME, ada, 1)[0]
    skip(ledger, NAME, ada, loan.id, "clouds")
    skip(ledger, NAME, ada, loan.id, "clouds")
    with pytest.raises(ConflictError, match="skipped"):
        heartbeat(ledger, NAME, ada, loan.id)
    assert loan.window not in {one.window for one in take(ledger, NAME, ada, 10)}
    assert take(ledger, NAME, ben, 10)[0].window == loan.window


def test_others_see_no_assignment_of_mine(ledger: Ledger) -> None:
    fill(ledger)
    ada, ben = person(ledger, "ada"), person(ledger, "ben")
    loan = take(ledger, NAME, ada, 1)[0]
    for identity in (loan.id, "unknown", ""):
        for call in (
            lambda identity=identity: assignment(ledger, NAME, ben, identity),
            lambda identity=identity: heartbeat(ledger, NAME, ben, identity),
            lambda identity=identity: skip(ledger, NAME, ben, identity, ""),
            lambda identity=identity: save_draft(ledger, NAME, ben, identity, bytes(PIXELS), 0),
            lambda identity=identity: submit(ledger, NAME, ben, identity, work()),
        ):
            with pytest.raises(NotFoundError, match="no such assignment"):
                call()


def test_my_assignment_in_one_campaign_is_none_in_another(ledger: Ledger) -> None:
    for name in (NAME, "asia"):
        fill(ledger, chips=1, name=name)
    ada = person(ledger, "ada")
    grant(ledger, ada, Role.ANNOTATOR, "asia", by=None)
    loan = take(ledger, NAME, ada, 1)[0]
    assert save_draft(ledger, NAME, ada, loan.id, bytes(PIXELS), 0) == 1
    for call in (
        lambda: assignment(ledger, "asia", ada, loan.id),
        lambda: heartbeat(ledger, "asia", ada, loan.id),
        lambda: skip(ledger, "asia", ada, loan.id, ""),
        lambda: save_draft(ledger, "asia", ada, loan.id, bytes(PIXELS), 1),
        lambda: submit(ledger, "asia", ada, loan.id, work()),
    ):
        with pytest.raises(NotFoundError, match="no such assignment"):
            call()
    assert len(take(ledger, "asia", ada, 10)) == 4, "the same places belong to another campaign there"
    assert submit(ledger, NAME, ada, loan.id, work()).state == "accepted"


def test_only_annotators_and_experts_get_tasks(ledger: Ledger) -> None:
    fill(ledger)
    for role in (Role.REVIEWER, Role.MANAGER, Role.ADMIN):
        with pytest.raises(NotAllowedError):
            take(ledger, NAME, person(ledger, role.value, role), 1)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    revoke(ledger, ada, Role.ANNOTATOR, NAME, by=None)
    with pytest.raises(NotAllowedError):
        take(ledger, NAME, ada, 1)
    with pytest.raises(NotAllowedError):
        hand_in(ledger, ada, loan)
    with pytest.raises(NotFoundError, match="no campaign 'asia'"):
        take(ledger, "asia", ada, 1)
    with pytest.raises(InvalidValueError):
        take(ledger, NAME, ada, 0)


def test_no_reference_is_issued_before_its_expert_has_answered(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={0: TaskKind.REFERENCE, 1: TaskKind.REFERENCE})
    ada, eve = person(ledger, "ada"), person(ledger, "eve", Role.EXPERT)
    assert len(take(ledger, NAME, ada, 10)) == 2
    loans = take(ledger, NAME, eve, 10)
    assert len(loans) == 2
    assert not take(ledger, NAME, person(ledger, "eva", Role.EXPERT), 10)
    hand_in(ledger, eve, loans[0])
    mine = take(ledger, NAME, ada, 10)
    assert {one.window for one in mine} == {one.window for one in mine[:2]} | {loans[0].window}
    assert len(mine) == 3


def test_an_expert_with_both_roles_answers_references_first_and_never_again(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={3: TaskKind.REFERENCE})
    eve = person(ledger, "eve", Role.EXPERT, Role.ANNOTATOR)
    first = take(ledger, NAME, eve, 1)[0]
    hand_in(ledger, eve, first)
    rest = []
    while loans := take(ledger, NAME, eve, 1):
        rest.append(loans[0].window)
        hand_in(ledger, eve, loans[0])
    assert len(rest) == 3
    assert first.window not in rest


def test_all_kinds_look_the_same(ledger: Ledger) -> None:
    kinds = {0: TaskKind.REFERENCE, 1: TaskKind.BLIND, 2: TaskKind.PLANTED}
    fill(ledger, chips=1, kinds=kinds)
    eve, ada = person(ledger, "eve", Role.EXPERT), person(ledger, "ada")
    hand_in(ledger, eve, take(ledger, NAME, eve, 1)[0])
    loans = take(ledger, NAME, ada, 4)
    assert len(loans) == 4
    assert {len(one.id) for one in loans} == {22}
    assert not any(one.qualification for one in loans)
    assert sorted(one.guess == bytes(PIXELS) for one in loans) == [False, False, False, True]
    receipts = [hand_in(ledger, ada, one) for one in loans]
    assert {(one.state, one.feedback) for one in receipts} == {("accepted", None)}


def test_gain_leads_to_another_chip_when_it_is_worth_it(ledger: Ledger) -> None:
    values = [9.0, 1.0, 1.0, 1.0, 8.0, 7.0, 6.0, 5.0]
    tasks = [replace(one, priority=value) for one, value in zip(tasks_of(2, {}, 2), values, strict=True)]
    create_campaign(ledger, campaign_of(), tasks, scenes={"chip_00": 2, "chip_01": 2})
    ada = person(ledger, "ada")
    chips = [one.window.chip for one in take(ledger, NAME, ada, 8)]
    assert chips == ["chip_00"] + ["chip_01"] * 4 + ["chip_00"] * 3


@pytest.mark.parametrize("order", ["gain", "random"])
def test_the_order_does_not_depend_on_the_kinds(ledger: Ledger, order: str) -> None:
    """Whichever tasks are references, everybody gets the same places in the same order, pending or trusted."""
    references = ((), (2, 3, 6, 9), (0, 5, 7, 11))
    walks = []
    for number, positions in enumerate(references):
        name = f"campaign {number}"
        kinds = dict.fromkeys(positions, TaskKind.REFERENCE)
        fill(ledger, chips=3, kinds=kinds, name=name, order=order, annotators=6, trust_after=2)
        eve = person(ledger, f"eve {number}", Role.EXPERT, campaign=name)
        for loan in take(ledger, name, eve, 10):
            submit(ledger, name, eve, loan.id, work())
        for user in [person(ledger, f"ada {number} {one}", campaign=name) for one in range(6)]:
            windows = []
            while loans := take(ledger, name, user, 1):
                windows.append(loans[0].window)
                submit(ledger, name, user, loans[0].id, work())
            walks.append((number, windows))
    assert all(len(windows) == 12 for _, windows in walks)
    first, *others = ([windows for own, windows in walks if own == number] for number in range(len(references)))
    assert others == [first] * len(others)


def test_a_reference_that_comes_late_is_not_seen_to_do_so(ledger: Ledger) -> None:
    """Whoever had begun its chip gets it last, unless all priorities are new; whoever had not gets it in its order."""
    values = [4.0, 9.0, 2.0, 1.0, 0.8, 0.7, 0.6, 0.5]
    drawn = tasks_of(2, {1: TaskKind.REFERENCE}, 3)
    tasks = [replace(one, priority=value) for one, value in zip(drawn, values, strict=True)]
    create_campaign(ledger, campaign_of(annotators=3), tasks, scenes={"chip_00": 2, "chip_01": 2})
    ada, ben, eve = person(ledger, "ada"), person(ledger, "ben"), person(ledger, "eve", Role.EXPERT)
    late = windows(2)[1]

    def step(user: User) -> TaskWindow:
        loan = take(ledger, NAME, user, 1)[0]
        hand_in(ledger, user, loan, GUESS)
        return loan.window

    assert step(ada) == windows(2)[0]
    assert step(eve) == late
    assert step(ben) == late
    before_last = [step(ada) for _ in range(6)]
    assert late not in before_last
    assert step(ada) == late


def test_a_late_reference_comes_when_all_priorities_are_new(ledger: Ledger) -> None:
    fill(ledger, chips=1, kinds={1: TaskKind.REFERENCE})
    ada, eve = person(ledger, "ada"), person(ledger, "eve", Role.EXPERT)
    take(ledger, NAME, ada, 1)
    hand_in(ledger, eve, take(ledger, NAME, eve, 1)[0], GUESS)
    ledger.transact(
        lambda connection: connection.execute(update(Task).where(Task.kind == "reference").values(priority=5))
    )
    assert take(ledger, NAME, ada, 2)[1].window != windows(1)[1]
    ledger.transact(lambda connection: connection.execute(update(Campaign).values(ordered=1)))
    assert take(ledger, NAME, ada, 3)[2].window == windows(1)[1]


def test_random_order_stays_on_the_chip(ledger: Ledger) -> None:
    values = [9.0, 1.0, 1.0, 1.0, 8.0, 7.0, 6.0, 5.0]
    tasks = [replace(one, priority=value) for one, value in zip(tasks_of(2, {}, 2), values, strict=True)]
    create_campaign(ledger, campaign_of(order="random"), tasks, scenes={"chip_00": 2, "chip_01": 2})
    ada = person(ledger, "ada")
    assert Counter(one.window.chip for one in take(ledger, NAME, ada, 4)) == {"chip_00": 4}


def test_the_lease_is_by_the_databases_time(ledger: Ledger) -> None:
    from landloom.annotate.ledger.database import now

    fill(ledger, lease_seconds=500, heartbeat_seconds=60)
    loan = take(ledger, NAME, person(ledger, "ada"), 1)[0]
    with ledger.read() as connection:
        left = loan.expires_at.timestamp() - now(connection)
        assert connection.execute(select(func.count()).select_from(Assignment)).scalar_one() == 1
    assert 0 < left <= 500
