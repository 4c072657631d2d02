"""Parcels → rasters of class, id, coverage, distance and doubt, block by block in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import shapely
from rasterio.features import rasterize

from landloom.errors import InvalidInputError
from landloom.labels.claims import NO_PARCEL, Ambiguity, assign, claims_on
from landloom.labels.coverage import TOUCH, rings_of
from landloom.labels.distance import distances_to_outline
from landloom.labels.parcels import Parcels, Rejected, parcels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from landloom.labels.classes import ClassMapping
    from landloom.model.grid import Grid

Window = tuple[int, int, int, int]
"""Row, column, height, width."""

BLOCK: Final = 1024
"""Pixels along a side of the blocks that are worked on one at a time."""
LAYERS: Final = ("classes", "ids", "ratios", "distances", "masks", "ambiguity")
"""Names of the rasters, which are also the names of their files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelLayers:
    """What parcels say of each pixel; arrays are (row, column), row 0 north."""

    grid: Grid
    """Where the arrays lie."""
    classes: NDArray[Any]
    """Code of the winner in the mapping's type, the background's code where none is; float32 and NaN for regression."""
    ids: NDArray[np.int64]
    """Id of the winner, exact; 0 where none is."""
    ratios: NDArray[np.float32]
    """Share of the pixel that the winner covers."""
    distances: NDArray[np.float32]
    """From the pixel's centre to the winner's outline, in metres; NaN where none is."""
    masks: NDArray[np.uint8]
    """The published mask 0, 1, 2; see `Assignment`."""
    ambiguity: NDArray[np.uint8]
    """`Ambiguity` bits."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """True where the winner covers the whole pixel."""
        return self.ratios >= 1

    @property
    def boundary(self) -> NDArray[np.bool_]:
        """True where there is a winner that does not cover the whole pixel."""
        return (self.ids > 0) & (self.ratios < 1)

    @classmethod
    def empty(cls, grid: Grid, mapping: ClassMapping | None) -> Self:
        """All background."""
        shape = grid.shape
        if mapping is None:
            classes: NDArray[Any] = np.full(shape, np.nan, np.float32)
        else:
            classes = np.full(shape, mapping.background, mapping.dtype)
        return cls(
            grid=grid,
            classes=classes,
            ids=np.zeros(shape, np.int64),
            ratios=np.zeros(shape, np.float32),
            distances=np.full(shape, np.nan, np.float32),
            masks=np.zeros(shape, np.uint8),
            ambiguity=np.zeros(shape, np.uint8),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedParcels:
    """Parcels laid on a grid."""

    grid: Grid
    """The region."""
    parcels: Parcels
    """Those that reach into it, in its CRS; the others are among `parcels.rejected`."""
    clipped: NDArray[np.bool_]
    """(parcel,) True where the parcel reaches beyond the region."""

    @property
    def clipped_ids(self) -> tuple[int, ...]:
        """Ids of the parcels that were cut at the edge of the region."""
        return tuple(self.parcels.ids[self.clipped].tolist())

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """Every parcel of the source that is on no raster, and why."""
        return self.parcels.rejected


def locate(parcels: Parcels, grid: Grid) -> LocatedParcels:
    """Bring parcels into a grid's CRS, vertex by vertex, and set apart those that lie outside.

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
    return LocatedParcels(grid=grid, parcels=inside, clipped=clipped)


def blocks(grid: Grid, size: int = BLOCK) -> Iterator[Window]:
    """Cut a grid into windows of at most `size` pixels a side, row by row.

    Example:
        >>> from landloom.model.grid import Grid
        >>> list(blocks(Grid.of_bounds(32633, (0, 0, 50, 20), 10), 3))
        [(0, 0, 2, 3), (0, 3, 2, 2)]
    """
    for row in range(0, grid.height, size):
        for column in range(0, grid.width, size):
            yield row, column, min(size, grid.height - row), min(size, grid.width - column)


def layers_by_block(located: LocatedParcels, block: int = BLOCK) -> Iterator[tuple[Window, ParcelLayers]]:
    """The layers of a grid, one window after the other: memory is that of the parcels and one block.

    Each block is on its own, so any order and any number of workers gives the same bytes.
    """
    tree = shapely.STRtree(located.parcels.geometries)
    for window in blocks(located.grid, block):
        bounds = located.grid.window(*window).bounds
        near = np.sort(tree.query(shapely.box(*bounds)))
        yield window, layers_of_window(located, window, near)


