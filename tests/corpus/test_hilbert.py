from __future__ import annotations

import numpy as np
import pytest

from landloom.corpus.hilbert import ORDER, hilbert


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_visits_every_cell_once_and_only_steps_to_neighbours(order: int) -> None:
    y, x = np.mgrid[: 1 << order, : 1 << order]
    distance = hilbert(x, y, order).ravel()
    assert sorted(distance.tolist()) == list(range(4**order))
    path = np.argsort(distance)
    steps = np.abs(np.diff(x.ravel()[path])) + np.abs(np.diff(y.ravel()[path]))
    assert (steps == 1).all()


def test_reaches_the_far_corner_of_a_zone() -> None:
    assert 0 <= int(hilbert(100_000, 1_000_000, ORDER)) < 4**ORDER
