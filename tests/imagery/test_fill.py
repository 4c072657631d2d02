"""Periodic filling, against numpy.interp pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from landloom.errors import InvalidValueError
from landloom.imagery.fill import BLOCK, fill_linear, fill_periodic


def interpolated(stack: np.ndarray, valid: np.ndarray, days: np.ndarray, period: float) -> np.ndarray:
    """The same by numpy, unrounded; 0 where nothing is valid."""
    out = np.zeros(stack.shape)
    for band, y, x in np.ndindex(stack.shape[1:]):
        seen = valid[:, y, x]
        if seen.any():
            out[:, band, y, x] = np.interp(days, days[seen], stack[seen, band, y, x], period=period)
    return out


def check(stack: np.ndarray, valid: np.ndarray, days: np.ndarray, period: float) -> None:
    filled = fill_periodic(stack, valid, days, period)
    assert filled.dtype == np.uint16
    assert np.abs(filled - interpolated(stack, valid, days, period)).max() <= 0.5 + 1e-8
    kept = np.broadcast_to(valid[:, None], stack.shape)
    assert np.array_equal(filled[kept], stack[kept])


@st.composite
def gappy(draw: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    times = draw(st.integers(1, 9))
    shape = (times, draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    days = draw(st.lists(st.integers(0, 364), min_size=times, max_size=times, unique=True))
    turns = draw(st.lists(st.integers(-2, 2), min_size=times, max_size=times))
    stack = draw(hnp.arrays(np.uint16, shape))
    valid = draw(hnp.arrays(np.bool_, (times, *shape[2:])))
    return stack, valid, np.array(days, dtype=float) + 365.0 * np.array(turns)


@settings(deadline=None)
@given(case=gappy())
def test_equals_numpy_for_any_days_in_any_order(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    check(*case, 365.0)


@pytest.mark.parametrize("period", [365.0, 366.0])
def test_equals_numpy_across_blocks(period: float) -> None:
    rng = np.random.default_rng(0)
    width = BLOCK // 4 + 7
    stack = rng.integers(0, 65536, (24, 2, 5, width), dtype=np.uint16)
    valid = rng.random((24, 5, width)) < rng.random((5, width))
    check(stack, valid, np.sort(rng.random(24) * period), period)


def test_one_observation_is_that_value_and_none_is_nodata() -> None:
    stack = np.full((5, 2, 1, 2), 777, dtype=np.uint16)
    stack[3, :, 0, 0] = 1234, 4321
    valid = np.zeros((5, 1, 2), dtype=bool)
    valid[3, 0, 0] = True
    filled = fill_periodic(stack, valid, np.array([0.0, 70.0, 140.0, 210.0, 280.0]))
    assert np.array_equal(filled[:, :, 0, 0], np.tile([1234, 4321], (5, 1)))
    assert not filled[:, :, 0, 1].any()


def test_the_turn_of_the_year_is_no_edge() -> None:
    stack = np.array([0, 100, 300, 0], dtype=np.uint16).reshape(4, 1, 1, 1)
    valid = np.array([False, True, True, False]).reshape(4, 1, 1)
    # From day 355 (300) to day 15 of the next year (100) are 25 days: day 365 lies 10, day 5 lies 15 of them along.
    filled = fill_periodic(stack, valid, np.array([5.0, 15.0, 355.0, 365.0]), 365.0)
    assert filled.ravel().tolist() == [180, 100, 300, 220]


def test_views_and_two_looks_on_one_day() -> None:
    rng = np.random.default_rng(3)
    stack = rng.integers(0, 65536, (6, 20, 2, 9), dtype=np.uint16).transpose(0, 2, 1, 3)[..., ::2]
    valid = rng.random((6, 20, 9))[..., ::2] < 0.5
    days = np.array([3.0, 40.0, 40.0, 40.0, 200.0, 300.0])
    filled = fill_periodic(stack, valid, days)
    kept = np.broadcast_to(valid[:, None], stack.shape)
    assert np.array_equal(filled[kept], stack[kept])
    assert np.array_equal(filled, fill_periodic(stack.copy(), valid.copy(), days + 365.0))


@pytest.mark.parametrize(
    ("shape", "mask", "days", "period"),
    [
        ((3, 1, 2, 2), (3, 2, 2), [0.0, 1.0], 365.0),
        ((3, 1, 2, 2), (3, 2, 3), [0.0, 1.0, 2.0], 365.0),
        ((3, 2, 2), (3, 2, 2), [0.0, 1.0, 2.0], 365.0),
        ((3, 1, 2, 2), (3, 2, 2), [0.0, 1.0, np.nan], 365.0),
        ((3, 1, 2, 2), (3, 2, 2), [0.0, 1.0, 2.0], 0.0),
    ],
)
def test_what_does_not_go_together_is_refused(
    shape: tuple[int, ...], mask: tuple[int, ...], days: list[float], period: float
) -> None:
    with pytest.raises(InvalidValueError, match="expected"):
        fill_periodic(np.ones(shape, np.uint16), np.ones(mask, bool), np.array(days), period)


@settings(deadline=None)
@given(case=gappy(), period=st.sampled_from([None, 365.0]), data=st.data())
def test_other_times_equal_numpy(
    case: tuple[np.ndarray, np.ndarray, np.ndarray], period: float | None, data: st.DataObject
) -> None:
    stack, valid, days = case
    targets = np.array(data.draw(st.lists(st.integers(-800, 1200), min_size=1, max_size=7, unique=True)), dtype=float)
    filled = fill_linear(stack, valid, days, targets, period)
    order = np.argsort(days)
    for band, y, x in np.ndindex(stack.shape[1:]):
        seen = order[valid[order, y, x]]
        expected = np.zeros(targets.size)
        if seen.size:
            expected = np.interp(targets, days[seen], stack[seen, band, y, x], period=period)
        assert np.abs(filled[:, band, y, x] - expected).max() <= 0.5 + 1e-8


@pytest.mark.parametrize("period", [None, 365.0])
def test_threads_change_nothing(period: float | None) -> None:
    rng = np.random.default_rng(5)
    stack = rng.integers(1, 9_999, (9, 2, 40, 60), dtype=np.uint16)
    valid, days = rng.random((9, 40, 60)) < 0.5, rng.permutation(np.arange(0.0, 45.0, 5.0))
    alone = fill_linear(stack, valid, days, days + 1.0, period)
    np.testing.assert_array_equal(fill_linear(stack, valid, days, days + 1.0, period, threads=3), alone)


def test_targets_have_to_be_finite() -> None:
    stack, valid = np.ones((1, 1, 1, 1), np.uint16), np.ones((1, 1, 1), bool)
    with pytest.raises(InvalidValueError, match="finite times"):
        fill_linear(stack, valid, np.zeros(1), np.array([np.nan]))
