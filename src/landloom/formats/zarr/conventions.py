"""What xarray reads of a cubes array beside its numbers: CF conventions for nodata, scale, unit, CRS and coordinates.

`_FillValue`, `scale_factor` and `units` are those of CF 1.11, section 8.1; the CRS is a grid mapping (section 5.6) that
rioxarray and odc-geo find. Each sample has pixel centres of its own: `x` (sample, x) and `y` (sample, y) become the
coordinates of a sample that is chosen.
"""

from __future__ import annotations

import base64
import math
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pyproj import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.formats.zarr.spec import CubeSpec

GRID_MAPPING: Final = "spatial_ref"
"""Name of the variable that states the CRS."""


def data_attributes(spec: CubeSpec) -> dict[str, Any]:
    """Attributes of `data`."""
    names = ["timestep", "west", "north", GRID_MAPPING, *(["observed"] if spec.observed is not None else [])]
    found: dict[str, Any] = {"coordinates": " ".join(names), "grid_mapping": GRID_MAPPING}
    if spec.nodata is not None:
        found["_FillValue"] = _fill(spec.nodata, spec.dtype)
    if spec.scale is not None:
        found |= {"scale_factor": spec.scale, "add_offset": 0.0}
    return found | ({} if spec.unit is None else {"units": spec.unit})


def _fill(nodata: float, dtype: str) -> int | str:
    """As xarray writes it for Zarr 3: base64 of a double for types that JSON cannot hold exactly."""
    if np.dtype(dtype).kind == "f":
        return base64.standard_b64encode(struct.pack("<d", nodata)).decode()
    return int(nodata)


@lru_cache(maxsize=64)
def crs_attributes(epsg: int) -> dict[str, Any]:
    """Attributes of the grid mapping; numbers that JSON cannot hold are left out."""
    stated = CRS.from_epsg(epsg).to_cf()
    return {name: value for name, value in stated.items() if not isinstance(value, float) or math.isfinite(value)}


def centres(spec: CubeSpec) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(sample, x) and (sample, y) centres of pixels, in units of the CRS."""
    corners = np.array(spec.corners, np.float64)
    across, down = (np.arange(length) + 0.5 for length in (spec.width, spec.height))
    return corners[:, :1] + across * spec.resolution, corners[:, 1:] - down * spec.resolution
