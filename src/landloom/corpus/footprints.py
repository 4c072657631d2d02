"""Footprints of many samples at once: corners, boxes and WKB, without one geometry object per sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from landloom.errors import InvalidInputError
from landloom.model.grid import WGS84, transformer

if TYPE_CHECKING:
    from numpy.typing import NDArray

CORNERS: Final = 5
"""Vertices of a closed ring: south-east, north-east, north-west, south-west, south-east."""
DECIMALS: Final = 7
"""Decimals of longitudes and latitudes in JSON: about a centimetre."""

_WKB: Final = np.dtype(
    [("order", "u1"), ("type", "<u4"), ("rings", "<u4"), ("points", "<u4"), ("ring", "<f8", (CORNERS, 2))]
)


def rings(epsg: NDArray[np.int32], bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Outlines in WGS84, with each corner reprojected.

    Args:
        epsg: (n,) codes of the CRS of the bounds.
        bounds: (n, 4) west, south, east, north in that CRS.

    Returns:
        (n, 5, 2) longitude, latitude; from the south-east corner counter-clockwise, closed. An outline across the
        antimeridian continues beyond 180°.

    Example:
        >>> ring = rings(np.array([32635]), np.array([[474000.0, 7018200.0, 474600.0, 7018800.0]]))[0]
        >>> ring[:2].round(5).tolist()
        [[26.49348, 63.29178], [26.49338, 63.29717]]
    """
    west, south, east, north = bounds.T
    x = np.stack([east, east, west, west], axis=1)
    y = np.stack([south, north, north, south], axis=1)
    result = np.empty((len(bounds), CORNERS, 2))
    for code in np.unique(epsg):
        rows = epsg == code
        change = transformer(int(code), WGS84)
        longitude, latitude = change.transform(x[rows], y[rows])
        result[rows, :4, 0], result[rows, :4, 1] = longitude, latitude
    span = np.ptp(result[:, :4, 0], axis=1)
    result[:, :4, 0] += 360.0 * ((span > 180)[:, None] & (result[:, :4, 0] < 0))
    result[:, 4] = result[:, 0]
    return result


def boxes(outlines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bounding boxes of (n, k, 2) outlines: (n, 4) west, south, east, north."""
    return np.concatenate([outlines.min(axis=1), outlines.max(axis=1)], axis=1)


def wkb(outlines: NDArray[np.float64]) -> pa.BinaryArray:
    """Polygons as little-endian Well-Known Binary.

    Args:
        outlines: (n, 5, 2) closed rings.

    Example:
        >>> import shapely
        >>> shapely.from_wkb(wkb(np.array([[(1, 0), (1, 1), (0, 1), (0, 0), (1, 0)]], float))[0].as_py())
        <POLYGON ((1 0, 1 1, 0 1, 0 0, 1 0))>
    """
    polygons = np.empty(len(outlines), dtype=_WKB)
    polygons["order"], polygons["type"], polygons["rings"], polygons["points"] = 1, 3, 1, CORNERS
    polygons["ring"] = outlines
    offsets = np.arange(len(outlines) + 1, dtype=np.int64) * _WKB.itemsize
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(outlines), [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(polygons.tobytes())]
    )


def outlines_of(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Parse polygons written by `wkb`.

    Args:
        column: n polygons of one ring of five vertices, little-endian WKB.

    Returns:
        (n, 5, 2) longitude, latitude.

    Raises:
        InvalidInputError: a geometry is something else.

    Example:
        >>> outlines = np.array([[(1, 0), (1, 1), (0, 1), (0, 0), (1, 0)]], float)
        >>> bool((outlines_of(wkb(outlines)) == outlines).all())
        True
    """
    raw = b"".join(column.to_pylist())
    if len(raw) != len(column) * _WKB.itemsize:
        raise InvalidInputError("got footprints that are not polygons of one ring of four corners")
    polygons = np.frombuffer(raw, _WKB)
    if not ((polygons["order"] == 1) & (polygons["type"] == 3) & (polygons["points"] == CORNERS)).all():
        raise InvalidInputError("got footprints that are not little-endian polygons of one ring of four corners")
    outlines: NDArray[np.float64] = polygons["ring"].astype(np.float64)
    return outlines