def layers_of_window(located: LocatedParcels, window: Window, near: NDArray[np.int64] | None = None) -> ParcelLayers:
    """The layers of one window of the grid, bit for bit as in the whole.

    Args:
        located: the parcels.
        window: row, column, height, width.
        near: places of all parcels that may reach into the window, ascending; all of them unless told.
    """
    parcels, grid = located.parcels, located.grid
    near = np.arange(len(parcels)) if near is None else near
    layers = ParcelLayers.empty(grid.window(*window), parcels.mapping)
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
    # Rounding to float32 may not lift a boundary pixel to 1; a pixel that is full to 1e-9 counts as full.
    ratio = np.minimum(given.ratio[taken].astype(np.float32), np.nextafter(np.float32(1), np.float32(0)))
    layers.ratios[taken] = np.where(given.ratio[taken] >= 1 - TOUCH, np.float32(1), ratio)
    layers.distances[:] = distances_to_outline(rings, claims, given.winner, grid, window)
    layers.masks[:] = given.mask
    layers.ambiguity[:] = given.ambiguity
    layers.ambiguity[taken] |= np.where(located.clipped[owner], Ambiguity.EDGE, 0).astype(np.uint8)
    return layers


def rasterise_parcels(
    source: GeoDataFrame | Parcels, grid: Grid, *, block: int = BLOCK, **options: Any
) -> tuple[ParcelLayers, LocatedParcels]:
    """Rasterise parcels onto a grid, whole and in memory; `layers_by_block` does the same for more than fits.

    The parcel that covers most of a pixel wins it, ties go to the smaller id. The order of rows and the size
    of blocks change no bit.

    Args:
        source: a table, read as `parcels_of` does, or parcels.
        grid: the pixels, of any CRS and resolution.
        block: pixels along a side of the blocks worked on.
        **options: for `parcels_of`: `columns`, `classes`, `unmapped`, `codes`, `period`, `invalid`, `regression`.

    Returns:
        The layers; and the parcels on the grid, with their mapping, what was rejected and what was clipped.

    Raises:
        InvalidInputError: see `parcels_of` and `locate`.

    Example:
        >>> import geopandas, shapely
        >>> from landloom.model.grid import Grid
        >>> frame = geopandas.GeoDataFrame(
        ...     {"id": [8, 9], "ground_truth": [1, 2]}, geometry=shapely.box([0, 25], 0, [30, 60], 10), crs=32633
        ... )
        >>> layers, located = rasterise_parcels(frame, Grid.of_bounds(32633, (0, 0, 50, 10), 10))
        >>> layers.ids.tolist(), layers.masks.tolist(), located.clipped_ids
        ([[8, 8, 8, 9, 9]], [[0, 0, 1, 0, 0]], (9,))
    """
    parcels = source if isinstance(source, Parcels) else parcels_of(source, **options)
    located = locate(parcels, grid)
    whole = ParcelLayers.empty(grid, parcels.mapping)
    for (row, column, height, width), part in layers_by_block(located, block):
        for name in LAYERS:
            getattr(whole, name)[row : row + height, column : column + width] = getattr(part, name)
    return whole, located


def rasterise_centre(
    geometries: Sequence[Any] | NDArray[Any],
    values: Sequence[int] | NDArray[np.integer[Any]],
    grid: Grid,
    *,
    background: int = 0,
    dtype: str = "uint16",
) -> NDArray[Any]:
    """Give each pixel the value of the polygon that holds its centre: the rule of GDAL and of many published maps.

    Where polygons overlap the one of smaller area wins, ties go to the smaller value, whatever the order of rows.

    Args:
        geometries: (polygon,) shapely polygons in the grid's CRS.
        values: (polygon,) numbers that fit the type.
        grid: the pixels.
        background: value of pixels that no polygon holds.
        dtype: numpy name of the type of the answer.

    Example:
        >>> import shapely
        >>> from landloom.model.grid import Grid
        >>> rasterise_centre([shapely.box(0, 0, 16, 10)], [7], Grid.of_bounds(32633, (0, 0, 30, 10), 10)).tolist()
        [[7, 7, 0]]
    """
    result = np.full(grid.shape, background, dtype)
    area = shapely.area(np.asarray(geometries, dtype=object))
    last_wins = np.lexsort((-np.asarray(values), -area))
    shapes = [(geometries[i], int(values[i])) for i in last_wins.tolist() if geometries[i] is not None and area[i] > 0]
    return rasterize(shapes, out=result, transform=grid.affine) if shapes else result
