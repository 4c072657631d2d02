"""The order of the tasks follows what experts found, and tells no kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from tests.annotate.ledger.made import (
    GUESS,
    NAME,
    PIXELS,
    SCENES,
    TRUTH,
    campaign_of,
    hand_in,
    person,
    tasks_of,
    windows,
)

from landloom.annotate.ledger.campaigns import create_campaign
from landloom.annotate.ledger.imported import import_references
from landloom.annotate.ledger.order.priorities import renew
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.schema.models import Campaign, Chip, Task
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import TaskKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.annotate.ledger.database import Ledger

CHIPS = 3


def fill(ledger: Ledger, kinds: Mapping[int, TaskKind], doubts: Mapping[int, int], **settings: Any) -> None:
    """A campaign whose tasks state a doubt, by position; 100 by default."""
    campaign = campaign_of(**settings)
    tasks = [
        replace(task, doubt=bytes([doubts.get(number, 100)] * PIXELS), error=0.0)
        for number, task in enumerate(tasks_of(CHIPS, kinds, campaign.settings.annotators))
    ]
    create_campaign(ledger, campaign, tasks, scenes={task.window.chip: SCENES for task in tasks})


def priorities(ledger: Ledger) -> list[float]:
    with ledger.read() as connection:
        return list(connection.execute(select(Task.priority).order_by(Task.id)).scalars())


def test_doubt_is_measured_on_the_references(ledger: Ledger) -> None:
    """Stated: the first chips are the most doubtful; found: the guess is right there and wrong where it is sure."""
    fill(ledger, {}, dict.fromkeys(range(4, 12), 60))
    expert = person(ledger, "eve", Role.EXPERT)
    assert renew(ledger, NAME) == 4 * CHIPS
    before = priorities(ledger)
    assert before[3] > before[7]
    places = windows(CHIPS)
    import_references(ledger, NAME, expert, {places[0]: GUESS, places[1]: GUESS, places[4]: TRUTH, places[5]: TRUTH})
    after = priorities(ledger)
    assert after[7] > after[3]
    assert after[3] < before[3]


def test_a_chip_with_errors_comes_first(ledger: Ledger) -> None:
    fill(ledger, {}, {})
    places = windows(CHIPS)
    found = {places[0]: GUESS, places[1]: GUESS, places[4]: TRUTH, places[5]: TRUTH}
    import_references(ledger, NAME, person(ledger, "eve", Role.EXPERT), found)
    with ledger.read() as connection:
        right, wrong, unknown = connection.execute(select(Chip.factor).order_by(Chip.id)).scalars()
    assert right < unknown == 1 < wrong
    after = priorities(ledger)
    assert after[2] < after[10] < after[6]


def test_the_order_tells_no_kind(ledger: Ledger) -> None:
    """Tasks of one chip with one guess, one doubt and the same answers have one priority."""
    kinds = {0: TaskKind.REFERENCE, 1: TaskKind.BLIND, 2: TaskKind.PLANTED}
    fill(ledger, kinds, {}, annotators=3)
    import_references(ledger, NAME, person(ledger, "eve", Role.EXPERT), {windows(1)[0]: TRUTH})
    renew(ledger, NAME)
    first = priorities(ledger)[:4]
    ada = person(ledger, "ada")
    for loan in take(ledger, NAME, ada, 4):
        hand_in(ledger, ada, loan, TRUTH)
    second = priorities(ledger)[:4]
    renew(ledger, NAME)
    third = priorities(ledger)[:4]
    assert all(one == pytest.approx(one[:1] * 4) for one in (first, second, third))
    assert first[0] != second[0]


def test_it_is_renewed_when_that_is_due(ledger: Ledger) -> None:
    fill(ledger, {}, {})
    assert renew(ledger, NAME, only_if_due=True) == 0
    people = [person(ledger, name) for name in ("ada", "ben")]
    for one in people:
        for _ in range(4):
            for loan in take(ledger, NAME, one, 3):
                hand_in(ledger, one, loan, GUESS)
    assert renew(ledger, NAME, only_if_due=True) == 0
    with ledger.write() as connection:
        connection.execute(Campaign.__table__.update().values(ordered=-30))  # type: ignore[attr-defined]
    assert renew(ledger, NAME, only_if_due=True) == 0  # every task has its answers
    with ledger.read() as connection:
        assert connection.execute(select(Campaign.ordered)).scalar_one() == 4 * CHIPS * 2


def test_a_random_order_stays(ledger: Ledger) -> None:
    fill(ledger, {}, {}, order="random")
    import_references(ledger, NAME, person(ledger, "eve", Role.EXPERT), {windows(1)[0]: TRUTH})
    assert renew(ledger, NAME) == 0
    assert set(priorities(ledger)) == {1.0}


def test_where_two_agree_no_third_is_asked(ledger: Ledger) -> None:
    """Whatever the kind of the task; where two disagree, a third decides."""
    fill(ledger, {1: TaskKind.BLIND, 2: TaskKind.PLANTED}, {}, annotators=3, least_gain=5.0)
    ada, ben, cid = (person(ledger, name) for name in ("ada", "ben", "cid"))
    for user, labels in ((ada, (GUESS,) * 4), (ben, (GUESS, GUESS, GUESS, bytes([3] * PIXELS)))):
        given = dict(zip(windows(1), labels, strict=True))
        for _ in range(4 * CHIPS):
            loan = take(ledger, NAME, user, 1)[0]
            hand_in(ledger, user, loan, given.get(loan.window, GUESS))
    assert [loan.window for loan in take(ledger, NAME, cid, 4 * CHIPS)] == [windows(1)[3]]
    with ledger.read() as connection:
        rows = connection.execute(select(Task.copies, Task.counted).order_by(Task.id)).all()
    assert [(one.copies, one.counted) for one in rows] == [(2, 2)] * 3 + [(3, 2)] + [(2, 2)] * 8
