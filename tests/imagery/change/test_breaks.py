"""The break test: steps are found and dated, seasons and clouds are not, in either direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.errors import InvalidValueError
from landloom.imagery.change.breaks import Breaks, BreakTest, find_breaks
from landloom.imagery.change.transition import misfit

DAYS = np.arange(2.0, 365.0, 5.0)
SIGMA = 0.025


def logistic(middle: float, constant: float) -> np.ndarray:
    """From 0.8 to 0.2 around a day."""
    return 0.2 + 0.6 / (1.0 + np.exp((DAYS - middle) / constant))


def observed(course: np.ndarray, pixels: int, seed: int, clear: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """(time, pixel, 1) noisy series, and which observations are clear."""
    rng = np.random.default_rng(seed)
    series = course[:, None] + rng.normal(0, SIGMA, (DAYS.size, pixels))
    return series[:, :, None], rng.random((DAYS.size, pixels, 1)) < clear


def breaks(values: np.ndarray, valid: np.ndarray, **options: Any) -> Breaks:
    return find_breaks(values, np.full(values.shape, SIGMA**2), valid, DAYS, BreakTest(**options))


@pytest.mark.parametrize("day", [90, 183, 250, 300])
def test_a_step_is_dated_within_its_interval(day: int) -> None:
    values, valid = observed(np.where(day > DAYS, 0.8, 0.2), 300, day)
    found = breaks(values, valid)
    assert (found.count == 1).mean() > 0.98
    one = found.count[:, 0] == 1
    error = np.abs(found.date[0, one, 0] - day)
    assert (error <= found.margin[0, one, 0] + 1e-6).mean() > 0.97
    assert abs(np.median(found.change[0, one, 0]) + 0.6) < 0.02
    assert (found.score[0, one, 0] >= BreakTest().score).all()


@pytest.mark.parametrize("constant", [18.0, 25.0, 50.0])
def test_a_gradual_fall_is_a_season(constant: float) -> None:
    values, valid = observed(logistic(200.0, constant), 500, int(constant))
    assert (breaks(values, valid).count > 0).mean() <= 0.01


def test_a_crop_that_ripens_is_dated_when_it_is_cut() -> None:
    ripening = 0.4 + 0.45 / (1.0 + np.exp((DAYS - 190) / 5.0))
    values, valid = observed(np.where(DAYS < 211, ripening, 0.2), 300, 5)
    found = breaks(values, valid)
    assert (np.abs(found.date[0] - 211) <= 15).mean() > 0.93


def test_missed_clouds_are_no_breaks() -> None:
    values, valid = observed(np.full(DAYS.size, 0.8), 500, 7)
    rng = np.random.default_rng(8)
    values[rng.random(values.shape) < 0.01] = 0.05
    assert (breaks(values, valid).count > 0).mean() <= 0.01


def test_a_rise_is_a_fall_reversed() -> None:
    values, valid = observed(np.where(DAYS < 150, 0.8, 0.2), 50, 3)
    fall, rise = breaks(values, valid), breaks(1.0 - values, valid, direction="rise")
    np.testing.assert_allclose(fall.date, rise.date)
    np.testing.assert_allclose(fall.change, -rise.change, atol=1e-6)
    assert not breaks(1.0 - values, valid).count.any()


def test_both_directions_are_found_in_order() -> None:
    values, valid = observed(np.where((DAYS > 120) & (DAYS < 240), 0.2, 0.8), 50, 4)
    found = breaks(values, valid, direction="both")
    assert (found.count == 2).all()
    assert (found.change[0] < 0).all()
    assert (found.change[1] > 0).all()
    assert (found.date[0] < found.date[1]).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(-400, 400, width=32))
def test_pixels_and_the_calendar_do_not_matter(seed: int, shift: float) -> None:
    values, valid = observed(np.where(DAYS < 200, 0.7, 0.3), 12, seed)
    own = breaks(values, valid)
    order = np.random.default_rng(seed).permutation(12)
    variance = np.full(values.shape, SIGMA**2)
    moved = find_breaks(values[:, order], variance, valid[:, order], DAYS + round(shift))
    np.testing.assert_allclose(moved.date - round(shift), own.date[:, order], atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(100, 260), st.sampled_from([0.0, 3.0, 20.0]))
def test_the_misfit_is_that_of_least_squares(seed: int, middle: float, constant: float) -> None:
    rng = np.random.default_rng(seed)
    y, weight = rng.normal(0.5, 0.2, DAYS.size) - 0.002 * DAYS, rng.uniform(0.5, 2.0, DAYS.size)
    shape = (middle > DAYS).astype(float) if constant == 0 else 1 / (1 + np.exp((DAYS - middle) / constant))
    design = np.stack([np.ones_like(DAYS), shape], axis=1) * np.sqrt(weight)[:, None]
    (_, slope), left, *_ = np.linalg.lstsq(design, y * np.sqrt(weight), rcond=None)
    assert slope > 0
    assert misfit(DAYS, y, weight, middle, constant) == pytest.approx(float(left[0]), rel=1e-6)


def test_few_observations_are_not_tested() -> None:
    values, valid = observed(np.where(DAYS < 200, 0.8, 0.2), 3, 1, clear=1.0)
    valid[::2] = False
    valid[14:] = False
    assert not breaks(values, valid).count.any()


@pytest.mark.parametrize(
    ("settings_", "name"),
    [({"direction": "down"}, "direction"), ({"magnitude": 0.0}, "magnitude"), ({"most": 0}, "most")],
)
def test_settings_that_make_no_sense_are_refused(settings_: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidValueError, match=name):
        BreakTest(**settings_)


def test_wrong_input_is_refused() -> None:
    values, valid = observed(np.full(DAYS.size, 0.5), 2, 1)
    with pytest.raises(InvalidValueError, match="expected"):
        find_breaks(values[:, 0], values, valid, DAYS)
    with pytest.raises(InvalidValueError, match="order"):
        find_breaks(values, np.ones_like(values), valid, DAYS[::-1])
    values[0, 0] = np.nan
    with pytest.raises(InvalidValueError, match="finite"):
        find_breaks(values, np.ones_like(values), np.ones_like(valid), DAYS)
