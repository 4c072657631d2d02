"""Rates of change: how many parts of a period have their own, and what two observations say of the time between."""

from __future__ import annotations

from itertools import pairwise

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


def test_rates_are_those_of_every_change_one_by_one() -> None:
    rng = np.random.default_rng(3)
    days = np.sort(rng.integers(0, 200, 25)).astype(float)
    values = rng.normal(0, 3, (25, 2, 6)).astype(np.float32)
    variance = np.repeat(rng.uniform(0.05, 0.3, (25, 1, 6)), 2, axis=1).astype(np.float32)
    variance[np.repeat(rng.random((25, 1, 6)) < 0.4, 2, axis=1)] = np.inf
    series = RegionSeries(days=days, values=values, variance=variance, reference=np.ones(25, np.bool_))
    found = rates(series, rounds=1)
    width = found.days[1] - found.days[0]
    edges = np.append(found.days - width / 2, found.days[-1] + width / 2)
    total, number = np.zeros((2, 6)), np.zeros(6)
    changes = []
    for region in range(6):
        at = np.flatnonzero(np.isfinite(variance[:, 0, region]))
        for before, after in pairwise(at):
            gap = days[after] - days[before]
            if gap > 0:
                change = values[after, :, region].astype(float) - values[before, :, region]
                own = variance[after, :, region] + variance[before, :, region]
                excess = np.maximum(change**2 - own, 0) / gap
                inside = np.minimum(days[after], edges[1:]) - np.maximum(days[before], edges[:-1])
                total[:, region] += excess
                number[region] += 1
                changes.append((region, excess, np.maximum(inside, 0) / gap))
    usual = np.maximum(total.sum(axis=1) / number.sum(), 1e-3)[:, None]
    base = np.maximum((total + 8 * usual) / (number + 8), 0.05 * usual)
    assert found.base == pytest.approx(base, rel=1e-5)
    shared, weight = np.zeros_like(found.season), np.zeros(found.days.size)
    for region, excess, overlap in changes:
        shared += overlap * (excess / base[:, region])[:, None]
        weight += overlap
    assert found.season == pytest.approx(np.maximum((shared + 12) / (weight + 12), 0.02), rel=1e-5)
