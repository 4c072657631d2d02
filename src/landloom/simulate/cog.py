"""Cloud-Optimised GeoTIFFs in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.grid import Grid


def encode(array: NDArray[Any], grid: Grid, *, nodata: float | None) -> bytes:
    """Write one band as a Cloud-Optimised GeoTIFF: deflate, horizontal predictor, 256-pixel blocks, no overviews.

    Args:
        array: (y, x).
        grid: its grid.
        nodata: the number that means nothing was observed.

    Example:
        >>> import numpy as np
        >>> from landloom.model.grid import Grid
        >>> grid = Grid.of_bounds(32633, (300_000, 5_556_000, 300_600, 5_556_600), 60)
        >>> encode(np.ones(grid.shape, dtype=np.uint16), grid, nodata=0)[:2]
        b'II'
    """
    import rasterio
    from rasterio.io import MemoryFile

    profile = {
        "driver": "COG", "width": grid.width, "height": grid.height, "count": 1, "dtype": array.dtype.name,
        "crs": f"EPSG:{grid.epsg}", "transform": grid.affine, "nodata": nodata,
        "compress": "DEFLATE", "predictor": "STANDARD", "level": 6, "blocksize": 256, "overviews": "NONE",
        "num_threads": "1",
    }  # fmt: skip
    with rasterio.Env(GDAL_NUM_THREADS="1"), MemoryFile() as memory:
        with memory.open(**profile) as target:
            target.write(array, 1)
        data: bytes = memory.read()
    return data
