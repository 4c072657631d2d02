"""Two sensors that see at their own angles: the c-factor lowers what they differ by."""

from __future__ import annotations

import numpy as np

from landloom.products.fused.directed import FIRST, SECOND, directed


def test_nadir_brings_the_sensors_together_and_near_to_the_ground() -> None:
    days = np.arange(90.0, 270.0, 10.0)
    ground = np.random.default_rng(4).uniform(500, 3_500, (1, 4, 12, 12)).astype(np.float32).repeat(len(days), 0)
    one, other = (directed(ground, days, views, seed=4) for views in (FIRST, SECOND))
    apart = [np.abs(a - b).mean(axis=(0, 2, 3)) for a, b in zip(one, other, strict=True)]
    assert (apart[1] < 0.4 * apart[0]).all()
    off = [np.abs(seen - ground).mean(axis=(0, 2, 3)) for seen in one]
    assert (off[1] < 0.6 * off[0]).all()
