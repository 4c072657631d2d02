from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from landloom.simulate.noise import fractal, nearest_seed, normal, quantile, seed_points, uniform


def test_uniform_is_uniform_and_uncorrelated() -> None:
    i, j = np.meshgrid(np.arange(300), np.arange(300))
    values = uniform(i, j, 4)
    counts = np.histogram(values, 20, (0, 1))[0]
    assert abs(counts - 4_500).max() < 5 * np.sqrt(4_500)
    assert abs(np.corrcoef(values[:-1].ravel(), values[1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(values.ravel(), uniform(i, j, 5).ravel())[0, 1]) < 0.02


def test_normal_has_mean_0_and_deviation_1() -> None:
    values = normal(-1_000, 77, (400, 400), 9)
    assert abs(values.mean()) < 0.02
    assert values.std() == pytest.approx(1.0, abs=0.02)


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6), st.integers(0, 10**9))
def test_a_window_of_noise_is_a_part_of_the_whole(row: int, column: int, seed: int) -> None:
    whole = normal(row, column, (6, 7), seed)
    assert np.array_equal(normal(row + 2, column + 3, (3, 4), seed), whole[2:5, 3:7])


def test_nearest_seed_agrees_with_a_tree_over_all_seeds() -> None:
    i, j = (n.ravel() for n in np.meshgrid(np.arange(-30, 30), np.arange(-30, 30)))
    u, v = seed_points(i, j, 11)
    points = np.random.default_rng(1).uniform(-25, 25, (20_000, 2))
    found = cKDTree(np.column_stack([u, v])).query(points)[1]
    got_i, got_j = nearest_seed(points[:, 0], points[:, 1], 11)
    assert np.array_equal(got_i, i[found])
    assert np.array_equal(got_j, j[found])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_quantile_of_fractal_noise(share: float) -> None:
    x, y = np.meshgrid(np.arange(0, 300, 0.37), np.arange(0, 300, 0.37))
    values = fractal(x * 100.0, y * 100.0, scale=100.0, octaves=5, seed=1234)
    assert (values < quantile(share, 5)).mean() == pytest.approx(share, abs=0.02)


def test_fractal_noise_has_no_steps() -> None:
    x = np.arange(0, 1_000, 0.01)
    assert abs(np.diff(fractal(x, x * 0.3, scale=10.0, octaves=3, seed=8))).max() < 0.01
