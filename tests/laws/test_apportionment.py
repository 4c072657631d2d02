"""Laws of apportionment: the sum is kept, nobody is far from the share, order and scale do not matter."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from landloom.model.apportion import MILLION, apportion

weights = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), min_size=1, max_size=30).filter(any)
totals = st.one_of(st.just(MILLION), st.integers(0, 10**7))


@given(weights, totals)
def test_the_sum_is_kept_and_nobody_is_a_unit_off(values: list[float], total: int) -> None:
    found = apportion(values, total)
    share = np.array(values) / np.sum(values) * total
    assert found.sum() == total
    assert (found >= 0).all()
    assert (np.abs(found - share) < 1 + 1e-6).all()
    assert not found[np.array(values) == 0].any() or total == 0


@given(weights, totals)
def test_who_weighs_more_never_gets_less(values: list[float], total: int) -> None:
    found = apportion(values, total)
    order = np.argsort(values, kind="stable")
    equal_or_more = np.diff(found[order]) >= 0
    closer = np.diff(np.array(values)[order]) <= 1e-9 * np.array(values)[order][1:]  # equal but for rounding
    assert (equal_or_more | closer).all()


@given(weights, totals, st.integers(0, 999))
def test_a_permutation_moves_the_parts_along(values: list[float], total: int, seed: int) -> None:
    assume(len(set(values)) == len(values))  # among equals the first gets more
    order = np.random.default_rng(seed).permutation(len(values))
    share = np.array(values) / np.sum(values) * total
    remainders = np.sort(share % 1)
    assume(len(values) < 2 or np.diff(remainders).min() > 1e-6)  # nor may remainders be equal
    assert apportion(np.array(values)[order], total).tolist() == apportion(values, total)[order].tolist()


@given(weights, st.sampled_from([2.0**-30, 0.5, 4.0, 2.0**40]))
def test_scale_does_not_matter(values: list[float], factor: float) -> None:
    assert apportion(np.array(values) * factor).tolist() == apportion(values).tolist()


@given(st.lists(st.integers(0, 50_000), min_size=1, max_size=20).filter(any))
def test_whole_shares_are_met_exactly(parts: list[int]) -> None:
    assert apportion(parts, sum(parts)).tolist() == parts
