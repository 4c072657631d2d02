"""Clusters and regression: a gap in part of a scene is filled from the rest of it."""

from __future__ import annotations

import numpy as np

from landloom.imagery.clusters import fill_clr
from landloom.imagery.fill import fill_linear


def test_a_change_seen_elsewhere_is_followed_where_it_is_hidden() -> None:
    rng = np.random.default_rng(0)
    days = np.arange(0.0, 90.0, 10.0)
    course = np.array([1000, 1050, 1100, 1150, 3000, 1200, 1250, 1300, 1350.0])
    gain = rng.uniform(0.8, 1.2, (24, 24))
    truth = course[:, None, None, None] * gain[None, None]
    stack = np.rint(truth + rng.normal(0, 5, truth.shape)).astype(np.uint16)
    valid = np.ones((9, 24, 24), bool)
    valid[4, :, :8] = False
    made, line = fill_clr(stack, valid, days, days, 1), fill_linear(stack, valid, days, days)
    hidden = np.s_[4, 0, :, :8]
    assert np.abs(made[hidden] - truth[hidden]).mean() < 60
    assert np.abs(line[hidden] - truth[hidden]).mean() > 1_000


def test_a_date_hidden_everywhere_is_interpolated() -> None:
    stack = np.arange(5, dtype=np.uint16).reshape(5, 1, 1, 1).repeat(16, axis=3) * np.uint16(100) + np.uint16(1)
    valid = np.ones((5, 1, 16), bool)
    valid[2] = False
    days = np.arange(5.0)
    assert np.array_equal(fill_clr(stack, valid, days, days, 3), stack)


def test_a_pixel_never_seen_is_nodata() -> None:
    stack = np.full((3, 2, 2, 2), 500, np.uint16)
    valid = np.ones((3, 2, 2), bool)
    valid[:, 0, 0] = False
    made = fill_clr(stack, valid, np.arange(3.0), np.array([0.5]), 2)
    assert made[0, :, 0, 0].tolist() == [0, 0]
    assert made[0, 0, 1, 1] == 500
