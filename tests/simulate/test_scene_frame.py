"""Positions in the frame of the world against PROJ."""

from __future__ import annotations

import numpy as np
from tests.simulate.made import GRID

from landloom.model.grid import transformer
from landloom.simulate.scene_frame import FRAME, positions


def test_positions_are_those_of_the_projection() -> None:
    x, y = positions(GRID)
    column, row = np.meshgrid(np.arange(GRID.width), np.arange(GRID.height))
    exact = transformer(GRID.epsg, FRAME).transform(GRID.west + 10 * column + 5, GRID.north - 10 * row - 5)
    assert abs(np.array([x, y]) - np.array(exact)).max() < 1e-3
