"""Outlines of samples in WGS84, computed from their squares instead of stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.query.index.transverse import is_utm, to_degrees

if TYPE_CHECKING:
    from numpy.typing import NDArray


TOLERANCE: Final = 1e-9
"""Tolerance in degrees (0.1 mm) for equal vertices."""
_NEAR: Final = 179.0
"""Degrees of longitude from which squares may cross 180°."""


def corners(
    epsg: NDArray[np.int32], bounds: NDArray[np.float64], decimals: int | None = None, *, exact: bool = False
) -> NDArray[np.float64]:
    """Corners of squares, counter-clockwise from the south-east one, like a shapely box.

    Args:
        epsg: (n,) code of the CRS of each square.
        bounds: (n, 4) west, south, east, north in that CRS.
        decimals: number of decimals of published outlines; None keeps all digits.
        exact: use PROJ for its exact digits; else UTM is computed here, within 1e-12 degrees.

    Returns:
        (n, 4, 2) longitude and latitude; beyond 180° for a square that crosses that.

    Example:
        >>> square = np.array([[474_000.0, 7_018_200.0, 474_600.0, 7_018_800.0]])
        >>> corners(np.array([32635], np.int32), square, 5)[0, :2].tolist()
        [[26.49348, 63.29178], [26.49338, 63.29717]]
    """
    x = bounds[:, [2, 2, 0, 0]]
    y = bounds[:, [1, 3, 3, 1]]
    result = np.empty((len(bounds), 4, 2))
    codes = set(epsg.tolist())
    if not exact and all(map(is_utm, codes)) and len(bounds):
        result[..., 0], result[..., 1] = to_degrees(epsg[:, None], x, y)
    else:
        from landloom.model.grid import WGS84, transformer

        for code in codes:
            own = epsg == code
            result[own, :, 0], result[own, :, 1] = transformer(code, WGS84).transform(x[own], y[own])
    result = _within(result)
    return result if decimals is None else np.round(result, decimals)


def _within(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squares within ±180°; those across go on beyond 180°, whatever their zone."""
    longitudes = corners[..., 0]
    if not len(longitudes) or not np.abs(longitudes).max() > _NEAR:
        return corners
    jumps = np.ptp(longitudes, axis=1) > 180
    longitudes += 360.0 * ((jumps[:, None] & (longitudes < 0)) | (longitudes.min(axis=1) < -180)[:, None])
    longitudes -= 360.0 * (longitudes.min(axis=1) >= 180)[:, None]
    return corners
