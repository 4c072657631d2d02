"""Gradients and the means of others', against their definitions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landloom.imagery.registration.gradients import contributions, gradients, others


@given(st.lists(st.integers(0, 3), min_size=1, max_size=7), st.integers(0, 2**16))
def test_the_mean_of_others_is_weighted_by_time_and_leaves_out_the_own_day(steps: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = np.cumsum(np.array(steps, np.float64) * 4.0)
    known = rng.random((len(days), 8, 8)) < 0.7
    made = np.where(known, rng.standard_normal(known.shape) + 1j * rng.standard_normal(known.shape), 0)
    made = made.astype(np.complex64)
    mean, weight = others(made, known, days, 10.0)
    share = contributions(known, weight, days, 10.0)
    far = np.exp(-np.abs(np.subtract.outer(days, days)) / 10.0) * (days[:, None] != days)
    mass = np.einsum("ts,syx->tyx", far, known)
    wanted = np.einsum("ts,syx->tyx", far, made) / np.where(mass > 0, mass, 1.0)
    np.testing.assert_allclose(weight, mass, atol=1e-5)
    np.testing.assert_allclose(mean, np.where(mass > 0, wanted, 0), atol=1e-4)
    assert not share[days[:, None] == days].any()
    some = np.s_[:, 2::4, 2::4]
    compared = (known & (mass > 0))[some].sum(axis=(1, 2))
    np.testing.assert_allclose(share.sum(axis=1), compared, atol=1e-3)


def test_nothing_is_known_beside_unclear_pixels_and_bright_edges_are_cut() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(990, 1_010, (1, 40, 40)).astype(np.uint16)
    valid = np.ones(image.shape, np.bool_)
    valid[0, 10, 10] = False
    image[0, 30:, 30:] = 9_000
    made, known = gradients(image, valid)
    assert not known[0, 5, 4:7].any()
    assert not known[0, 4:7, 5].any()
    assert known[0, 4, 4]
    assert np.abs(made[0]).max() < 1_500, "the edge itself is 8,000 high"
    assert not made[~known].any()
