"""Attempts to log in: bounded by name and address, forgotten after some minutes."""

from __future__ import annotations

from threading import Thread

import pytest

from landloom.server.annotate.attempts import (
    ADDRESS_FAILURES,
    MINUTES,
    NAME_FAILURES,
    PAIR_FAILURES,
    Attempts,
    TooManyAttemptsError,
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def tried(attempts: Attempts, pairs: list[tuple[str, str]]) -> int:
    allowed = 0
    for name, address in pairs:
        try:
            attempts.begin(name, address)
        except TooManyAttemptsError:
            continue
        allowed += 1
    return allowed


def test_each_bound_holds() -> None:
    assert tried(Attempts(), [("ann", "a")] * 500) == PAIR_FAILURES
    assert tried(Attempts(), [(f"n{number}", "a") for number in range(500)]) == ADDRESS_FAILURES
    assert tried(Attempts(), [("ann", f"a{number}") for number in range(500)]) == NAME_FAILURES


def test_they_are_forgotten_one_by_one() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    for _ in range(PAIR_FAILURES):
        attempts.begin("ann", "a")
        clock.now += 10
    with pytest.raises(TooManyAttemptsError) as caught:
        attempts.begin("ann", "a")
    assert caught.value.seconds == 60 * MINUTES - 10 * PAIR_FAILURES
    clock.now = 60 * MINUTES
    attempts.begin("ann", "a")
    with pytest.raises(TooManyAttemptsError):
        attempts.begin("ann", "a")


def test_people_who_know_their_password_are_not_counted() -> None:
    attempts = Attempts()
    for _ in range(1_000):
        attempts.begin("ann", "a")
        attempts.succeeded("ann", "a")


def test_many_at_once_count_before_any_has_failed() -> None:
    attempts, allowed = Attempts(), []
    threads = [Thread(target=lambda: allowed.append(tried(attempts, [("ann", "a")] * 50))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == PAIR_FAILURES
