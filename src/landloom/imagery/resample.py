"""Resampling to another grid: by nearest neighbour, exact if grids nest, with a defined tie rule if they do not.

A target pixel takes the source pixel that contains its centre. If the centre lies on the boundary of two source pixels,
the western or northern one is taken: a source centre on a pixel boundary goes to the cell east and south of it.
(GDAL takes the eastern and southern source pixel there; it agrees everywhere else.)

Scenes whose displacement is removed are interpolated instead, between the four pixels around each position.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.polynomial.chebyshev import chebpts1, chebvander

from landloom.errors import InvalidValueError
from landloom.kernels import kernel
from landloom.model.grid import Grid, transformer
from landloom.model.sensor import NODATA, SATURATED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

TIE: Final = 1e-6
"""Tolerance in source pixels; a centre this close to a boundary counts as on it."""
NODES: Final = 12
"""Points along each axis at which coordinates are transformed exactly."""
CLOSE: Final = 1e-6
"""Tolerance in source pixels between interpolated and exact coordinates; beyond it, all are transformed exactly."""
ROWS: Final = 128
"""Target rows whose coordinates are held in memory at a time."""


def repeat(array: NDArray[Any], factor: int) -> NDArray[Any]:
    """Repeat every pixel as a block of `factor` × `factor` pixels: 20 m to 10 m, 60 m to 10 m.

    Args:
        array: (…, y, x).
        factor: whole number, at least 1.

    Raises:
        InvalidValueError: a factor below 1.

    Example:
        >>> repeat(np.array([[1, 2]]), 2)
        array([[1, 1, 2, 2],
               [1, 1, 2, 2]])
    """
    if factor < 1:
        raise InvalidValueError(f"got a factor of {factor}, expected at least 1")
    return array if factor == 1 else array.repeat(factor, axis=-1).repeat(factor, axis=-2)


def nearest_indices(source: Grid, target: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The source row and column for each target row and column, in one CRS.

    Args:
        source: grid of the values.
        target: grid to resample to.

    Returns:
        Row per target row, and column per target column; −1 outside the source.

    Raises:
        InvalidValueError: the grids differ in CRS.

    Example:
        >>> source = Grid.of_bounds(32633, (0, 0, 40, 40), 20)
        >>> rows, columns = nearest_indices(source, Grid.of_bounds(32633, (10, 0, 50, 40), 20))
        >>> rows, columns
        (array([0, 1]), array([0, 1]))
    """
    if source.epsg != target.epsg:
        raise InvalidValueError(f"got grids in EPSG:{source.epsg} and EPSG:{target.epsg}, expected one CRS")
    y = (source.north - target.north + np.arange(0.5, target.height) * target.pixel_height) / source.pixel_height
    x = (target.west - source.west + np.arange(0.5, target.width) * target.pixel_width) / source.pixel_width
    return _holding(y, source.height), _holding(x, source.width)


def nesting(source: Grid, target: Grid) -> int:
    """Target pixels along a side of a source pixel, if the target consists of all of the source's; else 0.

    Example:
        >>> nesting(Grid.of_bounds(32633, (0, 0, 40, 20), 20), Grid.of_bounds(32633, (0, 0, 40, 20), 10))
        2
        >>> nesting(Grid.of_bounds(32633, (0, 0, 40, 20), 20), Grid.of_bounds(32633, (10, 0, 40, 20), 10))
        0
    """
    factor = round(source.pixel_width / target.pixel_width)
    same = (source.epsg, source.west, source.north) == (target.epsg, target.west, target.north)
    sizes = (source.pixel_width, source.pixel_height) == (factor * target.pixel_width, factor * target.pixel_height)
    shapes = (source.height * factor, source.width * factor) == target.shape
    return factor if same and sizes and shapes else 0


