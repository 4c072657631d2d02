"""The error of a guess, as experts found it: ascending, near what is stated with few tasks, measured with many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.annotate.tasks.calibration import LEVELS, ErrorCurve, stored_doubt
from landloom.errors import InvalidValueError


def drawn(seed: int, tasks: int, error: np.ndarray, pixels: int = 1024) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of each doubt, and the wrong ones of a guess with these errors."""
    rng = np.random.default_rng(seed)
    whole = np.stack([rng.multinomial(pixels, np.full(LEVELS, 1 / LEVELS)) for _ in range(tasks)])
    return whole, rng.binomial(whole, error)


@given(seed=st.integers(0, 2**32), tasks=st.integers(1, 30), scale=st.floats(0, 1))
def test_more_doubt_is_never_less_error(seed: int, tasks: int, scale: float) -> None:
    error = ErrorCurve.fit(*drawn(seed, tasks, scale * np.arange(LEVELS) / LEVELS)).error
    assert ((error > 0) & (error < 1)).all()
    assert (np.diff(error) >= -1e-12).all()


def test_a_guess_that_doubts_itself_too_much_is_measured() -> None:
    """Stated: half of its doubt; true: its cube."""
    truth = (np.arange(LEVELS) / (LEVELS - 1)) ** 3
    error = ErrorCurve.fit(*drawn(1, 200, truth)).error
    np.testing.assert_allclose(error[20:230], truth[20:230], atol=0.06)
    assert abs(error - truth).mean() < 0.25 * abs(ErrorCurve.stated().error - truth).mean()


def test_one_task_changes_little_and_none_nothing() -> None:
    right = np.zeros((1, LEVELS), np.int64)
    once = ErrorCurve.fit(np.full((1, LEVELS), 4), right).error
    often = ErrorCurve.fit(np.full((100, LEVELS), 4), np.zeros((100, LEVELS))).error
    stated = ErrorCurve.stated().error
    assert stated[200] / 4 < once[200] < stated[200]
    assert often[200] < 0.05
    assert (ErrorCurve.fit(np.zeros((0, LEVELS)), np.zeros((0, LEVELS))).error == stated).all()
    assert (ErrorCurve.fit(right, right).error == stated).all()


def test_what_cannot_be() -> None:
    with pytest.raises(InvalidValueError, match="doubt outside 0 to 1"):
        stored_doubt([1.2])
    with pytest.raises(InvalidValueError, match="expected \\(task, 256\\)"):
        ErrorCurve.fit(np.ones((1, LEVELS)), np.full((1, LEVELS), 2))
