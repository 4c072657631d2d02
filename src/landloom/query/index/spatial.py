"""Rows that intersect a region: first whole tiles, then single rows only for tiles on its border.

Footprints are computed. If a decision depends on the last digits (a vertex within 1e-9 degrees of the border), the
footprint is recomputed with PROJ and shapely decides, so that every result equals that of shapely on all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from landloom.query.index.corners import TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry as Geometry

    from landloom.model.grid import Bounds
    from landloom.query.index.sidecar import Rows, Sidecar
    from landloom.query.region import Region

Relation = Literal["intersects", "within"]
"""A sample intersects the region, or lies completely within it."""
_CROSS: Final = 1e-12
"""Square degrees: a vertex closer to a line than about 1e-10 degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRuns:
    """Classification of runs of rows relative to a region."""

    inside: NDArray[np.int64]
    """Runs whose rows all match."""
    border: NDArray[np.int64]
    """Runs whose rows must be tested."""


def _touching(bounds: NDArray[np.float64], box: Bounds) -> NDArray[np.bool_]:
    west, south, east, north = box
    slack = TOLERANCE
    touching: NDArray[np.bool_] = (bounds[:, 0] <= east + slack) & (bounds[:, 2] >= west - slack)
    touching &= (bounds[:, 1] <= north + slack) & (bounds[:, 3] >= south - slack)
    return touching


def cover(sidecar: Sidecar, region: Region) -> list[tuple[RegionRuns, Bounds | None]]:
    """Classify runs as inside, outside and border, for each box of a region or for its geometry."""
    bounds = sidecar.run_bounds
    if region.geometry is None:
        return [(_cover_box(bounds, box), box) for box in region.boxes]
    import shapely

    near = np.flatnonzero(_touching(bounds, region.bounds))
    shapely.prepare(region.geometry)
    boxes = shapely.box(*bounds[near].T)
    inside = shapely.contains_properly(region.geometry, boxes)
    border = shapely.intersects(region.geometry, boxes) & ~inside
    if sidecar.decimals is None:  # the computed bounds may differ in digits that matter only at the border
        border |= shapely.dwithin(region.geometry, boxes, TOLERANCE) & ~inside
    return [(RegionRuns(inside=near[inside], border=near[border]), None)]


def _cover_box(bounds: NDArray[np.float64], box: Bounds) -> RegionRuns:
    west, south, east, north = box
    inside = (bounds[:, 0] > west + TOLERANCE) & (bounds[:, 2] < east - TOLERANCE)
    inside &= (bounds[:, 1] > south + TOLERANCE) & (bounds[:, 3] < north - TOLERANCE)
    return RegionRuns(inside=np.flatnonzero(inside), border=np.flatnonzero(_touching(bounds, box) & ~inside))


def refine(sidecar: Sidecar, rows: Rows, region: Region, box: Bounds | None, relation: Relation) -> Rows:
    """Those of some rows that match a region.

    Args:
        sidecar: the index.
        rows: ascending.
        region: the region.
        box: the part of the region to test, if it consists of boxes.
        relation: required relation.
    """
    odd = np.isin(rows, sidecar.odd_rows) if len(sidecar.odd_rows) else None
    plain = rows if odd is None else rows[~odd]
    if box is None:
        chosen = plain[_meets_geometry(sidecar, plain, region.shape, relation)]
    else:
        chosen = plain[_meets_box(sidecar, plain, box, relation)]
    if odd is None or not odd.any():
        return chosen
    import shapely

    numbers = np.searchsorted(sidecar.odd_rows, rows[odd])
    outlines = shapely.from_wkb([sidecar.odd_outline(int(number)) for number in numbers])
    shape = region.shape if box is None else shapely.box(*box)
    return np.sort(np.concatenate([chosen, rows[odd][_asked(shape, outlines, relation)]]))


def _asked(shape: Geometry, outlines: Any, relation: Relation) -> NDArray[np.bool_]:
    import shapely

    shapely.prepare(shape)
    answer: NDArray[np.bool_] = getattr(shapely, "contains" if relation == "within" else "intersects")(shape, outlines)
    return answer


def polygons(vertices: NDArray[np.float64]) -> Any:
    """Shapely polygons of (n, 4, 2) corners."""
    import shapely

    rings = np.concatenate([vertices, vertices[:, :1]], axis=1)
    return shapely.polygons(rings)


