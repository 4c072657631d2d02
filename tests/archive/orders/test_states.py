from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from landloom.archive.orders import states as machine
from landloom.archive.orders.states import ActionKind, Order, Rules, State, next_action, orders_of
from landloom.errors import InvalidInputError, InvalidValueError
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.time import parse_instant

NOW = parse_instant("2024-01-01")
RULES = Rules()
HOUR = timedelta(hours=1)


def order(name: str, state: State = State.UNKNOWN, **more: Any) -> Order:
    return replace(Order(id=name, href=f"https://example.org/{name}", state=state), **more)


def test_orders_and_questions_go_before_downloads_and_the_first_wanted_is_ordered_first() -> None:
    everything = [
        order("d", State.ONLINE, online_since=NOW - HOUR),
        order("c", State.ORDERED, ordered_at=NOW - HOUR, due=NOW),
        order("b", State.OFFLINE),
        order("a", State.OFFLINE),
    ]
    action = next_action(everything, RULES, NOW)
    assert (action.kind, action.order) == (ActionKind.ORDER, everything[2])
    action = next_action([*everything[:2], order("e")], RULES, NOW)
    assert action.kind is ActionKind.ASK
    action = next_action(everything[:1], RULES, NOW)
    assert action.kind is ActionKind.DOWNLOAD


def test_what_came_online_first_is_downloaded_first() -> None:
    waiting = [
        order(name, State.ONLINE, online_since=NOW - minutes * HOUR) for name, minutes in (("a", 1), ("b", 3), ("c", 2))
    ]
    action = next_action(waiting, RULES, NOW)
    assert action.order is waiting[1]


def test_no_order_before_the_pace_allows_whatever_the_product() -> None:
    just = order("a", State.ORDERED, requested_at=NOW - timedelta(minutes=10), due=NOW + HOUR)
    action = next_action([just, order("b", State.OFFLINE)], RULES, NOW)
    assert (action.kind, action.until) == (ActionKind.WAIT, NOW + timedelta(minutes=20))
    done = replace(just, state=State.DONE, due=None)
    assert next_action([done, order("b", State.OFFLINE)], RULES, NOW).until == NOW + timedelta(minutes=20)


def test_a_refusal_holds_every_order_back_for_as_long_as_the_provider_says() -> None:
    refused = machine.refused(order("a", State.OFFLINE), reason="403", retry_after=7200.0, now=NOW, rules=RULES)
    action = next_action([refused, order("b", State.OFFLINE)], RULES, NOW)
    assert action.until == NOW + 2 * HOUR
    requested = machine.requesting(order("a", State.OFFLINE), now=NOW)
    unsaid = machine.refused(requested, reason="403", retry_after=None, now=NOW, rules=RULES)
    assert next_action([unsaid, order("b", State.OFFLINE)], RULES, NOW).until == NOW + RULES.order_every


def test_nothing_but_refusals_ends_after_a_week() -> None:
    refused = machine.refused(order("a", State.OFFLINE), reason="403", retry_after=None, now=NOW, rules=RULES)
    still = machine.refused(refused, reason="403", retry_after=None, now=NOW + 24 * HOUR, rules=RULES)
    assert still.state is State.OFFLINE
    ended = machine.refused(still, reason="403", retry_after=None, now=NOW + 24 * 7 * HOUR, rules=RULES)
    assert (ended.state, ended.reason) == (State.FAILED, "403, for 7 days")


def test_a_refused_download_waits_for_itself_alone() -> None:
    refused = machine.refused(order("a", State.ONLINE), reason="429", retry_after=60.0, now=NOW, rules=RULES)
    assert refused.state is State.ONLINE
    assert refused.due == NOW + RULES.poll_every
    assert next_action([refused, order("b", State.OFFLINE)], RULES, NOW).kind is ActionKind.ORDER


