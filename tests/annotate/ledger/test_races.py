"""Many people at once: no place is held twice, nothing is counted twice, nothing is lost."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from tests.annotate.ledger.made import GUESS, NAME, TRUTH, fill, hand_in, person, work
from tests.annotate.ledger.test_queue import expire

from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.errors import ConflictError, LeaseLostError
from landloom.annotate.ledger.progress import chips, submissions
from landloom.annotate.ledger.queue import heartbeat, skip, take
from landloom.annotate.ledger.schema import models
from landloom.annotate.ledger.schema.models import Assignment, Task
from landloom.annotate.ledger.submissions import submit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import Submission, User


def run_all(calls: list[Callable[[], object]]) -> list[object]:
    """Run everything at the same moment."""
    barrier = threading.Barrier(len(calls))

    def together(call: Callable[[], object]) -> object:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(together, call) for call in calls]]


def check_counts(ledger: Ledger) -> None:
    """The laws of the queue, from the rows themselves."""
    with ledger.read() as connection:
        over = connection.execute(
            select(Task.id, func.count())
            .join(Assignment, Assignment.task_id == Task.id)
            .where(Assignment.place >= 0)
            .group_by(Task.id, Task.copies, Task.taken)
            .having((func.count() > Task.copies) | (func.count() != Task.taken))
        ).all()
        twice = connection.execute(
            select(Assignment.user_id, Assignment.location)
            .group_by(Assignment.user_id, Assignment.location)
            .having(func.count() > 1)
        ).all()
        sequences = (
            connection.execute(select(models.Submission.sequence).order_by(models.Submission.sequence)).scalars().all()
        )
    assert not over
    assert not twice
    assert list(sequences) == list(range(1, len(sequences) + 1))
    assert verify(ledger, NAME) == len(sequences)


def test_everybody_works_at_once(ledger: Ledger) -> None:
    fill(ledger, chips=6, annotators=3)
    people = [person(ledger, f"annotator {number}") for number in range(8)]

    def label(user: User) -> int:
        done = 0
        while loans := take(ledger, NAME, user, 2):
            for loan in loans:
                assert hand_in(ledger, user, loan, TRUTH if done % 2 else GUESS).state == "accepted"
                done += 1
        return done

    done = run_all([partial(label, user) for user in people])
    assert sum(map(int, map(str, done))) == 6 * 4 * 3
    check_counts(ledger)
    assert all(one.done == one.tasks for one in chips(ledger, NAME))
    assert all(one.counted for one in submissions(ledger, NAME))


def test_people_race_for_the_last_place(ledger: Ledger) -> None:
    fill(ledger, chips=1, annotators=1)
    people = [person(ledger, f"annotator {number}") for number in range(10)]
    taken = run_all([partial(take, ledger, NAME, user, 1) for user in people])
    assert sum(map(bool, taken)) == 4
    check_counts(ledger)


def test_two_tabs_of_one_person(ledger: Ledger) -> None:
    fill(ledger, chips=2)
    ada = person(ledger, "ada")
    tabs = run_all([lambda: tuple(one.id for one in take(ledger, NAME, ada, 3))] * 6)
    assert len(set(tabs)) == 1
    loan = take(ledger, NAME, ada, 1)[0]
    sent = [work(labels) for labels in (TRUTH, GUESS) for _ in range(2)]

    def send(one: Submission) -> str:
        return submit(ledger, NAME, ada, loan.id, one).state

    states = run_all([partial(send, one) for one in sent])
    assert Counter(states) == {"accepted": 1, "surplus": 3}
    check_counts(ledger)


def test_one_submission_sent_many_times_at_once(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    sent = work()
    receipts = run_all([lambda: submit(ledger, NAME, ada, loan.id, sent)] * 8)
    assert len({str(one) for one in receipts}) == 1
    check_counts(ledger)


def test_one_id_for_two_tasks_at_once(ledger: Ledger) -> None:
    fill(ledger)
    people = [person(ledger, f"annotator {number}") for number in range(4)]
    loans = [(user, take(ledger, NAME, user, 1)[0].id) for user in people]
    identity = str(uuid4())

    def attempt(user: User, loan: str) -> str:
        try:
            return submit(ledger, NAME, user, loan, work(id=identity)).state
        except ConflictError:
            return "conflict"

    outcomes = run_all([partial(attempt, user, loan) for user, loan in loans])
    assert Counter(outcomes) == {"accepted": 1, "conflict": 3}
    check_counts(ledger)


def test_leases_end_while_people_work(ledger: Ledger) -> None:
    fill(ledger, chips=4, annotators=2)
    people = [person(ledger, f"annotator {number}") for number in range(6)]
    states: list[str] = []

    def label(user: User, *, slow: bool) -> None:
        while loans := take(ledger, NAME, user, 3):
            if slow:
                expire(ledger, *(one.id for one in loans))
            for loan in loans:
                with suppress(LeaseLostError):
                    heartbeat(ledger, NAME, user, loan.id)
                states.append(hand_in(ledger, user, loan).state)

    run_all([partial(label, user, slow=n % 2 == 0) for n, user in enumerate(people)])
    check_counts(ledger)
    total = chips(ledger, NAME)
    assert sum(one.submissions for one in total) == 4 * 4 * 2 == states.count("accepted")
    assert sum(one.surplus for one in total) == states.count("surplus")
    assert len(states) == len(list(submissions(ledger, NAME)))


def test_two_hosts_share_a_ledger(ledger: Ledger, ledger_url: str) -> None:
    fill(ledger, chips=3, annotators=2)
    people = [person(ledger, f"annotator {number}") for number in range(4)]
    with open_ledger(ledger_url) as other:

        def label(host: Ledger, user: User) -> None:
            while loans := take(host, NAME, user, 1):
                hand_in(host, user, loans[0])

        run_all([partial(label, (ledger, other)[n % 2], user) for n, user in enumerate(people)])
    check_counts(ledger)
    assert sum(one.submissions for one in chips(ledger, NAME)) == 3 * 4 * 2


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["take", "submit", "skip", "expire", "heartbeat"]), st.integers(0, 2), st.integers(0, 5)),
    max_size=40,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_whatever_people_do_the_laws_hold(tmp_path: Path, actions: list[tuple[str, int, int]]) -> None:
    """Any order of actions, against the laws of the queue; what happens at once is tested above on both databases."""
    path = tmp_path / f"{uuid4()}.sqlite"
    with open_ledger(f"sqlite:///{path}") as ledger:
        fill(ledger, chips=2, annotators=2)
        people = [person(ledger, f"annotator {number}") for number in range(3)]
        loans: list[dict[str, object]] = [{}, {}, {}]
        accepted = 0
        for action, who, which in actions:
            user, own = people[who], loans[who]
            if action == "take":
                own |= {one.id: one for one in take(ledger, NAME, user, which + 1)}
                continue
            if not own:
                continue
            identity = sorted(own)[which % len(own)]
            try:
                if action == "submit":
                    accepted += submit(ledger, NAME, user, identity, work()).state == "accepted"
                elif action == "skip":
                    skip(ledger, NAME, user, identity, "")
                elif action == "expire":
                    expire(ledger, identity)
                else:
                    heartbeat(ledger, NAME, user, identity)
            except (ConflictError, LeaseLostError):
                pass
            check_counts(ledger)
        assert sum(one.counted for one in submissions(ledger, NAME)) == accepted
    path.unlink()


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_sqlite_is_set_up_to_keep_what_it_acknowledged(ledger: Ledger) -> None:
    with ledger.write() as connection:
        pragmas = [connection.execute(text(f"pragma {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_postgresql_is_set_up_to_keep_what_it_acknowledged(ledger: Ledger) -> None:
    with ledger.write() as connection:
        assert connection.execute(text("show synchronous_commit")).scalar() == "on"
        assert connection.execute(text("show transaction_isolation")).scalar() == "read committed"
    with ledger.read() as connection:
        assert connection.execute(text("show transaction_isolation")).scalar() == "repeatable read"
