"""Budgets and prices of hosts: what is written, what it means, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.store.network.budgets import Rations, budgets, cost, prices
from landloom.store.network.traffic import Counts


@pytest.mark.parametrize("text", ["a", "a=", "=5", "a=5 GB", "a=-1", "a=5GiB;b=6", "a=1e9"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"expected one such as example\.org=200GiB"):
        budgets(text)


@pytest.mark.parametrize("text", ["a", "a=", "=5/GiB", "a=5", "a=+", "a=5/1000+3/GiB", "a=5/GB"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"expected one such as example.org=0\.09/GiB"):
        prices(text)


def test_a_cost_is_that_of_bytes_and_requests() -> None:
    traffic = {"a.org": Counts(size=2**30, requests=500), "b.org": Counts(size=2**40)}
    assert cost(traffic, prices("a.org=3/GiB+2/1000")) == {"a.org": 4.0}


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=30), limit=st.integers(1, 500), most=st.integers(1, 5))
def test_units_no_larger_than_the_first_never_exceed_a_budget(sizes: list[int], limit: int, most: int) -> None:
    """Whatever runs beside whatever; and every byte that is left could not have held another unit."""
    rations = Rations({"a.org": limit}, {})
    ordered = sorted(sizes, reverse=True)
    flying: list[tuple[int, int]] = []
    read = 0
    while ordered or flying:
        ration = rations.next(len(flying), most) if ordered and len(flying) < most else None
        if ration is not None:
            flying.append((ordered.pop(0), ration["a.org"]))
            continue
        if not flying:
            break
        size, most_of_it = flying.pop(0)
        if size > most_of_it:  # it is stopped, and so is the run
            read += most_of_it
            break
        read += size
        rations.read({"a.org": Counts(size=size)})
    assert read <= limit
