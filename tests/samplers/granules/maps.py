"""Land-cover maps that granules are measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rasterio
from affine import Affine

from landloom.model.ids import GranuleId

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

NAMES = ("33TWL", "33TXL", "33UUU", "34TCR", "01KAA", "60KYF")
GRANULES = [GranuleId.parse(name) for name in NAMES]


def write_map(path: Path, codes: NDArray[np.uint8], bounds: tuple[float, ...], epsg: int = 4326) -> str:
    (height, width), (west, south, east, north) = codes.shape, bounds
    transform = Affine((east - west) / width, 0, west, 0, (south - north) / height, north)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=height,
        width=width,
        count=1,
        dtype="uint8",
        crs=f"EPSG:{epsg}",
        transform=transform,
        nodata=255,
    ) as file:
        file.write(codes, 1)
    return str(path)
