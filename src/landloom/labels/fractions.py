"""Class fractions of cells, by exact area, from polygons and from rasters in any CRS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError, Problem
from landloom.labels.cell_blocks import as_cells, blocks_of, outlines_in
from landloom.labels.coverage import coverage_of
from landloom.labels.histogram import count_values
from landloom.labels.polygons import LabelPolygons, OnInvalid, Overlap, label_polygons
from landloom.model.apportion import apportion
from landloom.model.shapes import reach, reproject_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.model.crs_key import CrsKey
    from landloom.model.grid import Grid
    from landloom.model.taxonomy import Taxonomy

_CELLS_AT_ONCE: Final = 2048
_OFF: Final = 0.02
"""Metres by which edges of polygons may be off: 30 millionths of a cell of 600 m."""
_ALIGNED: Final = 1e-6
"""Tolerance in pixels between edges that count as the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FractionTable:
    """Shares of classes in cells.

    Example:
        >>> import shapely
        >>> from landloom.model.grid import Grid
        >>> from landloom.model.taxonomy import taxonomy
        >>> cell = Grid.of_bounds(32633, (0, 0, 600, 600), 10)
        >>> table = fractions_from_polygons([shapely.box(0, 0, 600, 200)], ["311"], [cell], taxonomy("clc"), epsg=32633)
        >>> table.of("311").tolist(), table.of("999").tolist()
        ([333333], [666667])
    """

    taxonomy: Taxonomy
    """The taxonomy of the classes."""
    millionths: NDArray[np.int64]
    """(cell, class) in the order of `taxonomy.codes()`; each row sums to exactly 1,000,000."""
    shares: NDArray[np.float64]
    """(cell, class) the same before rounding; each row sums to 1."""
    problems: tuple[Problem, ...] = ()
    """Rows of the source that were repaired or dropped, and why."""
    overlaps: tuple[Overlap, ...] = ()
    """Overlapping pairs of polygons, largest overlap first."""

    def __len__(self) -> int:
        return len(self.millionths)

    def of(self, code: str) -> NDArray[np.int64]:
        """(cell,) millionths of one of the finest classes."""
        column: NDArray[np.int64] = self.millionths[:, self.taxonomy.index[self.taxonomy.parse_code(code)]]
        return column


def _table(shares: NDArray[np.float64], taxonomy: Taxonomy) -> FractionTable:
    """Assign the share without a label to nodata; scale sums above 1 (rounding at seams) down to 1."""
    total = shares.sum(axis=1, keepdims=True)
    shares = np.where(total > 1, shares / np.maximum(total, 1), shares)
    nodata = taxonomy.index[taxonomy.nodata]
    shares[:, nodata] += np.maximum(1 - shares.sum(axis=1), 0)
    millionths = apportion(shares) if len(shares) else np.zeros(shares.shape, np.int64)
    return FractionTable(taxonomy=taxonomy, millionths=millionths, shares=shares)


def fractions_from_polygons(
    geometries: Sequence[Any] | NDArray[Any],
    codes: Sequence[Any] | NDArray[Any],
    cells: Grid | Sequence[Grid],
    taxonomy: Taxonomy,
    *,
    epsg: CrsKey | None,
    invalid: OnInvalid = "error",
    rows: Sequence[str] | None = None,
) -> FractionTable:
    """Fractions of cells from labelled polygons; checks the source first, as in `label_polygons`.

    Args:
        geometries: (row,) shapely polygons and multipolygons.
        codes: (row,) their codes.
        cells: grids whose bounds are the cells, of any CRS; for a single grid, each pixel is a cell.
        taxonomy: the taxonomy of the codes.
        epsg: code of the geometries' CRS.
        invalid: how to treat bad geometries.
        rows: (row,) names of rows in problems; by default `row 0`, ….

    Raises:
        InvalidInputError: see `label_polygons`.
    """
    labels = label_polygons(geometries, codes, taxonomy, epsg=epsg, invalid=invalid, rows=rows)
    return fractions_of_labels(labels, cells)


