"""Rates of change: how many parts of a period have their own, and what two observations say of the time between."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.imagery.fusion.rates import localise, rates
from landloom.imagery.fusion.regional import RegionSeries


@pytest.mark.parametrize(("step", "parts"), [(5.0, 24), (10.0, 24), (30.0, 16), (720.0, 1)])
def test_few_dates_do_not_give_each_month_its_own_rate(step: float, parts: int) -> None:
    days = np.arange(0.0, 721.0, step)
    values = np.random.default_rng(1).normal(0, 1, (days.size, 2, 9)).cumsum(axis=0).astype(np.float32)
    found = rates(
        RegionSeries(
            days=days,
            values=values,
            variance=np.full(values.shape, 0.1, np.float32),
            reference=np.ones(days.size, np.bool_),
        )
    )
    assert found.days.size == found.season.shape[1] == parts


def test_an_interval_has_the_rate_that_its_ends_speak_for() -> None:
    days = np.array([0.0, 10.0, 15.0, 20.0, 30.0])
    values = np.zeros((5, 4, 1), np.float32)
    values[3:] = 20.0
    noise = np.full(values.shape, 0.04, np.float32)
    noise[2] = np.inf
    growth = np.ones(values.shape, np.float32)
    localise(values, noise, days, growth)
    quiet, abrupt = growth[1, 0, 0], growth[2, 0, 0]
    assert quiet == growth[4, 0, 0] < 0.3
    assert abrupt == growth[3, 0, 0] == pytest.approx(20.0**2 / 10, rel=0.15)
    assert growth[0, 0, 0] == 1.0
