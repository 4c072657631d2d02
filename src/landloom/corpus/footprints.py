"""Footprints of many samples at once: corners, boxes, WKB and GeoJSON, without one geometry object per sample.

An outline across 180° goes on beyond it (179.99 … 180.01) while it is four corners; as a geometry it is split there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import pyarrow as pa
import shapely

from landloom.errors import InvalidInputError
from landloom.model.antimeridian import split_antimeridian
from landloom.model.grid import WGS84, transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from landloom.model.grid import Bounds

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
    result[:, 4] = result[:, 0]
    return unwrapped(result)


def unwrapped(outlines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Outlines that jump from 180° to -180° as ones that go on beyond 180°.

    Args:
        outlines: (n, k, 2) longitude, latitude; the others stay as they are.
    """
    across = np.ptp(outlines[..., 0], axis=1) > 180
    if across.any():
        outlines = outlines.copy()
        outlines[..., 0] += 360.0 * (across[:, None] & (outlines[..., 0] < 0))
    return outlines


def is_across(outlines: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) which of (n, k, 2) outlines go on beyond 180°."""
    across: NDArray[np.bool_] = np.asarray((outlines[..., 0] > 180).any(axis=1))
    return across


def split(outline: NDArray[np.float64]) -> BaseGeometry:
    """One (5, 2) outline as a polygon; as two where it goes on beyond 180°.

    Example:
        >>> split(np.array([(181, 0), (181, 1), (179, 1), (179, 0), (181, 0)], float)).bounds
        (-180.0, 0.0, 180.0, 1.0)
    """
    return shapely.orient_polygons(split_antimeridian(shapely.Polygon(outline)))


def boxes(outlines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bounding boxes of (n, k, 2) outlines: (n, 4) west, south, east, north; -180 to 180 for one on both sides."""
    found = np.concatenate([outlines.min(axis=1), outlines.max(axis=1)], axis=1)
    across = is_across(outlines)
    found[across, 0], found[across, 2] = -180.0, 180.0
    return found


def json_boxes(outlines: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same as GeoJSON has them: west above east where an outline crosses 180°.

    Example:
        >>> json_boxes(np.array([[(181, 0), (181, 1), (179, 1), (179, 0), (181, 0)]], float)).tolist()
        [[179.0, 0.0, -179.0, 1.0]]
    """
    found = np.concatenate([outlines.min(axis=1), outlines.max(axis=1)], axis=1)
    found[found[:, 2] > 180, 2] -= 360.0
    return found


def joint_box(found: Sequence[Bounds] | NDArray[np.float64]) -> Bounds:
    """The box of several boxes; west above east as soon as one of them crosses 180°.

    Example:
        >>> joint_box([(179.0, 0.0, -179.0, 1.0), (-179.5, 0.0, -178.0, 2.0)])
        (179.0, 0.0, -178.0, 2.0)
    """
    west, south, east, north = np.asarray(found, np.float64).reshape(-1, 4).T
    across = west > east
    if not across.any():
        return float(west.min()), float(south.min()), float(east.max()), float(north.max())
    beyond = np.where(east < 0, 360.0, 0.0)  # what lies west of Greenwich lies east of 180° here
    low, high = (west + np.where(across, 0.0, beyond)).min(), (east + beyond).max()
    if high - low >= 360:
        return -180.0, float(south.min()), 180.0, float(north.max())
    return float(low), float(south.min()), float(high - 360 if high > 180 else high), float(north.max())


def geojson(outlines: NDArray[np.float64]) -> list[bytes]:
    """GeoJSON geometries of (n, 5, 2) outlines that are rounded already.

    Example:
        >>> geojson(np.array([[(1, 0), (1, 1), (0, 1), (0, 0), (1, 0)]], float))[0][:43]
        b'{"type":"Polygon","coordinates":[[[1.0,0.0]'
    """
    text = orjson.dumps(np.ascontiguousarray(outlines), option=orjson.OPT_SERIALIZE_NUMPY)[3:-3].split(b"]],[[")
    found = [b'{"type":"Polygon","coordinates":[[[%b]]]}' % ring for ring in text]
    for row in np.flatnonzero(is_across(outlines)).tolist():
        shape = shapely.transform(split(outlines[row]), lambda xy: np.round(xy, DECIMALS))
        found[row] = orjson.dumps(shapely.geometry.mapping(shape))
    return found


def json_geometry(outline: NDArray[np.float64]) -> dict[str, Any]:
    """The GeoJSON geometry of one (5, 2) outline that is rounded already, as JSON values."""
    document: dict[str, Any] = orjson.loads(geojson(outline[None])[0])
    return document


def wkb(outlines: NDArray[np.float64]) -> pa.BinaryArray:
    """Polygons as little-endian Well-Known Binary; multipolygons where they go on beyond 180°.

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
    across = np.flatnonzero(is_across(outlines))
    if len(across):
        texts = [polygon.tobytes() for polygon in polygons]
        for row in across.tolist():
            texts[row] = shapely.to_wkb(split(outlines[row]), byte_order=1)
        return pa.array(texts, pa.binary())
    offsets = np.arange(len(outlines) + 1, dtype=np.int64) * _WKB.itemsize
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(outlines), [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(polygons.tobytes())]
    )


def squares_of(index: pa.Table) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """CRS and bounds of the samples of an index: (n,) and (n, 4)."""
    bounds = np.stack([index.column(name).to_numpy() for name in ("west", "south", "east", "north")], axis=1)
    return index.column("epsg").to_numpy(), bounds


def outlines_of(
    column: pa.Array | pa.ChunkedArray, epsg: NDArray[np.int32], bounds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Parse polygons written by `wkb`.

    Args:
        column: n polygons of one ring of five vertices, little-endian WKB; or multipolygons, split at 180°.
        epsg: (n,) CRS of the bounds, which tell the corners of what is split.
        bounds: (n, 4) west, south, east, north in that CRS.

    Returns:
        (n, 5, 2) longitude, latitude.

    Raises:
        InvalidInputError: a geometry is something else, or split where its bounds do not cross 180°.

    Example:
        >>> epsg, bounds = np.array([32635]), np.array([[474000.0, 7018200.0, 474600.0, 7018800.0]])
        >>> outlines = rings(epsg, bounds)
        >>> bool((outlines_of(wkb(outlines), epsg, bounds) == outlines).all())
        True
    """
    texts = column.to_pylist()
    plain = np.array([text is not None and len(text) == _WKB.itemsize for text in texts], dtype=np.bool_)
    polygons = np.frombuffer(b"".join(text for text, own in zip(texts, plain, strict=True) if own), _WKB)
    if not ((polygons["order"] == 1) & (polygons["type"] == 3) & (polygons["points"] == CORNERS)).all():
        raise InvalidInputError("got footprints that are not little-endian polygons of one ring of four corners")
    outlines = np.empty((len(texts), CORNERS, 2))
    outlines[plain] = polygons["ring"]
    if not plain.all():
        derived = rings(epsg[~plain], bounds[~plain])
        own = [text for text, whole in zip(texts, plain, strict=True) if not whole]
        if wkb(derived).to_pylist() != own:
            raise InvalidInputError("got footprints that are not polygons of one ring of four corners")
        outlines[~plain] = derived
    return outlines
