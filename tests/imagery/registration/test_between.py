"""The displacement between two sensors is found, or not trusted."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from landloom.imagery.registration.between import BetweenMeter, Offset
from landloom.imagery.registration.shifts import ShiftMeter

PLACES = ((0, 0), (1, 0), (0, -1), (-1, 1))


def seen(seed: int, right: int, down: int) -> np.ndarray:
    ground = gaussian_filter(np.random.default_rng(seed).standard_normal((110, 110)), 1.5)
    ground = 3_000 + 300 * ground / ground.std()
    return np.stack([ground[10 - down - y : 90 - down - y, 10 - right - x : 90 - right - x] for x, y in PLACES])


def between(first: np.ndarray, second: np.ndarray) -> Offset | None:
    valid = np.ones(first.shape, np.bool_)
    meter = BetweenMeter(days=np.arange(0.0, 20.0, 5.0), second=np.arange(2.0, 22.0, 5.0))
    own = ShiftMeter(days=meter.second)
    own.add(second, valid)
    meter.add(first, valid, second, valid)
    return meter.offset(own.shifts())


def test_a_common_displacement_is_found() -> None:
    found = between(*(np.stack([seen(1, *apart)[0]] * len(PLACES)) for apart in ((0, 0), (3, -2))))
    assert found is not None
    assert abs(found.right - 3) < 0.3
    assert abs(found.down + 2) < 0.3


def test_sensors_of_different_ground_are_not_compared() -> None:
    assert between(seen(1, 0, 0), seen(2, 0, 0)) is None
