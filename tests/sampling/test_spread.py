"""Measures of spread against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.sampling.spread import ecdf, spread


def test_distribution_functions_agree_with_their_definition() -> None:
    values = np.random.default_rng(1).integers(0, 9, (50, 3)).astype(float)
    expected = ((values[:, None] > values[None]).mean(axis=1) + (values[:, None] >= values[None]).mean(axis=1)) / 2
    assert np.allclose(ecdf(values), expected)


def test_spread_measures_agree_with_their_definition() -> None:
    from scipy.stats import kstest

    rng = np.random.default_rng(2)
    space, shares = rng.random((40, 3)), (rng.random((40, 5)) > 0.8).astype(float)
    picks = np.array([1, 5, 9, 22, 30])
    found = spread(space, shares, picks)
    apart = [min(np.linalg.norm(space[i] - space[j]) for j in picks if j != i) for i in picks]
    assert found.spacing == pytest.approx(np.mean(apart))
    assert found.discrepancy == pytest.approx(np.mean([kstest(space[picks, k], "uniform").statistic for k in range(3)]))
    assert found.coverage == pytest.approx((shares[picks].sum(axis=0) > 0).sum() / (shares.sum(axis=0) > 0).sum())