def _meets_geometry(sidecar: Sidecar, rows: Rows, shape: Geometry, relation: Relation) -> NDArray[np.bool_]:
    import shapely

    outlines = polygons(sidecar.corners(rows))
    answer = _asked(shape, outlines, relation)
    if sidecar.decimals is None and len(rows):
        edge = shapely.boundary(shape)
        border = shape if edge is None or edge.is_empty else edge
        shapely.prepare(border)
        close = shapely.dwithin(border, outlines, TOLERANCE)
        if close.any():
            answer[close] = _asked(shape, polygons(sidecar.corners(rows[close], exact=True)), relation)
    return answer


def _meets_box(sidecar: Sidecar, rows: Rows, box: Bounds, relation: Relation) -> NDArray[np.bool_]:
    """Decide most rows by their approximate centre, the rest by their corners."""
    answer, open_rows = _roughly(sidecar, rows, box)
    places = np.flatnonzero(open_rows)
    if len(places):
        answer[places] = _corners_meet_box(sidecar, rows[places], box, relation)
    return answer


def _roughly(sidecar: Sidecar, rows: Rows, box: Bounds) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows certainly in a box, and undecided rows; centres by bilinear interpolation in their tile."""
    if sidecar.scheme != "utm24" or not len(rows):
        return np.zeros(len(rows), dtype=bool), np.ones(len(rows), dtype=bool)
    middle, reach = sidecar.middles(rows)
    west, south, east, north = box
    beyond = np.maximum(middle[0] - east, west - middle[0]), np.maximum(middle[1] - north, south - middle[1])
    inside = (beyond[0] < -reach[0]) & (beyond[1] < -reach[1])
    outside = (beyond[0] > reach[0]) | (beyond[1] > reach[1])
    return inside, ~(inside | outside)


def _corners_meet_box(sidecar: Sidecar, rows: Rows, box: Bounds, relation: Relation) -> NDArray[np.bool_]:
    """Test corners against the sides of the box; if that is not sufficient, also against the sides of the square."""
    corners = sidecar.corners(rows)
    x, y = corners[..., 0], corners[..., 1]
    west, south, east, north = box
    sides = np.stack([x - west, east - x, y - south, north - y])
    depth = sides.min(axis=0)  # of each corner below the box's nearest side
    if relation == "within":
        deepest = depth.min(axis=1)
        answer: NDArray[np.bool_] = deepest > TOLERANCE
        unsure: NDArray[np.bool_] = np.abs(deepest) <= TOLERANCE
    else:
        answer = (depth > TOLERANCE).any(axis=1)
        unsure = ~answer & (sides.max(axis=2) >= -TOLERANCE).all(axis=0)
        if unsure.any():
            places = np.flatnonzero(unsure)
            answer[places], unsure[places] = _crosses(corners[places], sides[:, places], box)
    if unsure.any():
        import shapely

        exact = polygons(sidecar.corners(rows[unsure], exact=True))
        answer[unsure] = _asked(shapely.box(*box), exact, relation)
    return answer


def _crosses(
    corners: NDArray[np.float64], sides: NDArray[np.float64], box: Bounds
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Squares without a corner in a box that intersect it anyway, and those that depend on the last digits."""
    west, south, east, north = box
    farthest = _farthest(corners, np.array([[east, south], [east, north], [west, north], [west, south]]))
    unsure: NDArray[np.bool_] = np.asarray((np.abs(sides) < TOLERANCE).any(axis=(0, 2)))
    unsure |= (np.abs(farthest) < _CROSS).any(axis=1)
    meets: NDArray[np.bool_] = np.asarray((farthest >= 0).all(axis=1))
    return meets & ~(sides < 0).all(axis=2).any(axis=0), unsure


def _farthest(corners: NDArray[np.float64], box: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, side) extent of the box to the left of each side of a counter-clockwise square, times the side's length."""
    start = corners[:, :, None, :]
    along = np.roll(corners, -1, axis=1)[:, :, None, :] - start
    offset = box[None, None] - start
    cross = along[..., 0] * offset[..., 1] - along[..., 1] * offset[..., 0]
    farthest: NDArray[np.float64] = cross.max(axis=2)
    return farthest
