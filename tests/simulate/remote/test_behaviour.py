"""Faults occur as often as stated, and answers of all connections share the bandwidth."""

from __future__ import annotations

from collections import Counter

import pytest

from landloom.errors import InvalidValueError
from landloom.simulate.remote.behaviour import Behaviour, Line


def test_faults_are_as_frequent_as_stated() -> None:
    behaviour = Behaviour(unavailable=0.05, cut=0.02, absent=0.01, seed=3)
    count = 20_000
    met = Counter(str(behaviour.fault(f"/{number}.tif", 0)) for number in range(count))
    for fault, share in (("503", 0.05), ("cut", 0.02), ("404", 0.01)):
        expected = share * count
        assert abs(met[fault] - expected) < 5 * expected**0.5  # five standard deviations


def test_a_404_is_said_once() -> None:
    behaviour = Behaviour(absent=0.5)
    first = [number for number in range(100) if behaviour.fault(f"/{number}", 0) == "404"]
    assert len(first) > 20
    assert {behaviour.fault(f"/{number}", times) for number in first for times in (1, 2, 3)} == {None}


def test_equal_requests_have_equal_faults_and_seeds_tell_them_apart() -> None:
    one, other = (Behaviour(unavailable=0.5, seed=seed) for seed in (1, 2))
    names = [f"/{number}" for number in range(64)]
    assert [one.fault(name, 0) for name in names] == [one.fault(name, 0) for name in names]
    assert [one.fault(name, 0) for name in names] != [other.fault(name, 0) for name in names]


def test_behaviour_survives_json() -> None:
    for one in (Behaviour(), Behaviour(latency=0.1, bandwidth=5.0, cut=0.1, seed=7)):
        assert Behaviour.parse(one.document()) == one


def test_bytes_take_their_time_whoever_sends_them() -> None:
    now, waits = [0.0], list[float]()
    line = Line(100.0, sleep=waits.append, now=lambda: now[0])
    line.carry(100)
    line.carry(50)
    now[0] = 10.0
    line.carry(20)
    assert waits == pytest.approx([1.0, 1.5, 0.2])


@pytest.mark.parametrize("wrong", [{"cut": -0.1}, {"cut": 0.6, "absent": 0.6}, {"bandwidth": 0.0}, {"latency": -1.0}])
def test_impossible_behaviour_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError, match="expected"):
        Behaviour(**wrong)  # type: ignore[arg-type]
