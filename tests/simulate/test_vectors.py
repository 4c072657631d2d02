"""Polygons of the world hold the pixels of their code."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from tests.simulate.made import DEMO, GRID

from landloom.simulate.scene_frame import positions
from landloom.simulate.vectors import land_cover_polygons


def test_polygons_hold_the_pixels_of_their_code() -> None:
    x, y = positions(GRID)
    bounds = (float(x.min() - 500), float(y.min() - 500), float(x.max() + 500), float(y.max() + 500))
    polygons = land_cover_polygons(DEMO.spec, bounds)
    shapes = np.array([shape for _, shape in polygons])
    assert shapely.is_valid(shapes).all()
    area = sum(shape.area for shape in shapes)
    assert area == pytest.approx((bounds[2] - bounds[0]) * (bounds[3] - bounds[1]), rel=1e-9)
    points, holders = shapely.STRtree(shapes).query(shapely.points(x.ravel(), y.ravel()), predicate="within")
    assert np.array_equal(points, np.arange(GRID.width * GRID.height))
    codes = np.array([code for code, _ in polygons], dtype=np.uint16)[holders]
    assert np.array_equal(codes.reshape(GRID.shape), DEMO.land_cover(GRID))
