"""Windows around a place lie on multiples of 60 m."""

from __future__ import annotations

import numpy as np

from landloom.sampling.windows import centred_window


def test_windows_are_centred_on_multiples_of_60() -> None:
    rng = np.random.default_rng(0)
    south_west = rng.uniform(0, 10_000, (500, 2))
    bounds = np.hstack([south_west, south_west + rng.uniform(10, 300, (500, 2))])
    corner = centred_window(bounds, 240.0)
    assert (corner % 60 == 0).all()
    off = np.abs(corner + 120 - (bounds[:, :2] + bounds[:, 2:]) / 2)
    assert off.max() <= 30
