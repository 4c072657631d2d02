from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from landloom.annotate.scores.intervals import Share, design_effect, wilson


@given(st.integers(0, 50), st.integers(1, 50))
def test_wilson_equals_scipy(right: int, more: int) -> None:
    number = right + more
    theirs = binomtest(right, number).proportion_ci(method="wilson")
    assert wilson(right / number, number) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_independent_pixels_have_no_design_effect() -> None:
    rng = np.random.default_rng(1)
    assert design_effect(rng.binomial(100, 0.8, 4_000), np.full(4_000, 100)) == pytest.approx(1, abs=0.1)


def test_a_task_that_is_wholly_right_or_wrong_is_one_observation() -> None:
    right = np.array([100] * 80 + [0] * 20)
    assert design_effect(right, np.full(100, 100)) == pytest.approx(100, rel=0.02)
    one = Share.of(right, np.full(100, 100))
    assert (one.low, one.high) == pytest.approx(wilson(0.8, 100), abs=0.01)


def test_an_interval_of_tasks_holds_the_truth_about_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(3), 0
    for _ in range(400):
        own = rng.beta(8, 2, 30)
        one = Share.of(rng.binomial(1_000, own), np.full(30, 1_000))
        held += one.low <= 0.8 <= one.high
    assert 0.91 <= held / 400 <= 0.98


def test_nothing_compared_has_no_share() -> None:
    one = Share.of([0], [0])
    assert np.isnan(one.value)
    assert one.document() == {"value": None, "low": None, "high": None, "pixels": 0, "tasks": 0}
