"""The order of the queue: monotone in doubt, measured paces, a random control."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landloom.annotate.tasks.order import (
    BLANK,
    Pace,
    disagreement,
    error_of_confidence,
    error_of_probabilities,
    random_priorities,
    with_suspects,
)
from landloom.errors import InvalidValueError


@given(arrays(np.float64, (4, 3), elements=st.floats(0, 1)))
def test_doubt_lies_between_0_and_1_and_ignores_scale(values: np.ndarray) -> None:
    error = error_of_probabilities(values)
    assert ((error >= 0) & (error <= 1)).all()
    np.testing.assert_allclose(error_of_probabilities(1e4 * values), error, atol=1e-9)


def test_doubt_of_probabilities() -> None:
    certain, two, four, none = error_of_probabilities(
        [[1, 0.5, 0.25, 0], [0, 0.5, 0.25, 0], [0, 0, 0.25, 0], [0] * 2 + [0.25, 0]]
    )
    assert certain == 0
    assert two == 0.5
    assert four == 0.5
    assert none == BLANK
    assert error_of_confidence([0.9, 0.4]).round(2).tolist() == [0.1, 0.6]
    with pytest.raises(InvalidValueError, match="got probabilities of shape"):
        error_of_probabilities([[-1.0], [2.0]])
    with pytest.raises(InvalidValueError, match="outside 0 to 1"):
        error_of_confidence([90])


@given(st.floats(0.1, 60), st.floats(0, 2))
def test_the_order_is_the_same_at_any_pace(task: float, pixel: float) -> None:
    wrong = np.arange(0, 1024, 8)
    assert (np.diff(wrong / Pace(task=task, pixel=pixel).seconds(wrong)) > 0).all()


def test_a_pace_is_positive() -> None:
    with pytest.raises(InvalidValueError, match="expected positive times"):
        Pace(task=0)


def test_disagreement_of_answers() -> None:
    assert disagreement([[1, 1, 2, 2]]) == 0
    assert disagreement([[1, 1, 2, 2], [1, 2, 2, 2], [1, 1, 3, 2]]) == 0.5


def test_suspected_labels_are_more_doubtful() -> None:
    assert with_suspects([0.1, 0.1], [0.0, 0.8]).round(2).tolist() == [0.1, 0.82]


def test_the_control_is_random_and_repeats() -> None:
    first = random_priorities(1000, seed=5)
    assert (first == random_priorities(1000, seed=5)).all()
    assert abs(np.corrcoef(first, np.arange(1000))[0, 1]) < 0.1
