"""Features of some pixels against Whittaker smoothing of all."""

from __future__ import annotations

import numpy as np

from landloom.imagery.fusion.features import smoothed_pixels
from landloom.imagery.whittaker import BLOCK, Knots, whittaker


def test_features_are_the_smoothed_series_of_the_pixels_wanted() -> None:
    rng, days, targets = np.random.default_rng(0), np.arange(0.0, 90.0, 5.0), np.arange(0.0, 91.0, 15.0)
    stack = rng.integers(1, 9_000, (days.size, 3, BLOCK + 40)).astype(np.uint16)
    valid = rng.random((days.size, BLOCK + 40)) < 0.4
    valid[:, :3] = False
    valid[4, 1] = True
    places, knots = np.flatnonzero(valid.any(axis=0)), Knots.of(days, targets)
    found = np.full((stack.shape[2], targets.size * 3), 7, np.uint16)
    where = knots.index, knots.share, (knots.count, knots.first)
    smoothed_pixels(stack, valid, places, *where, 1.0, found)
    expected = whittaker(stack[..., None], valid[..., None], days, targets, 1.0)
    assert np.array_equal(found[places], expected.reshape(targets.size * 3, -1).T[places])
    assert (found[[0, 2]] == 7).all()
    assert np.array_equal(found[1], np.tile(stack[4, :, 1], targets.size))
