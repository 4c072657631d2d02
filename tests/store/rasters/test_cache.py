"""What is needed soonest stays; nothing more is held than may be."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landloom.store.rasters.cache import BlockCache

STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.none() | st.integers(0, 20)), max_size=40)


@given(STEPS, st.integers(1, 12))
def test_what_is_held_is_what_was_put_and_no_more_than_the_limit(
    steps: list[tuple[int, int, int | None]], limit: int
) -> None:
    cache, last = BlockCache(limit), {}
    for key, size, use in steps:
        last[key] = np.full(size, key, np.uint8)
        cache.put(key, last[key], use)
        held = {key: block for key in last if (block := cache.get(key)) is not None}
        assert all(block is last[key] for key, block in held.items())
        assert cache.held == sum(block.nbytes for block in held.values()) <= limit


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(1, 4))
def test_a_plan_costs_as_few_blocks_as_any_order_of_eviction_does(reads: list[int], limit: int) -> None:
    """The number of blocks decoded is that of the best of all caches, found by trying all; a block is one byte."""
    cache, decoded = BlockCache(limit), 0
    for at, key in enumerate(reads):
        block = cache.get(key)
        if block is None:
            block, decoded = np.zeros(1, np.uint8), decoded + 1
        cache.put(key, block, next((later for later in range(at + 1, len(reads)) if reads[later] == key), None))
    best = {frozenset[int](): 0}
    for key in reads:
        after: dict[frozenset[int], int] = {}
        for held, cost in best.items():
            more = held | {key}
            kept = [more] if len(more) <= limit else [more - {one} for one in more]
            for one in kept:
                after[one] = min(after.get(one, len(reads)), cost + (key not in held))
        best = after
    assert decoded == min(best.values())


def test_blocks_of_a_plan_that_has_ended_go_first() -> None:
    cache = BlockCache(2)
    cache.put("a", np.zeros(1, np.uint8), 1)
    cache.put("b", np.zeros(1, np.uint8), 9)
    cache.forget(["a"])
    cache.put("c", np.zeros(1, np.uint8), 20)
    assert [cache.get(key) is not None for key in "abc"] == [False, True, True]
