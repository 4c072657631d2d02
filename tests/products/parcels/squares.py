"""Parcels that are squares, in many sizes and places, on a grid of 10 m."""

from __future__ import annotations

import geopandas
import numpy as np
import shapely

from landloom.model.grid import Grid

GRID = Grid.of_bounds(32633, (500_000, 5_000_000, 512_000, 5_011_000), 10)
COLUMNS = {"id": "key", "ground_truth": "crop"}


def squares() -> geopandas.GeoDataFrame:
    """Some across the edge, some on top of each other, one broken; ids beyond 2^40."""
    rng = np.random.default_rng(4)
    x, y = 500_000 + rng.uniform(-100, 12_000, 300), 5_000_000 + rng.uniform(-100, 11_000, 300)
    side = rng.uniform(20, 400, 300)
    shapes = shapely.box(x, y, x + side, y + 0.7 * side)
    shapes[7] = shapely.Polygon(
        [(501_000, 5_001_000), (501_100, 5_001_100), (501_100, 5_001_000), (501_000, 5_001_100)]
    )
    crops = np.array(["maize", "wheat", "meadow"])[rng.integers(0, 3, 300)]
    return geopandas.GeoDataFrame({"key": np.arange(300) + 2**40, "crop": crops}, geometry=shapes, crs=32633)
