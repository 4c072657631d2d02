"""What experts' answers say about guess and annotators: the rates of a simulation, and nothing made up without them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.tasks.calibration import ErrorCurve
from landloom.annotate.tasks.gain import COPYING, GainModel
from landloom.annotate.tasks.learning import EVERY, chip_factors, is_due, learned

CLASSES = (1, 2, 5)
PIXELS = 1024


def task(seed: int, *, people: int, copying: float = 0.4, right: float = 0.9) -> tuple[TaskAnswers, np.ndarray]:
    """A reference task whose guess is wrong on a tenth of the pixels, always 5 instead of 2, and its doubt."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(np.array(CLASSES, np.uint8), PIXELS)
    wrong = (truth == 2) & (rng.random(PIXELS) < 0.3)
    guess = np.where(wrong, 5, truth).astype(np.uint8)
    other = rng.choice(np.array([1, 5], np.uint8), (people, PIXELS))
    looked = np.where(rng.random((people, PIXELS)) < right, truth, np.where(truth == other, 2, other))
    labels = np.where(rng.random((people, PIXELS)) < copying, guess, looked).astype(np.uint8)
    answers = TaskAnswers(task=str(seed), annotators=tuple(range(people)), labels=labels, guess=guess, reference=truth)
    return answers, np.where(wrong, 120, 80).astype(np.uint8)


def test_rates_of_guess_and_annotators_are_found() -> None:
    tasks = [task(seed, people=3) for seed in range(40)]
    model = learned([one for one, _ in tasks], [doubt for _, doubt in tasks], CLASSES)
    assert model.curve.error[80] < 0.05
    assert model.curve.error[120] > 0.9
    assert model.instead[2].tolist() == pytest.approx([0, 1, 0], abs=0.05)
    assert model.copying == pytest.approx(0.4, abs=0.08)
    assert np.diag(model.confusion) == pytest.approx(np.full(3, 0.9), abs=0.04)


def test_references_that_nobody_answered_say_what_the_guess_is_worth() -> None:
    tasks = [task(seed, people=0) for seed in range(10)]
    model = learned([one for one, _ in tasks], [doubt for _, doubt in tasks], CLASSES)
    assert model.curve.error[120] > 0.7
    assert model.copying == COPYING
    assert (model.confusion == GainModel.assumed(CLASSES).confusion).all()


def test_without_references_all_is_assumed() -> None:
    empty = learned([], [], CLASSES)
    assert empty.document() == GainModel.assumed(CLASSES).document()
    blind, _ = task(1, people=2)
    silent = learned([blind], [None], CLASSES)
    assert (silent.curve.error == ErrorCurve.stated().error).all()


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0.01, 500), st.floats(0, 500)), max_size=20))
def test_factors_lie_around_one(rows: list[tuple[int, float, float]]) -> None:
    chips, expected, wrong = ([row[at] for row in rows] for at in range(3))
    factors = chip_factors(chips, expected, wrong)
    assert set(factors) == set(chips)
    assert all(factor > 0 for factor in factors.values())
    if len(factors) == 1 and sum(expected) > 0 and sum(wrong) > 0:
        assert list(factors.values()) == pytest.approx([1.0])


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_large_campaign_is_renewed_less_often(ordered: int, later: int) -> None:
    assert is_due(ordered + later, ordered) == (later >= max(EVERY, 0.05 * ordered))