def fractions_of_labels(labels: LabelPolygons, cells: Grid | Sequence[Grid]) -> FractionTable:
    """Fractions of cells from checked polygons: shares of a cell's area in the cell's own CRS.

    Polygons are brought into the CRS of the cells as `landloom.model.shapes` does. Any order of polygons gives the
    same bits.
    """
    wanted = as_cells(cells)
    count = len(labels.taxonomy.codes())
    shares = np.zeros((len(wanted), count))
    tree = shapely.STRtree(labels.geometries)
    for block in blocks_of(wanted):
        near = _near(tree, block.grid, labels.epsg)
        local, refused = reproject_all(
            labels.geometries[near], labels.epsg, block.grid.epsg, tolerance=_OFF, near=[block.grid.bounds]
        )
        if refused:
            place, why = next(iter(refused.items()))
            code = labels.taxonomy.codes()[labels.classes[near][place]]
            raise InvalidInputError(f"a polygon of {code} near {block.grid.bounds} {why}")
        claims = coverage_of(local, block.grid)
        slot = claims.pixel * count + labels.classes[near][claims.polygon]
        sums = np.bincount(slot, weights=claims.coverage, minlength=block.grid.width * block.grid.height * count)
        shares[block.places] = sums.reshape(-1, count)[block.pixels]
    return replace(_table(shares, labels.taxonomy), problems=labels.problems, overlaps=labels.overlaps)


def _near(tree: Any, grid: Grid, epsg: CrsKey) -> NDArray[np.int64]:
    """Places of polygons that may reach into a grid: found by bounds, on both sides of 180° where it lies there."""
    found = []
    for west, south, east, north in reach(grid.bounds, grid.epsg, epsg):
        margin = 0.01 * max(east - west, north - south)
        found.append(tree.query(shapely.box(west - margin, south - margin, east + margin, north + margin)))
    return np.unique(np.concatenate(found))


def raster_window(cells: Sequence[Grid], raster_grid: Grid) -> tuple[int, int, int, int] | None:
    """The part of a raster needed for the fractions of cells: row, column, height, width; None without overlap.

    Example:
        >>> from landloom.model.grid import Grid
        >>> cell = Grid.of_bounds(32633, (100, 100, 700, 700), 10)
        >>> raster_window([cell], Grid.of_bounds(32633, (0, 0, 1000, 1000), 25))
        (12, 4, 24, 24)
    """
    west, south, east, north = shapely.total_bounds(outlines_in(cells, raster_grid.epsg, tolerance=1e-6))
    top = max(floor((raster_grid.north - north) / raster_grid.pixel_height + _ALIGNED), 0)
    bottom = min(ceil((raster_grid.north - south) / raster_grid.pixel_height - _ALIGNED), raster_grid.height)
    left = max(floor((west - raster_grid.west) / raster_grid.pixel_width + _ALIGNED), 0)
    right = min(ceil((east - raster_grid.west) / raster_grid.pixel_width - _ALIGNED), raster_grid.width)
    return (top, left, bottom - top, right - left) if top < bottom and left < right else None


def fractions_from_raster(
    raster: NDArray[Any],
    raster_grid: Grid,
    cells: Grid | Sequence[Grid],
    taxonomy: Taxonomy,
    *,
    codes: Mapping[int, str] | None = None,
    nodata: float | None = None,
) -> FractionTable:
    """Fractions of cells from a raster of class numbers, by the exact area of each pixel inside each cell.

    If the edges of a cell are edges of pixels, pixels are counted; otherwise, and in another CRS, the cell's
    outline is transformed to the raster's CRS vertex by vertex and its exact coverage of pixels is used.

    Args:
        raster: (row, column) whole numbers.
        raster_grid: grid of the raster.
        cells: grids whose bounds are the cells; for a single grid, each pixel is a cell.
        taxonomy: the taxonomy of the fractions.
        codes: number in the raster → code; by default `taxonomy.raster_codes`, which for CLC reads 111 … 999 as well
            as the grid codes 1 to 44 and 48.
        nodata: number in the raster for pixels without a label.

    Raises:
        InvalidInputError: the raster is not an array of whole numbers with its grid's shape, or has, inside a cell,
            numbers without a class; the message lists them.

    Example:
        >>> from landloom.model.grid import Grid
        >>> from landloom.model.taxonomy import taxonomy
        >>> grid = Grid.of_bounds(32633, (0, 0, 600, 600), 100)
        >>> raster = np.full((6, 6), 23, np.uint8)
        >>> cell = Grid.of_bounds(32633, (300, 0, 900, 600), 10)
        >>> table = fractions_from_raster(raster, grid, [cell], taxonomy("clc"))
        >>> table.of("311").tolist(), table.of("999").tolist()
        ([500000], [500000])
    """
    if raster.shape != raster_grid.shape or not np.issubdtype(raster.dtype, np.integer):
        raise InvalidInputError(
            f"got a raster of {raster.dtype} {raster.shape}, expected whole numbers {raster_grid.shape}"
        )
    table = dict(taxonomy.raster_codes if codes is None else codes)
    if nodata is not None and float(nodata).is_integer():
        table[int(nodata)] = taxonomy.nodata
    wanted = as_cells(cells)
    weights: NDArray[np.float64] = np.zeros((len(wanted), 0))
    values, aligned = _aligned(raster, raster_grid, wanted)
    shares = np.zeros((len(wanted), len(taxonomy.codes())))
    for places, weights in aligned:
        _add(shares, places, weights, values, table, taxonomy)
    done = np.concatenate([np.zeros(0, np.int64), *(places for places, _ in aligned)])
    rest = np.setdiff1d(np.arange(len(wanted)), done)
    for start in range(0, len(rest), _CELLS_AT_ONCE):
        places = rest[start : start + _CELLS_AT_ONCE]
        found, weights = _weighed(raster, raster_grid, [wanted[i] for i in places])
        _add(shares, places, weights, found, table, taxonomy)
    return _table(shares, taxonomy)


