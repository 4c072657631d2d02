"""Parcels → rasters of class, id, coverage, distance and ambiguity, block by block in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import shapely

from landloom.errors import InvalidInputError
from landloom.labels.claims import NO_PARCEL, Ambiguity, assign, claims_on
from landloom.labels.coverage import TOUCH, rings_of
from landloom.labels.distance import distances_to_outline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from landloom.labels.classes import ClassMapping
    from landloom.labels.parcel_table import Rejected
    from landloom.labels.parcels import Parcels
    from landloom.model.grid import Grid

Window = tuple[int, int, int, int]
"""Row, column, height, width."""

BLOCK: Final = 1024
"""Pixels along a side of the blocks that are processed one at a time."""
LAYERS: Final = ("classes", "ids", "ratios", "distances", "masks", "ambiguity")
"""Names of the rasters, which are also the names of their files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelLayers:
    """Parcel data of each pixel; arrays are (row, column), row 0 north."""

    grid: Grid
    """Grid of the arrays."""
    classes: NDArray[Any]
    """Code of the winner in the mapping's type, the background's code without one; float32 and NaN for regression."""
    ids: NDArray[np.int64]
    """Id of the winner, exact; `nobody` without one."""
    ratios: NDArray[np.float32]
    """Share of the pixel that the winner covers."""
    distances: NDArray[np.float32]
    """From the pixel's centre to the winner's outline, in metres; NaN without one."""
    masks: NDArray[np.uint8]
    """The published mask 0, 1, 2; see `Assignment`."""
    ambiguity: NDArray[np.uint8]
    """`Ambiguity` bits."""
    nobody: int = 0
    """What stands for no parcel among ids: 0, or -1 where 0 is a parcel's id."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """True if the winner covers the whole pixel."""
        return self.ratios >= 1

    @property
    def boundary(self) -> NDArray[np.bool_]:
        """True if there is a winner that does not cover the whole pixel."""
        found: NDArray[np.bool_] = (self.ids != self.nobody) & (self.ratios < 1)
        return found

    @classmethod
    def empty(cls, grid: Grid, mapping: ClassMapping | None, nobody: int = 0) -> Self:
        """Layers of background only."""
        shape = grid.shape
        if mapping is None:
            classes: NDArray[Any] = np.full(shape, np.nan, np.float32)
        else:
            classes = np.full(shape, mapping.background, mapping.dtype)
        return cls(
            grid=grid,
            classes=classes,
            ids=np.full(shape, nobody, np.int64),
            ratios=np.zeros(shape, np.float32),
            distances=np.full(shape, np.nan, np.float32),
            masks=np.zeros(shape, np.uint8),
            ambiguity=np.zeros(shape, np.uint8),
            nobody=nobody,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedParcels:
    """Parcels located on a grid."""

    grid: Grid
    """The region."""
    parcels: Parcels
    """Those that intersect it, in its CRS; the others are among `parcels.rejected`."""
    clipped: NDArray[np.bool_]
    """(parcel,) True if the parcel extends beyond the region."""
    nobody: int = 0
    """Value for no parcel in rasters of ids, in all of the region."""

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """Every parcel of the source that is not on the raster, with the reason."""
        return self.parcels.rejected


def locate(parcels: Parcels, grid: Grid) -> LocatedParcels:
    """Transform parcels to a grid's CRS, vertex by vertex, and reject those outside it.

    Raises:
        InvalidInputError: there are parcels and none lies on the grid: the CRS is probably wrong.
    """
    moved = parcels.in_crs(grid.epsg)
    bounds = shapely.bounds(moved.geometries).reshape(-1, 4)
    west, south, east, north = grid.bounds
    meets = (bounds[:, 0] < east) & (bounds[:, 2] > west) & (bounds[:, 1] < north) & (bounds[:, 3] > south)
    if len(moved) and not meets.any():
        extent = tuple(round(float(v), 1) for v in shapely.total_bounds(moved.geometries))
        raise InvalidInputError(f"no parcel lies on the grid: got parcels at {extent}, expected some in {grid.bounds}")
    inside = moved.take(np.asarray(meets), "outside the grid")
    outward = np.array([-1, -1, 1, 1]) * (bounds[meets] - np.array(grid.bounds))
    clipped = (outward > TOUCH * grid.pixel_width).any(axis=1)
    return LocatedParcels(grid=grid, parcels=inside, clipped=clipped, nobody=inside.nobody)


def blocks(grid: Grid, size: int = BLOCK) -> Iterator[Window]:
    """Split a grid into windows of at most `size` pixels per side, row by row.

    Example:
        >>> from landloom.model.grid import Grid
        >>> list(blocks(Grid.of_bounds(32633, (0, 0, 50, 20), 10), 3))
        [(0, 0, 2, 3), (0, 3, 2, 2)]
    """
    for row in range(0, grid.height, size):
        for column in range(0, grid.width, size):
            yield row, column, min(size, grid.height - row), min(size, grid.width - column)


def layers_by_block(located: LocatedParcels, block: int = BLOCK) -> Iterator[tuple[Window, ParcelLayers]]:
    """The layers of a grid, one window after the other: memory for the parcels and one block.

    Blocks are independent, so that any order and any number of workers gives the same bytes.
    """
    tree = shapely.STRtree(located.parcels.geometries)
    for window in blocks(located.grid, block):
        bounds = located.grid.window(*window).bounds
        near = np.sort(tree.query(shapely.box(*bounds)))
        yield window, layers_of_window(located, window, near)


def layers_of_window(located: LocatedParcels, window: Window, near: NDArray[np.int64] | None = None) -> ParcelLayers:
    """The layers of one window of the grid, bit-identical to those of the whole.

    Args:
        located: the parcels.
        window: row, column, height, width.
        near: indices of all parcels that may intersect the window, ascending; by default all parcels.
    """
    parcels, grid = located.parcels, located.grid
    near = np.arange(len(parcels)) if near is None else near
    layers = ParcelLayers.empty(grid.window(*window), parcels.mapping, located.nobody)
    if not len(near):
        return layers
    rings = rings_of(parcels.geometries[near], grid)
    claims = claims_on(rings, window)
    kinds = np.unique(parcels.values[near], return_inverse=True)[1].astype(np.int64)
    given = assign(claims, kinds)
    taken = given.winner != NO_PARCEL
    owner = near[given.winner[taken]]
    layers.classes[taken] = parcels.values[owner]
    layers.ids[taken] = parcels.ids[owner]
    # Rounding to float32 must not raise a boundary pixel to 1; a pixel that is full to 1e-9 counts as full.
    ratio = np.minimum(given.ratio[taken].astype(np.float32), np.nextafter(np.float32(1), np.float32(0)))
    layers.ratios[taken] = np.where(given.ratio[taken] >= 1 - TOUCH, np.float32(1), ratio)
    layers.distances[:] = distances_to_outline(rings, claims, given.winner, grid, window)
    layers.masks[:] = given.mask
    layers.ambiguity[:] = given.ambiguity
    layers.ambiguity[taken] |= np.where(located.clipped[owner], Ambiguity.EDGE, 0).astype(np.uint8)
    return layers