def to_grid(array: NDArray[Any], source: Grid, target: Grid, *, nodata: float = 0) -> NDArray[Any]:
    """Resample a raster, continuous or categorical, to another grid by nearest neighbour.

    Args:
        array: (y, x) or (band, y, x) on the source grid.
        source: its grid.
        target: grid to resample to, in any CRS and resolution.
        nodata: value outside the source.

    Returns:
        New array on the target grid, with the same type and number of axes.

    Raises:
        InvalidValueError: the array does not have the shape of the source grid.

    Example:
        >>> source = Grid.of_bounds(32633, (0, 0, 40, 20), 20)
        >>> to_grid(np.array([[7, 8]]), source, Grid.of_bounds(32633, (10, 10, 50, 20), 10))
        array([[7, 8, 8, 0]])
    """
    if array.ndim not in {2, 3} or array.shape[-2:] != source.shape:
        raise InvalidValueError(f"got an array of {array.shape}, expected (y, x) or (band, y, x) with {source.shape}")
    out = np.full((*array.shape[:-2], *target.shape), nodata, dtype=array.dtype)
    if source.epsg == target.epsg:
        rows, columns = nearest_indices(source, target)
        inside_rows, inside_columns = _inside(rows), _inside(columns)
        part = _along(array, rows[inside_rows], axis=-2)
        out[..., inside_rows, inside_columns] = _along(part, columns[inside_columns], axis=-1)
        return out
    bands, filled = (np.ascontiguousarray(a).reshape(-1, *a.shape[-2:]) for a in (array, out))
    for start, y, x in _coordinates(source, target):
        _gather(bands, y, x, filled[:, start : start + len(y)])
    return out


def interpolated(array: NDArray[np.uint16], source: Grid, target: Grid) -> NDArray[np.uint16]:
    """Resample 10,000 × reflectance to another grid, bilinearly.

    Args:
        array: (y, x) on the source grid.
        source: its grid.
        target: grid to resample to, in any CRS and resolution.

    Returns:
        (y, x) on the target grid, halves rounded up; nodata outside the source and where any pixel that counts is
        nodata, saturated where any is.

    Raises:
        InvalidValueError: the array does not have the shape of the source grid.

    Example:
        >>> source = Grid.of_bounds(32633, (0, 0, 40, 10), 10)
        >>> target = Grid.of_bounds(32633, (4, 0, 44, 10), 10)
        >>> interpolated(np.array([[100, 200, 300, 0]], np.uint16), source, target)
        array([[140, 240,   0,   0]], dtype=uint16)
    """
    if array.shape != source.shape:
        raise InvalidValueError(f"got an array of {array.shape}, expected (y, x) with {source.shape}")
    out = np.zeros(target.shape, np.uint16)
    values = np.ascontiguousarray(array)
    if source.epsg == target.epsg:
        y = (source.north - target.north + np.arange(0.5, target.height) * target.pixel_height) / source.pixel_height
        x = (target.west - source.west + np.arange(0.5, target.width) * target.pixel_width) / source.pixel_width
        _blend(values, *(one.copy() for one in np.broadcast_arrays(y[:, None], x[None])), out)
        return out
    for start, y, x in _coordinates(source, target):
        _blend(values, y, x, out[start : start + len(y)])
    return out


@kernel
def _blend(values: NDArray[np.uint16], y: NDArray[np.float64], x: NDArray[np.float64], out: NDArray[np.uint16]) -> None:
    """Mean of the four pixels around each position, by distance; of those that the source has."""
    height, width = values.shape
    for row in range(y.shape[0]):
        for column in range(y.shape[1]):
            down, along = y[row, column], x[row, column]
            # Written so that NaN positions count as outside.
            if not (-TIE < down < height + TIE and -TIE < along < width + TIE):
                continue
            i, j = int(np.floor(down - 0.5 + TIE)), int(np.floor(along - 0.5 + TIE))
            total, invalid = 0.0, False
            saturated = False
            for k in range(4):
                r, c = i + k // 2, j + k % 2
                share = (1.0 - abs(down - 0.5 - r)) * (1.0 - abs(along - 0.5 - c))
                if share <= TIE:
                    continue
                value = values[min(max(r, 0), height - 1), min(max(c, 0), width - 1)]
                invalid |= value == NODATA
                saturated |= value == SATURATED
                total += share * value
            if not invalid:
                out[row, column] = SATURATED if saturated else np.uint16(total + 0.5)


@kernel
def _gather(bands: NDArray[Any], y: NDArray[np.float64], x: NDArray[np.float64], out: NDArray[Any]) -> None:
    """Take the pixel that contains each position; nothing is written outside the source."""
    count, height, width = bands.shape
    for row in range(y.shape[0]):
        for column in range(y.shape[1]):
            down, along = y[row, column] - TIE, x[row, column] - TIE
            # Written so that NaN positions count as outside.
            if 0 < down <= height and 0 < along <= width:
                i, j = int(np.ceil(down)) - 1, int(np.ceil(along)) - 1
                for band in range(count):
                    out[band, row, column] = bands[band, i, j]


