"""Coordinates of labelled arrays: indexes, pixel centres and the CRS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import xarray as xr
    from numpy.typing import NDArray
    from xarray.indexes import Index, PandasIndex

    from landloom.model.grid import Grid


def index_of(name: str, values: NDArray[Any]) -> PandasIndex:
    """The index of a dimension, from its values in order."""
    from xarray.indexes import PandasIndex

    return PandasIndex(values, name)


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """A dimension with its index and its coordinate, made once for many arrays."""

    name: str
    index: PandasIndex
    variable: xr.Variable

    @classmethod
    def of(cls, name: str, values: NDArray[Any]) -> Self:
        """The axis with values in order."""
        index = index_of(name, values)
        return cls(name, index, index.create_variables()[name])


@lru_cache(maxsize=8192)
def _axis(name: str, start: float, step: float, count: int) -> Axis:
    """The axis of pixel centres: samples of one column or row have the same."""
    return Axis.of(name, _centres(start, step, count))


def labelled(
    numbers: NDArray[Any],
    axes: Sequence[Axis],
    grid: Grid,
    others: Mapping[str, xr.Variable],
    name: str,
    attrs: dict[str, Any],
) -> xr.DataArray:
    """An array with its coordinates.

    The way that xarray takes for its own results: its constructor for everybody copies every index, which takes as
    long as a quarter of a cube's decoding.

    Args:
        numbers: (axes …, y, x).
        axes: those before y and x.
        grid: of y and x.
        others: coordinates without an index.
        name: of the array.
        attrs: its attributes.
    """
    import xarray as xr

    pixels = (
        _axis("y", grid.north, -grid.pixel_height, grid.height),
        _axis("x", grid.west, grid.pixel_width, grid.width),
    )
    every = (*axes, *pixels)
    coordinates = {axis.name: axis.variable.copy(deep=False) for axis in every}
    variable = xr.Variable([axis.name for axis in every], numbers, attrs)
    coordinates |= {"spatial_ref": spatial_ref(grid)} | dict(others)
    indexes: dict[Hashable, Index] = {axis.name: axis.index for axis in every}
    return xr.DataArray(variable, coordinates, name=name, indexes=indexes, fastpath=True)


def _centres(start: float, step: float, count: int) -> NDArray[np.float64]:
    """Of pixels, from the edge of the first."""
    centres: NDArray[np.float64] = start + (np.arange(count, dtype=np.float64) + 0.5) * step
    return centres


@cache
def _wkt(epsg: int) -> str:
    from pyproj import CRS

    return str(CRS.from_epsg(epsg).to_wkt())


def spatial_ref(grid: Grid) -> xr.Variable:
    """The CRS and the geotransform of a grid, as odc-geo and rioxarray read them."""
    import xarray as xr

    transform = f"{grid.west} {grid.pixel_width} 0 {grid.north} 0 {-grid.pixel_height}"
    return xr.Variable((), np.int32(grid.epsg), {"spatial_ref": _wkt(grid.epsg), "GeoTransform": transform})
