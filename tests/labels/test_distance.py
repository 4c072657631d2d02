"""Distances to the outline of the winner, against shapely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.labels.claims import assign, claims_on
from landloom.labels.coverage import rings_of
from landloom.labels.distance import distances_to_outline
from landloom.model.grid import Grid

GRID = Grid.of_bounds(32633, (0, 0, 300, 200), 10)


@given(st.integers(0, 2**32), st.sampled_from([(0, 0, 20, 30), (3, 5, 9, 11)]), st.sampled_from([4, 200]))
@settings(max_examples=20, deadline=None)
def test_each_winners_pixel_has_the_distance_that_shapely_measures(
    seed: int, window: tuple[int, int, int, int], vertices: int
) -> None:
    rng = np.random.default_rng(seed)
    shapes = [
        shapely.Point(x, y).buffer(r, quad_segs=vertices).difference(shapely.Point(x, y).buffer(r / 4))
        for x, y, r in rng.uniform((0, 0, 10), (300, 200, 80), (4, 3))
    ]
    rings = rings_of(np.array(shapes, object), GRID)
    claims = claims_on(rings, window)
    winner = assign(claims, np.arange(4)).winner
    found = distances_to_outline(rings, claims, winner, GRID, window)
    for row, column in np.ndindex(winner.shape):
        if winner[row, column] < 0:
            assert np.isnan(found[row, column])
            continue
        centre = shapely.Point(10 * (window[1] + column) + 5, 200 - 10 * (window[0] + row) - 5)
        outline = shapes[winner[row, column]].boundary
        assert found[row, column] == pytest.approx(outline.distance(centre), abs=1e-4)
