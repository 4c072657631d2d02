from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.spatial.distance import jensenshannon

from landloom.errors import InvalidValueError
from landloom.sampling.balance import (
    capped,
    class_sums,
    dominant_class,
    inclusion,
    jensen_shannon,
    systematic,
)


def random_fractions(rows: int, classes: int, seed: int) -> csr_array:
    rng = np.random.default_rng(seed)
    dense = rng.multinomial(1_000_000, rng.dirichlet(np.full(classes, 0.2), rows))
    return csr_array(dense.astype(np.uint32))


@given(st.integers(0, 10**6), st.integers(1, 8))
def test_divergence_agrees_with_scipy(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(classes, 0.3)), rng.dirichlet(np.full(classes, 0.3))
    assert jensen_shannon(p * 7, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-12)
    assert jensen_shannon(p, q) == pytest.approx(jensen_shannon(q, p))


def test_dominant_class_is_the_argmax_of_the_dense_rows() -> None:
    fractions = random_fractions(500, 9, 1)
    assert dominant_class(fractions).tolist() == fractions.toarray().argmax(axis=1).tolist()
    assert dominant_class(fractions[:0]).tolist() == []


def test_class_sums_are_the_column_sums() -> None:
    fractions = random_fractions(200, 6, 2)
    rows = np.array([5, 9, 11])
    assert class_sums(fractions).tolist() == fractions.toarray().sum(axis=0).tolist()
    assert class_sums(fractions, rows).tolist() == fractions.toarray()[rows].sum(axis=0).tolist()


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=40), st.data())
def test_capped_probabilities_sum_to_the_count_and_keep_proportions(weights: list[float], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(weights)))
    found = capped(np.array(weights), count)
    assert found.sum() == pytest.approx(count)
    assert (found <= 1 + 1e-9).all()
    free = found < 1 - 1e-9
    if free.any() and count:
        ratio = found[free] / np.array(weights)[free]
        assert np.allclose(ratio, ratio[0])


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="got 2 cells, expected at least 3"):
        capped(np.ones(2), 3)


def test_inclusion_meets_wanted_shares() -> None:
    fractions = random_fractions(3000, 6, 3)
    shares = np.array([0.05, 0.3, 0.2, 0.2, 0.15, 0.1])
    chosen = inclusion(fractions, shares, 300)
    assert chosen.sum() == pytest.approx(300)
    assert chosen.max() <= 1
    assert np.allclose(chosen @ fractions.toarray() / 300 / 1e6, shares, atol=1e-4)


def test_inclusion_leaves_equal_chances_where_they_meet_the_shares() -> None:
    fractions = random_fractions(400, 4, 4)
    chosen = inclusion(fractions, class_sums(fractions) / 400e6, 40)
    assert np.allclose(chosen, 0.1, atol=1e-6)


def test_classes_that_no_row_has_are_left_aside() -> None:
    fractions = csr_array(np.array([[1_000_000, 0, 0], [0, 1_000_000, 0]]))
    assert inclusion(fractions, np.array([0.25, 0.25, 0.5]), 1).tolist() == pytest.approx([0.5, 0.5])
    assert inclusion(fractions, np.array([0.0, 0.0, 1.0]), 1).tolist() == [0.5, 0.5]


@given(st.integers(1, 300), st.data())
def test_systematic_picks_are_distinct_and_in_range(rows: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, rows))
    start = data.draw(st.floats(0, 1, exclude_max=True))
    weights = np.random.default_rng(data.draw(st.integers(0, 99))).gamma(0.5, size=rows) + 1e-6
    picks = systematic(capped(weights, count), count, start) if count else np.empty(0)
    assert len(set(picks.tolist())) == count
    assert all(0 <= p < rows for p in picks)
    assert (np.diff(picks) > 0).all()


def test_systematic_sampling_keeps_the_probabilities() -> None:
    chances = capped(np.array([8.0, 1.0, 2.0, 3.0, 1.0, 2.0]), 3)
    starts = (np.arange(1000) + 0.5) / 1000
    counts = np.bincount(np.concatenate([systematic(chances, 3, s) for s in starts]), minlength=6) / 1000
    assert np.allclose(counts, chances, atol=2e-3)
