"""Coordinates of labelled arrays: indexes, pixel centres and the CRS."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray
    from xarray.indexes import PandasIndex

    from landloom.model.grid import Grid


def index_of(name: str, values: NDArray[Any]) -> PandasIndex:
    """The index of a dimension, from its values in order."""
    from xarray.indexes import PandasIndex

    return PandasIndex(values, name)


def centres(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """X of the columns and y of the rows of pixel centres."""
    x: NDArray[np.float64] = grid.west + (np.arange(grid.width, dtype=np.float64) + 0.5) * grid.pixel_width
    y: NDArray[np.float64] = grid.north - (np.arange(grid.height, dtype=np.float64) + 0.5) * grid.pixel_height
    return x, y


@cache
def _wkt(epsg: int) -> str:
    from pyproj import CRS

    return str(CRS.from_epsg(epsg).to_wkt())


def spatial_ref(grid: Grid) -> xr.Variable:
    """The CRS and the geotransform of a grid, as odc-geo and rioxarray read them."""
    import xarray as xr

    transform = f"{grid.west} {grid.pixel_width} 0 {grid.north} 0 {-grid.pixel_height}"
    return xr.Variable((), np.int32(grid.epsg), {"spatial_ref": _wkt(grid.epsg), "GeoTransform": transform})
