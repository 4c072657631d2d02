"""Distance from the centres of pixels to the outline of the parcel that owns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.labels.coverage import Coverage, Rings
    from landloom.model.grid import Grid

_RUN: Final = 32
"""Pixels of a row that share one search for near edges."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _to_edge(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    along = 0.0
    if length > 0.0:
        along = min(max(((px - ax) * dx + (py - ay) * dy) / length, 0.0), 1.0)
    return np.hypot(px - ax - along * dx, py - ay - along * dy)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _near_edges(px: float, py: float, reach: float, x: Any, y: Any, ends: Any, found: Any, far: Any) -> int:
    """Edges that may be nearest to any point within `reach` of a point; returns their number."""
    edges, least, first = 0, np.inf, 0
    for end in ends:
        for i in range(first, end - 1):
            far[edges] = _to_edge(px, py, x[i], y[i], x[i + 1], y[i + 1])
            found[edges] = i
            least = min(least, far[edges])
            edges += 1
        first = end
    limit = (least + 2.0 * reach) * (1.0 + 1e-9)
    kept = 0
    for k in range(edges):
        if far[k] <= limit:
            found[kept] = found[k]
            kept += 1
    return kept


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _distances(x: Any, y: Any, ring: Any, polygon: Any, claims: Any, winner: Any, frame: Any) -> Any:
    parcel, pixel = claims
    width, row0, column0, wide, high = frame
    result = np.full(len(winner), np.nan, np.float32)
    found, far = np.empty(64, np.int64), np.empty(64)
    i = 0
    while i < len(pixel):
        owner, start = parcel[i], pixel[i]
        if winner[start] != owner:
            i += 1
            continue
        row, column = start // width, start % width
        room = min(_RUN, width - column)
        count = 1
        while count < room and i + count < len(pixel) and parcel[i + count] == owner:
            if pixel[i + count] != start + count or winner[start + count] != owner:
                break
            count += 1
        first, last = ring[polygon[owner]], ring[polygon[owner + 1]]
        if len(far) < last - first:
            found, far = np.empty(2 * (last - first), np.int64), np.empty(2 * (last - first))
        ends = ring[polygon[owner] + 1 : polygon[owner + 1] + 1] - first
        xs, ys = x[first:last], y[first:last]
        py = (row0 + row + 0.5) * high
        middle = (column0 + column + 0.5 * count) * wide
        kept = _near_edges(middle, py, 0.5 * count * wide, xs, ys, ends, found, far)
        for k in range(count):
            px, least = (column0 + column + k + 0.5) * wide, np.inf
            for e in found[:kept]:
                least = min(least, _to_edge(px, py, xs[e], ys[e], xs[e + 1], ys[e + 1]))
            result[start + k] = least
        i += count
    return result


def distances_to_outline(
    rings: Rings, claims: Coverage, winner: NDArray[np.int64], grid: Grid, window: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """Distance from each pixel's centre to the outline, holes included, of the parcel that won the pixel.

    Args:
        rings: the parcels, in pixels of the grid, whole: not cut to the window.
        claims: theirs on the window, from `claims_on`.
        winner: (row, column) from `assign`.
        grid: gives the pixel size.
        window: row, column, height, width.

    Returns:
        (row, column) float32 in units of the grid's CRS; NaN where no parcel is.
    """
    flat = _distances(
        rings.x * grid.pixel_width,
        rings.y * grid.pixel_height,
        rings.ring,
        rings.polygon,
        (claims.polygon, claims.pixel),
        winner.ravel(),
        (window[3], window[0], window[1], grid.pixel_width, grid.pixel_height),
    )
    distances: NDArray[np.float32] = flat.reshape(winner.shape)
    return distances
