"""Corners derived in plain numpy against shapely's box and PROJ."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.model.grid import WGS84
from landloom.model.shapes import reproject
from landloom.query.index.corners import TOLERANCE, corners

ZONES = st.sampled_from([32601, 32633, 32660, 32733])


@given(st.lists(st.tuples(ZONES, st.integers(350_000, 640_000), st.integers(100_000, 8_000_000)), max_size=5))
def test_corners_are_those_of_the_reprojected_box_in_shapelys_order(squares: list[tuple[int, int, int]]) -> None:
    epsg = np.array([code for code, _, _ in squares], np.int32)
    bounds = np.array([(x, y, x + 600, y + 600) for _, x, y in squares], np.float64).reshape(-1, 4)
    quick, exact = corners(epsg, bounds), corners(epsg, bounds, exact=True)
    assert quick.shape == exact.shape == (len(squares), 4, 2)
    assert np.abs(quick - exact).max(initial=0) < 1e-11 < TOLERANCE
    for place, code in enumerate(epsg.tolist()):
        wanted = shapely.get_coordinates(reproject(shapely.box(*bounds[place]), code, WGS84, tolerance=inf))[:4]
        assert exact[place] == pytest.approx(wanted, abs=1e-12)


def test_other_systems_go_through_proj() -> None:
    bounds = np.array([[4_321_000.0, 3_210_000.0, 4_321_600.0, 3_210_600.0]])
    found = corners(np.array([3035], np.int32), bounds, 5)
    wanted = shapely.get_coordinates(reproject(shapely.box(*bounds[0]), 3035, WGS84))[:4]
    assert found[0].tolist() == np.round(wanted, 5).tolist()
