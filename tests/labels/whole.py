"""Parcels rasterised whole and in memory: what the blocks of the engine must give, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landloom.labels.layers import BLOCK, LAYERS, LocatedParcels, ParcelLayers, layers_by_block, locate
from landloom.labels.parcels import Parcels, parcels_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from landloom.model.grid import Grid


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
    """
    parcels = source if isinstance(source, Parcels) else parcels_of(source, **options)
    located = locate(parcels, grid)
    whole = ParcelLayers.empty(grid, parcels.mapping, located.nobody)
    for (row, column, height, width), part in layers_by_block(located, block):
        for name in LAYERS:
            getattr(whole, name)[row : row + height, column : column + width] = getattr(part, name)
    return whole, located


def clipped_ids(located: LocatedParcels) -> tuple[int, ...]:
    """Ids of the parcels that were cut at the edge of the region."""
    return tuple(located.parcels.ids[located.clipped].tolist())
