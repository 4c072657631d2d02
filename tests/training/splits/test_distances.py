"""Distances between footprints: against planar ones, across zones and 180°."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from tests.training.splits.pairs import corners_of

from landloom.training.splits.distances import Footprints, nearest

if TYPE_CHECKING:
    from landloom.query.index.sidecar import Sidecar

GAP = 3000.0


def test_distances_are_those_on_the_map(sidecar: Sidecar) -> None:
    """Within a zone, against rectangles on the UTM grid, whose scale is right to 0.1 %."""
    rows = np.arange(len(sidecar), dtype=np.int32)
    squares, epsg = sidecar.squares(rows), sidecar.epsg(rows)
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, len(rows), (2, 20_000))
    flat = shapely.distance(shapely.box(*squares[first].T), shapely.box(*squares[second].T))
    near = (epsg[first] == epsg[second]) & (flat < 60_000)
    assert near.sum() > 100
    measured = Footprints.of_degrees(corners_of(sidecar)).distances(first[near], second[near])
    np.testing.assert_allclose(measured, flat[near], rtol=1.1e-3, atol=1.5)


def test_the_nearest_pair_is_found_across_zones_and_the_date_line() -> None:
    squares = np.array([[[180.01, 10.0], [180.01, 10.01], [180.0, 10.01], [180.0, 10.0]]])
    places = Footprints.of_degrees(np.concatenate([squares, squares - [0.03, 0], squares - [360.05, 0]]))
    distance, measured = nearest(places, np.array([0]), np.array([1, 2]))
    assert measured >= 1
    assert distance == pytest.approx(0.02 * 111_320 * np.cos(np.radians(10.01)), rel=2e-3)
