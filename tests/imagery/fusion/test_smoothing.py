"""Series of regions at any days: lines across gaps, and σ that covers what was withheld."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.imagery.fusion.rates import rates
from landloom.imagery.fusion.regional import RegionSeries
from landloom.imagery.fusion.smoothing import calibration, smoothed, spread_of


def walk(regions: int = 60) -> RegionSeries:
    days = np.arange(0.0, 365.0, 5.0)
    values = np.random.default_rng(2).normal(0, 2, (days.size, 1, regions)).cumsum(axis=0).astype(np.float32)
    variance, reference = np.full(values.shape, 0.01, np.float32), np.ones(days.size, np.bool_)
    return RegionSeries(days=days, values=values, variance=variance, reference=reference)


def test_a_gap_is_a_line_and_widest_in_its_middle() -> None:
    series = walk()
    gap = (series.days > 100) & (series.days < 140)
    left = series.without(np.broadcast_to(gap[:, None], series.seen.shape))
    wanted = np.array([110.0, 120.0, 130.0])
    made = smoothed(left, rates(left), wanted)
    assert (made.variance[1] > made.variance[[0, 2]].max(axis=0)).all()
    at = [np.flatnonzero(series.days == day)[0] for day in (100.0, 140.0)]
    middle = series.values[at].mean(axis=0)
    assert np.abs(made.mean[1] - middle).mean() < 1.0


def test_calibrated_uncertainty_covers_withheld_dates() -> None:
    series = walk()
    factor = calibration(series, rates(series))
    held = np.arange(series.days.size) % 5 == 2
    rest = series.without(np.broadcast_to(held[:, None], series.seen.shape))
    made = smoothed(rest, rates(series), series.days[held])
    sigma = np.exp(factor[0, 0]) * np.sqrt(made.variance) ** factor[0, 1]
    within = np.abs(series.values[held] - made.mean) <= sigma
    assert 0.55 < within.mean() < 0.85


def test_spread_is_the_standard_deviation_of_normal_errors() -> None:
    errors = np.abs(np.random.default_rng(0).normal(0, 3, 100_000)).astype(np.float32)
    assert spread_of(errors) == pytest.approx(3.0, rel=0.02)
