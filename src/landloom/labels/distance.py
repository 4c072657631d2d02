"""Distance from pixel centres to the outline of the parcel that won the pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.labels.coverage import Coverage, Rings
    from landloom.model.grid import Grid

_RUN: Final = 32
"""Pixels of a row that are measured together."""
_FEW: Final = 64
"""Up to this number of edges, measuring all of them is cheaper than searching for the near ones."""


@kernel
def _edges_of(x: Any, y: Any, ring: Any, edges: Any) -> Any:
    """List the edges of a parcel's rings: start x, start y, dx, dy, 1 / length²; a row each."""
    if len(edges) < len(x):
        edges = np.empty((2 * len(x), 5))
    count = 0
    for r in range(len(ring) - 1):
        for i in range(ring[r] - ring[0], ring[r + 1] - ring[0] - 1):
            dx, dy = x[i + 1] - x[i], y[i + 1] - y[i]
            length = dx * dx + dy * dy
            if length > 0.0:
                edges[count, 0], edges[count, 1] = x[i], y[i]
                edges[count, 2], edges[count, 3], edges[count, 4] = dx, dy, 1.0 / length
                count += 1
    return edges, count


@kernel
def _approach(edge: Any, px: float, step: float, py: float, best: Any) -> None:
    """Lower the squared distances of a run of points, `step` apart, to those from one edge, if smaller."""
    ax, dx, dy, inverse = edge[0], edge[2], edge[3], edge[4]
    up = py - edge[1]
    for k in range(len(best)):
        across = px + k * step - ax
        along = (across * dx + up * dy) * inverse
        along = max(along, 0.0)
        along = min(along, 1.0)
        off_x, off_y = across - along * dx, up - along * dy
        square = off_x * off_x + off_y * off_y
        best[k] = min(best[k], square)


@kernel
def _near_edges(edges: Any, px: float, py: float, reach: float, far: Any) -> Any:
    """Indices of the edges that may be nearest to a point within `reach` of the given point."""
    for e in range(len(edges)):
        far[e] = np.inf
        _approach(edges[e], px, 0.0, py, far[e : e + 1])
    limit = (np.sqrt(far[: len(edges)].min()) + 2.0 * reach) * (1.0 + 1e-9)
    return np.flatnonzero(far[: len(edges)] <= limit * limit)


@kernel
def _measure(edges: Any, px: float, step: float, py: float, best: Any, far: Any) -> None:
    best[:] = np.inf
    if len(edges) <= _FEW:
        for e in range(len(edges)):
            _approach(edges[e], px, step, py, best)
        return
    reach = 0.5 * (len(best) - 1) * step
    for e in _near_edges(edges, px + reach, py, reach, far):
        _approach(edges[e], px, step, py, best)


@kernel
def _run_length(parcel: Any, pixel: Any, winner: Any, i: int, room: int) -> int:
    """The number of adjacent claims, starting with one, that their parcel won."""
    count = 1
    while count < room and i + count < len(pixel) and parcel[i + count] == parcel[i]:
        if pixel[i + count] != pixel[i] + count or winner[pixel[i + count]] != parcel[i]:
            break
        count += 1
    return count


@kernel
def _distances(x: Any, y: Any, ring: Any, polygon: Any, claims: Any, winner: Any, frame: Any) -> Any:
    parcel, pixel = claims
    width, row0, column0, wide, high = frame
    result = np.full(len(winner), np.nan, np.float32)
    edges, far, best = np.empty((64, 5)), np.empty(64), np.empty(_RUN)
    known, total = -1, 0
    i = 0
    while i < len(pixel):
        owner, start = parcel[i], pixel[i]
        if winner[start] != owner:
            i += 1
            continue
        if owner != known:
            own = ring[polygon[owner] : polygon[owner + 1] + 1]
            edges, total = _edges_of(x[own[0] : own[-1]], y[own[0] : own[-1]], own, edges)
            far = np.empty(len(edges)) if len(far) < len(edges) else far
            known = owner
        row, column = start // width, start % width
        count = _run_length(parcel, pixel, winner, i, min(_RUN, width - column))
        py, px = (row0 + row + 0.5) * high, (column0 + column + 0.5) * wide
        _measure(edges[:total], px, wide, py, best[:count], far)
        for k in range(count):
            result[start + k] = np.sqrt(best[k])
        i += count
    return result


def distances_to_outline(
    rings: Rings, claims: Coverage, winner: NDArray[np.int64], grid: Grid, window: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """Distance from each pixel's centre to the outline, holes included, of the parcel that won the pixel.

    Args:
        rings: the whole parcels, in pixels of the grid, not cut to the window.
        claims: their claims on the window, from `claims_on`.
        winner: (row, column) from `assign`.
        grid: the pixel size.
        window: row, column, height, width.

    Returns:
        (row, column) float32 in units of the grid's CRS; NaN if there is no parcel.
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
