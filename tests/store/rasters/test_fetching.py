"""Ranges are fetched many at a time, in order, within a budget; one that is needed now never waits for it."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError, TransientFaultError
from landloom.model.address import REQUESTS_VARIABLE
from landloom.store.rasters.fetching import GAP, HOLES, LONGEST, Fetch, Fetcher, joined, requests_at_once

DATA = bytes(range(256))


class Slow:
    """A file that answers when it is allowed to."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.go = threading.Event()
        self.changed = threading.Condition()

    def part(self, start: int, stop: int) -> bytes:
        with self.changed:
            self.asked.append(start)
            self.changed.notify_all()
        assert self.go.wait(60)
        return DATA[start:stop]

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked) >= count, 60)


def test_as_many_as_may_be_are_on_their_way_at_a_time() -> None:
    source, fetcher = Slow(), Fetcher(requests=8)
    fetches = [Fetch(source, number, number + 1) for number in range(20)]
    fetcher.later(fetches)
    source.wait_for(8)
    assert sorted(source.asked) == list(range(8))
    source.go.set()
    assert [fetcher.now(fetch) for fetch in fetches] == [DATA[n : n + 1] for n in range(20)]
    assert len(source.asked) == 20


def test_bytes_on_their_way_and_not_yet_used_stay_within_the_budget() -> None:
    source, fetcher = Slow(), Fetcher(requests=8, budget=30)
    source.go.set()
    fetches = [Fetch(source, 10 * number, 10 * number + 10) for number in range(6)]
    fetcher.later(fetches)
    assert [fetcher.now(fetch) for fetch in fetches[:3]] == [DATA[n : n + 10] for n in (0, 10, 20)]
    assert (fetcher.held, sorted(source.asked)) == (30, [0, 10, 20])
    assert fetcher.now(fetches[5]) == DATA[50:60]
    fetcher.release(fetches[:3])
    assert [fetcher.now(fetch) for fetch in fetches[3:5]] == [DATA[30:40], DATA[40:50]]
    fetcher.release(fetches)
    assert fetcher.held == 0
    assert sorted(source.asked) == [0, 10, 20, 30, 40, 50]


def test_a_fault_is_raised_where_the_bytes_are_needed() -> None:
    class Broken:
        def part(self, start: int, stop: int) -> bytes:
            raise TransientFaultError(f"no bytes {start} to {stop}")

    fetcher, fetch = Fetcher(requests=2), Fetch(Broken(), 1, 2)
    fetcher.later([fetch])
    for _ in range(2):
        with pytest.raises(TransientFaultError, match="no bytes 1 to 2"):
            fetcher.now(fetch)


SPANS = st.lists(st.tuples(st.integers(0, 40 * GAP), st.integers(1, 4 * GAP)), max_size=20)


@given(SPANS)
def test_joined_ranges_hold_every_block_and_little_else(blocks: list[tuple[int, int]]) -> None:
    spans = sorted((start, start + size) for start, size in blocks)
    parts = joined(spans)
    assert all(any(first <= start and stop <= end for first, end in parts) for start, stop in spans)
    assert all(end - first <= LONGEST for first, end in parts)
    needed = sum(b - a for a, b in spans) + GAP * len(spans)
    assert (1 - HOLES) * sum(end - first for first, end in parts) <= needed
    assert all(later[0] - earlier[1] > GAP for earlier, later in pairwise(parts))


@pytest.mark.parametrize("text", ["0", "-1", "many", "257"])
def test_a_number_of_requests_is_a_number(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUESTS_VARIABLE, text)
    with pytest.raises(InvalidInputError, match="expected 1 to 256"):
        requests_at_once()