def _holding(positions: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    """The pixel that contains each position, the lower of two on a boundary; −1 outside."""
    index: NDArray[np.int64] = np.ceil(positions - TIE).astype(np.int64) - 1
    index[index >= size] = -1
    return np.maximum(index, -1)


def _inside(indices: NDArray[np.int64]) -> slice:
    """The part of the target that the source covers; it is contiguous."""
    found = np.flatnonzero(indices >= 0)
    return slice(int(found[0]), int(found[-1]) + 1) if found.size else slice(0, 0)


def _along(array: NDArray[Any], indices: NDArray[np.int64], axis: int) -> NDArray[Any]:
    """Take along one of the last two axes; as a slice or a repeat if the indices allow it."""
    if not indices.size:
        return array.take(indices, axis=axis)
    first, last = int(indices[0]), int(indices[-1])
    runs = np.bincount(indices - first)
    factor = max(int(runs.max()), 1)
    phase = factor - int(runs[0])
    if not np.array_equal(indices, first + (np.arange(indices.size) + phase) // factor):
        return array.take(indices, axis=axis)
    part: NDArray[Any] = array[_part(axis, first, last + 1)]
    if factor > 1:
        part = part.repeat(factor, axis=axis)
    moved: NDArray[Any] = part[_part(axis, phase, phase + indices.size)]
    return moved


def _part(axis: int, start: int, stop: int) -> tuple[Any, ...]:
    """The index of a part along one of the last two axes."""
    return (..., slice(start, stop), slice(None)) if axis == -2 else (..., slice(start, stop))


def _coordinates(source: Grid, target: Grid) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """Positions of the target's pixel centres in source pixels: (first row, y, x) by groups of rows.

    Map projections are smooth: polynomials through a few exactly transformed points give all others. (Other tools that
    interpolate linearly over 32 pixels, or accept GDAL's default error of an eighth of a pixel, pick another neighbour
    for some pixels in a hundred.) If a check on other points fails, every pixel is transformed.
    """
    values = _fitted(source, target)
    columns = np.arange(0.5, target.width)
    for start in range(0, target.height, ROWS):
        rows = np.arange(start + 0.5, min(start + ROWS, target.height))
        yield (start, *(values.at(rows, columns) if values.close else _exactly(source, target, rows, columns)))


def _exactly(
    source: Grid, target: Grid, rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Transform every combination of target rows and columns; (y, x) in source pixels."""
    x, y = np.meshgrid(target.west + columns * target.pixel_width, target.north - rows * target.pixel_height)
    x, y = transformer(target.epsg, source.epsg).transform(x, y)
    return (source.north - y) / source.pixel_height, (x - source.west) / source.pixel_width


class _Polynomial:
    """Chebyshev interpolation of source positions over the target grid."""

    def __init__(self, source: Grid, target: Grid) -> None:
        self._height, self._width = target.shape
        nodes = chebpts1(NODES)
        invert = np.linalg.inv(chebvander(nodes, NODES - 1))
        exact = _exactly(source, target, (nodes + 1) / 2 * self._height, (nodes + 1) / 2 * self._width)
        self._coefficients = [invert @ values @ invert.T for values in exact] if np.isfinite(exact).all() else None
        self.close = self._check(source, target)
        """Whether it agrees with the exact positions at all checked points."""

    def _check(self, source: Grid, target: Grid) -> bool:
        if self._coefficients is None:
            return False
        rows, columns = np.linspace(0, self._height, 14), np.linspace(0, self._width, 15)
        exact = np.array(_exactly(source, target, rows, columns))
        return bool(np.abs(exact - np.array(self.at(rows, columns))).max() <= CLOSE)

    def at(
        self, rows: NDArray[np.float64], columns: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(y, x) in source pixels, for every combination of target rows and columns."""
        down = chebvander(rows * 2 / self._height - 1, NODES - 1)
        along = chebvander(columns * 2 / self._width - 1, NODES - 1)
        y, x = (_product(_product(down, coefficients), along.T.copy()) for coefficients in self._coefficients or ())
        return y, x


@lru_cache(maxsize=64)
def _fitted(source: Grid, target: Grid) -> _Polynomial:
    """The polynomial between two grids, which the bands of all scenes share."""
    return _Polynomial(source, target)


@kernel
def _product(tall: NDArray[np.float64], wide: NDArray[np.float64]) -> NDArray[np.float64]:
    """A matrix product of few inner terms; bit-identical whatever the threads of a linear algebra library."""
    out = np.zeros((tall.shape[0], wide.shape[1]))
    for row in range(tall.shape[0]):
        for inner in range(tall.shape[1]):
            _add_scaled(out[row], tall[row, inner], wide[inner])
    return out


@kernel
def _add_scaled(out: NDArray[np.float64], factor: float, row: NDArray[np.float64]) -> None:
    for column in range(out.size):
        out[column] += factor * row[column]