def test_an_order_that_brings_nothing_lapses() -> None:
    ordered = machine.ordered(order("a", State.OFFLINE), retry_after=None, now=NOW, rules=RULES)
    later = machine.asked(ordered, online=False, now=NOW + HOUR, rules=RULES)
    assert (later.state, later.due) == (State.ORDERED, NOW + HOUR + RULES.poll_every)
    assert machine.asked(later, online=False, now=NOW + RULES.lapse, rules=RULES).state is State.OFFLINE


def test_waits_double_up_to_the_longest_and_end_in_failure() -> None:
    one, waits = order("a", State.ONLINE), []
    while one.state is not State.FAILED:
        one = machine.failed_attempt(one, reason="HTTP 500", now=NOW, rules=RULES)
        waits += [one.due - NOW] if one.due else []
    assert waits[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert max(waits) == RULES.longest_retry
    assert len(waits) == RULES.attempts - 1
    assert one.reason == "HTTP 500 (10 times)"


def test_progress_does_not_count_as_a_try_failed_attempt() -> None:
    one = replace(order("a", State.ONLINE), attempts=RULES.attempts - 1)
    after = machine.failed_attempt(one, reason="cut", now=NOW, rules=RULES, progress=True)
    assert (after.state, after.attempts) == (State.ONLINE, RULES.attempts - 1)


def test_scenes_without_a_whole_product_are_refused() -> None:
    scene = Scene(id="s", time=NOW, granule=None, epsg=None, footprint=box(0, 0, 1, 1), bands={})
    with pytest.raises(InvalidInputError, match="s"):
        orders_of([scene])
    whole = replace(scene, layers={Role.PRODUCT: SceneFile(href="x", size=3, checksum="d50110")})
    assert orders_of([whole]) == (Order(id="s", href="x", size=3, checksum="d50110"),)


def test_rules_that_are_none() -> None:
    with pytest.raises(InvalidValueError, match="attempts"):
        Rules(attempts=0)


ANSWERS = st.sampled_from(["yes", "no", "refuse", "fail", "gone"])
EVENTS = st.lists(st.tuples(ANSWERS, st.integers(0, 7200)), max_size=200)


def after(kind: ActionKind, one: Order, answer: str, seconds: int, now: datetime) -> Order:
    """What becomes of a product when a provider answers so."""
    if answer == "fail":
        return machine.failed_attempt(one, reason="x", now=now, rules=RULES)
    if answer == "refuse":
        return machine.refused(one, reason="x", retry_after=float(seconds), now=now, rules=RULES)
    if answer == "gone":
        return machine.went_offline(one) if kind is ActionKind.DOWNLOAD else machine.failed(one, reason="x")
    if kind is ActionKind.ORDER:
        return machine.ordered(one, retry_after=float(seconds), now=now, rules=RULES)
    if kind is ActionKind.ASK:
        return machine.asked(one, online=answer == "yes", now=now, rules=RULES)
    return machine.done(one)


@settings(max_examples=50, deadline=None)
@given(EVENTS, st.integers(1, 5))
def test_whatever_the_provider_does_the_pace_is_kept_and_time_goes_on(
    events: list[tuple[str, int]], count: int
) -> None:
    known = {str(number): order(str(number)) for number in range(count)}
    now, placed_at = NOW, list[datetime]()
    for answer, seconds in events:
        action = next_action(list(known.values()), RULES, now)
        if action.kind is ActionKind.STOP:
            assert all(one.state in (State.DONE, State.FAILED) for one in known.values())
            break
        if action.order is None:
            assert action.until is not None
            assert action.until > now
            now = action.until
            continue
        one = action.order
        if action.kind is ActionKind.ORDER:
            placed_at.append(now)
            one = machine.requesting(one, now=now)
        known[one.id] = after(action.kind, one, answer, seconds, now)
        now += timedelta(seconds=seconds / 100)
    assert all(later - earlier >= RULES.order_every for earlier, later in pairwise(placed_at))
