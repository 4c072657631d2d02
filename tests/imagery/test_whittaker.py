"""Whittaker smoothing, against the banded solver of scipy and against the matrix written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import solveh_banded

from landloom.errors import InvalidValueError
from landloom.imagery.whittaker import BLOCK, LAMBDAS, Knots, whittaker

SIDE = 4


def series(times: int, bands: int = 3, width: int = SIDE, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    stack = rng.integers(1, 60_000, (times, bands, SIDE, width), dtype=np.uint16)
    return stack, np.where(rng.random((times, SIDE, width)) < 0.6, rng.random((times, SIDE, width)), 0.0)


def by_scipy(values: np.ndarray, weight: np.ndarray, penalty: float) -> np.ndarray:
    second = np.diff(np.eye(values.size), 2, axis=0)
    matrix = np.diag(weight) + penalty * second.T @ second
    upper = np.zeros((3, values.size))
    for k in range(3):
        upper[2 - k, k:] = np.diag(matrix, k)
    return np.asarray(solveh_banded(upper, weight * values))


@pytest.mark.parametrize("penalty", [0.1, 100.0, 1e5])
def test_equals_scipy_where_dates_are_knots(penalty: float) -> None:
    stack, weight = series(73, width=BLOCK // SIDE + 3)
    days = np.arange(0.0, 365.0, 5.0)
    made = whittaker(stack, weight, days, days, penalty)
    for band, y, x in np.ndindex(stack.shape[1:]):
        expected = np.clip(
            by_scipy(stack[:, band, y, x].astype(float), weight[:, y, x].astype(np.float32), penalty), 1, 65534
        )
        assert np.abs(made[:, band, y, x] - expected).max() <= 0.5 + 1e-3


def test_dates_between_knots_are_compared_with_the_line_between_them() -> None:
    stack, weight = series(9, bands=1)
    days, targets = np.array([-7.0, 1, 2, 9, 11, 18, 23, 30, 44]), np.arange(0.0, 40.0, 5.0)
    knots = Knots.of(days, targets)
    near = np.zeros((9, knots.count))
    near[np.arange(9), knots.index] = 1 - knots.share
    near[np.arange(9), knots.index + 1] += knots.share
    second = np.diff(np.eye(knots.count), 2, axis=0)
    made = whittaker(stack, weight, days, targets, 10.0)
    for y, x in np.ndindex(SIDE, SIDE):
        w = np.diag(weight[:, y, x].astype(np.float32))
        if np.count_nonzero(weight[:, y, x]) < 3:
            continue
        expected = np.linalg.solve(near.T @ w @ near + 10.0 * second.T @ second, near.T @ w @ stack[:, 0, y, x])
        wanted = np.clip(expected[knots.first : knots.first + targets.size], 1, 65534)
        assert np.abs(made[:, 0, y, x] - wanted).max() <= 0.5 + 1e-2


def test_cross_validation_takes_the_penalty_with_the_smallest_error() -> None:
    """The score of every penalty, from the hat matrix written out."""
    rng = np.random.default_rng(3)
    days = np.arange(0.0, 200.0, 5.0)
    smooth = 3_000 + 1_500 * np.sin(days / 30)
    stack = np.rint(smooth + rng.normal(0, 200, 40)).astype(np.uint16).reshape(40, 1, 1, 1)
    weight = np.ones((40, 1, 1))
    second = np.diff(np.eye(40), 2, axis=0)
    scores = {}
    for penalty in LAMBDAS:
        hat = np.linalg.inv(np.eye(40) + penalty * second.T @ second)
        miss = stack.ravel() - hat @ stack.ravel()
        scores[penalty] = (miss @ miss) / (1 - np.trace(hat) / 40) ** 2
    best = min(scores, key=lambda one: scores[one])
    assert np.array_equal(whittaker(stack, weight, days, days), whittaker(stack, weight, days, days, best))


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(threads: int) -> None:
    stack, weight = series(9, width=BLOCK // SIDE * 2 + 3)
    days = np.arange(0.0, 45.0, 5.0)
    alone = whittaker(stack, weight, days, days)
    np.testing.assert_array_equal(whittaker(stack, weight, days, days, threads=threads), alone)
    with pytest.raises(InvalidValueError, match="0 threads"):
        whittaker(stack, weight, days, days, threads=0)


def test_few_observations() -> None:
    stack = np.array([[10], [20], [30]], np.uint16).reshape(3, 1, 1, 1).repeat(3, axis=3)
    weight = np.array([[1, 0, 0], [0, 0, 1], [0, 0, 1]], dtype=float).reshape(3, 1, 3)
    days = np.array([0.0, 5.0, 10.0])
    made = whittaker(stack, weight, days, days, 1.0)[:, 0, 0]
    assert made.T.tolist() == [[10, 10, 10], [0, 0, 0], [10, 20, 30]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stack": np.ones((2, 1, 1, 1), np.float32)}, "expected uint16"),
        ({"weight": np.ones((3, 1, 1))}, "expected \\(time, band, y, x\\)"),
        ({"weight": -np.ones((2, 1, 1))}, "negative weights"),
        ({"targets": np.array([0.0, 5.0, 11.0])}, "equally spaced"),
        ({"smoothing": 0.0}, "positive"),
    ],
)
def test_refusals(change: dict[str, object], message: str) -> None:
    given: dict[str, object] = {
        "stack": np.ones((2, 1, 1, 1), np.uint16),
        "weight": np.ones((2, 1, 1)),
        "days": np.array([0.0, 5.0]),
        "targets": np.array([0.0, 5.0]),
        "smoothing": 1.0,
    }
    with pytest.raises(InvalidValueError, match=message):
        whittaker(**(given | change))  # type: ignore[arg-type]