def _add(
    shares: NDArray[np.float64],
    places: NDArray[np.int64],
    weights: NDArray[np.float64],
    values: NDArray[Any],
    table: Mapping[int, str],
    taxonomy: Taxonomy,
) -> None:
    """Add (cell, value) weights to the (cell, class) rows of some cells."""
    used = np.flatnonzero(weights.any(axis=0))
    unknown = [int(values[i]) for i in used if int(values[i]) not in table]
    if unknown:
        raise InvalidInputError(f"got raster values {unknown}, expected those of {taxonomy.name}: {sorted(table)}")
    for i in used:
        shares[places, taxonomy.index[table[int(values[i])]]] += weights[:, i]


def _aligned(
    raster: NDArray[Any], grid: Grid, cells: Sequence[Grid]
) -> tuple[NDArray[Any], list[tuple[NDArray[np.int64], NDArray[np.float64]]]]:
    """Shares by counting, for cells whose edges are edges of pixels: values, and (indices, shares) per cell size."""
    sizes: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for place, cell in enumerate(cells):
        if cell.epsg != grid.epsg:
            continue
        edges = (
            (grid.north - cell.north) / grid.pixel_height,
            (cell.west - grid.west) / grid.pixel_width,
            (cell.north - cell.south) / grid.pixel_height,
            (cell.east - cell.west) / grid.pixel_width,
        )
        row, column, height, width = (round(edge) for edge in edges)
        if max(abs(edge - round(edge)) for edge in edges) < _ALIGNED and height and width:
            sizes.setdefault((height, width), []).append((place, row, column))
    if not sizes:
        return np.zeros(0, np.int64), []
    values, numbers = _as_bytes(raster)
    result = []
    for (height, width), members in sizes.items():
        place, row, column = np.array(members, dtype=np.int64).T
        counts = count_values(numbers, row, column, height, width)
        result.append((place, counts[:, : len(values)] / (height * width)))
    return values, result


def _as_bytes(raster: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """The raster as indices into a list of at most 256 values; a uint8 raster is returned unchanged."""
    if raster.dtype == np.uint8:
        return np.arange(256), raster
    values, places = np.unique(raster, return_inverse=True)
    if len(values) > 256:
        raise InvalidInputError(f"got a raster of {len(values)} different values, expected at most 256 classes")
    return values, places.reshape(raster.shape).astype(np.uint8)


def _weighed(raster: NDArray[Any], grid: Grid, cells: Sequence[Grid]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Shares by exact coverage: the values found, and (cell, value) shares of each cell in the raster's CRS."""
    outlines = outlines_in(cells, grid.epsg)
    window = raster_window(cells, grid)
    if window is None:
        return np.zeros(0, np.int64), np.zeros((len(cells), 0))
    claims = coverage_of(outlines, grid, window)
    row, column, height, width = window
    met = raster[row : row + height, column : column + width].ravel()[claims.pixel]
    values, places = np.unique(met, return_inverse=True)
    slot = claims.polygon * len(values) + places
    sums = np.bincount(slot, weights=claims.coverage, minlength=len(cells) * len(values))
    areas = shapely.area(outlines) / (grid.pixel_width * grid.pixel_height)
    return values, sums.reshape(len(cells), len(values)) / areas[:, None]
