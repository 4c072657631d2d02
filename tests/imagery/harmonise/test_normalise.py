"""Lines of scenes: the true one is found in spite of outliers; the prior stays where it is not safe to leave it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.imagery.harmonise.normalise import LEAST_PAIRS, Line, expected_at, fit_line, normalise


@settings(max_examples=25)
@given(st.floats(0.8, 1.25), st.floats(-200, 200), st.floats(0.0, 0.2), st.integers(0, 2**16))
def test_the_true_line_is_found_in_spite_of_outliers(slope: float, offset: float, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(300, 4_000, 4_000)
    y = slope * x + offset + rng.normal(0, 20, x.size)
    y[rng.random(x.size) < share] += 3_000
    made = fit_line(x, y, Line())
    middle = np.array([500.0, 2_000.0, 3_800.0])
    told = np.abs(slope * middle + offset - middle).max()
    assert made.is_own or told < 25  # the prior may be kept where it is the truth
    assert np.abs(np.asarray(made.line.apply(middle)) - (slope * middle + offset)).max() < 25
    assert made.residual < 45


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.linspace(500, 900, LEAST_PAIRS - 1), np.linspace(900, 500, LEAST_PAIRS - 1)),
        (np.linspace(500, 3_000, 2_000), np.linspace(3_000, 500, 2_000)),
        (np.zeros(0), np.zeros(0)),
    ],
    ids=["few", "implausible", "none"],
)
def test_the_prior_stays_where_a_line_is_not_safe(x: np.ndarray, y: np.ndarray) -> None:
    prior = Line(slope=0.98, offset=12.0)
    made = fit_line(x, y, prior)
    assert made.line == prior
    assert not made.is_own
    assert made.pairs == len(x)
    assert np.isnan(made.residual) == (len(x) == 0)


def test_saturated_snow_in_the_reference_does_not_bend_the_line() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(300, 3_000, 3_000)
    y = 1.05 * x + rng.normal(0, 15, x.size)
    x[:700], y[:700] = 9_800, 16_000
    made = fit_line(x, y, Line())
    assert abs(float(made.line.apply(np.float64(1_500.0))) - 1_575) < 30


def test_the_reference_is_interpolated_between_clear_dates() -> None:
    days = np.array([0.0, 4.0, 6.0, 30.0])
    stack = np.array([1_000.0, 1_400.0, 1_600.0, 9_000.0]).reshape(4, 1, 1, 1) * np.ones((4, 1, 2, 2))
    usable = np.ones((4, 2, 2), np.bool_)
    usable[1, 0, 0] = False
    usable[2:, 1, 1] = False
    made, known, used = expected_at(5.0, days, stack, usable)
    assert made[0, 0, 1] == pytest.approx(1_500)
    assert made[0, 0, 0] == pytest.approx(1_500), "the date before the cloudy one serves"
    assert known.tolist() == [[True, True], [True, True]]
    assert used == 3
    _, known, _ = expected_at(2.0, days[:1], stack[:1], usable[:1])
    assert not known.any(), "one side alone, and not on the day"
    made, known, used = expected_at(4.0, days, stack, usable)
    assert made[0, 0, 1] == pytest.approx(1_400)


def test_a_scene_without_a_reference_keeps_its_priors() -> None:
    empty = np.zeros(0), np.zeros((0, 1, 4, 4)), np.zeros((0, 4, 4), np.bool_)
    made = normalise(3.0, np.ones((1, 4, 4)), np.ones((4, 4), np.bool_), empty, [Line(offset=5.0)])
    assert made.references == 0
    assert made.bands[0].line == Line(offset=5.0)
    assert made.bands[0].pairs == 0
