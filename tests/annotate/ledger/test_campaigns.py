"""Campaigns go into the ledger whole, and come out as they were."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select
from tests.annotate.ledger.made import NAME, fill, hand_in, person, tasks_of, windows

from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.campaigns import campaign, campaigns, create_campaign, redraw_references
from landloom.annotate.ledger.errors import ConflictError, NotAllowedError
from landloom.annotate.ledger.order import draws
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.schema.models import Task
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import TaskKind
from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger


def test_a_campaign_comes_out_as_it_went_in(ledger: Ledger) -> None:
    made = fill(ledger, acceptance={1: 0.9}, instructions="Label what you see – not what you know.")
    assert campaign(ledger, NAME) == made
    other = replace(made, name="asia")
    create_campaign(ledger, other, tasks_of(1, {}, 2), scenes={"chip_00": 2})
    assert campaigns(ledger) == (NAME, "asia")
    with pytest.raises(NotFoundError):
        campaign(ledger, "europe")
    with pytest.raises(InvalidValueError, match="no number of scenes"):
        create_campaign(ledger, replace(made, name="x"), tasks_of(2, {}, 2), scenes={"chip_00": 2})
    tasks = list(answered_tasks(ledger, NAME, unanswered=True))
    assert [one.window for one in tasks] == windows(2)
    assert len({one.id for one in tasks}) == 8


def test_of_many_that_create_a_campaign_one_does(ledger: Ledger) -> None:
    def create(_: int) -> bool:
        try:
            fill(ledger)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(create, range(4))) == 1
    with ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(Task)).scalar_one() == 8


def test_people_work_in_two_campaigns_on_the_same_places(ledger: Ledger) -> None:
    made = fill(ledger, chips=1)
    create_campaign(ledger, replace(made, name="2027"), tasks_of(1, {}, 2), scenes={"chip_00": 2})
    ada = person(ledger, "ada")
    from landloom.annotate.ledger.accounts.users import grant

    grant(ledger, ada, Role.ANNOTATOR, "2027", by=None)
    both = [take(ledger, name, ada, 4) for name in (NAME, "2027")]
    assert {one.window for one in both[0]} == {one.window for one in both[1]}
    assert hand_in(ledger, ada, both[1][0], campaign="2027").sequence == 1
    assert hand_in(ledger, ada, both[0][0]).sequence == 1


def kinds(ledger: Ledger) -> dict[str, TaskKind]:
    return {one.id: one.kind for one in answered_tasks(ledger, NAME, unanswered=True)}


def test_references_are_drawn_again(ledger: Ledger) -> None:
    fill(ledger, chips=2, kinds={0: TaskKind.REFERENCE, 1: TaskKind.REFERENCE, 2: TaskKind.REFERENCE})
    eve, ada, boss = person(ledger, "eve", Role.EXPERT), person(ledger, "ada"), person(ledger, "boss", Role.MANAGER)
    first, second = take(ledger, NAME, eve, 2)
    hand_in(ledger, eve, first)  # one is answered, one is on loan to the expert, one is open
    mine = take(ledger, NAME, ada, 1)[0]
    before = kinds(ledger)
    with pytest.raises(NotAllowedError):
        redraw_references(ledger, NAME, 2, seed=1, by=ada)
    new, released = redraw_references(ledger, NAME, 2, seed=1, by=boss)
    after = kinds(ledger)
    kept = {one.window for one in (first, second)}
    found = {one.window: one.kind for one in answered_tasks(ledger, NAME, unanswered=True)}
    assert {found[window] for window in kept} == {TaskKind.REFERENCE}
    assert found[mine.window] is (TaskKind.REFERENCE if mine.window in kept else TaskKind.REGULAR)
    assert list(after.values()).count(TaskKind.REFERENCE) == 4
    assert new - released == 1
    assert before.keys() == after.keys()
    with pytest.raises(InvalidInputError):
        redraw_references(ledger, NAME, 20, seed=1, by=boss)
    assert kinds(ledger) == after
    assert len(take(ledger, NAME, eve, 10)) == 3


def test_a_large_campaign_is_drawn_from_quickly(ledger: Ledger) -> None:
    """No index is missing: a draw does not look at every task (a law about work, not about time)."""
    fill(ledger, chips=300)
    ada = person(ledger, "ada")
    assert len(take(ledger, NAME, ada, 8)) == 8
    plan = "explain query plan" if ledger.dialect == "sqlite" else "explain"
    bound = draws._PRIORITY.params(user=1, campaign=1)
    query = str(bound.compile(ledger.engine, compile_kwargs={"literal_binds": True}))
    with ledger.read() as connection:
        if ledger.dialect == "postgresql":
            connection.exec_driver_sql("set local enable_seqscan = off")
        lines = connection.exec_driver_sql(f"{plan} {query}").all()
    assert "ix_task_queue" in str(lines)
    assert "TEMP B-TREE" not in str(lines)
