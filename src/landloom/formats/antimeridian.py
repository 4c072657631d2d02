"""Outlines that cross the antimeridian, split according to RFC 7946, section 3.1.9."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shapely import MultiPolygon, Polygon, box, make_valid, union_all
from shapely.affinity import translate

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry.base import BaseGeometry


def split_antimeridian(geometry: BaseGeometry) -> BaseGeometry:
    """Split an outline that crosses the antimeridian into parts on either side.

    A step of more than 180° of longitude between two vertices counts as a crossing.

    Args:
        geometry: polygon or multipolygon in WGS84, longitude latitude; longitudes beyond ±180° are wrapped.

    Returns:
        The geometry itself if it does not cross, else a valid polygon or multipolygon within ±180°.

    Raises:
        InvalidValueError: the outline encloses a pole, which this split cannot handle, or is not a polygon.

    Example:
        >>> from shapely import Polygon
        >>> split_antimeridian(Polygon([(179, 0), (-179, 0), (-179, 1), (179, 1)])).bounds
        (-180.0, 0.0, 180.0, 1.0)
    """
    polygons = list(geometry.geoms) if isinstance(geometry, MultiPolygon) else [geometry]
    parts: list[BaseGeometry] = []
    for polygon in polygons:
        if not isinstance(polygon, Polygon):
            raise InvalidValueError(f"got a {polygon.geom_type}, expected a polygon")
        shell = _unwrapped(polygon.exterior.coords)
        holes = [_beside(_unwrapped(ring.coords), shell) for ring in polygon.interiors]
        parts += _worlds(make_valid(Polygon(shell, holes)))
    inside = geometry.bounds[0] >= -180 and geometry.bounds[2] <= 180
    return geometry if inside and len(parts) == len(polygons) else union_all(parts)


def _worlds(geometry: BaseGeometry) -> list[BaseGeometry]:
    """The parts of a geometry with unwrapped longitudes, each shifted back to ±180°."""
    parts = []
    for turn in (-360.0, 0.0, 360.0):
        part = geometry.intersection(box(turn - 180.0, -90.0, turn + 180.0, 90.0))
        if part.area:
            parts.append(translate(part, xoff=-turn))
    return parts


def _unwrapped(coordinates: Iterable[tuple[float, ...]]) -> list[tuple[float, float]]:
    """A ring with unwrapped longitudes: continuous across the antimeridian."""
    ring: list[tuple[float, float]] = []
    for longitude, latitude, *_ in coordinates:
        turns = round((longitude - ring[-1][0]) / 360.0) if ring else 0
        ring.append((longitude - 360.0 * turns, latitude))
    if abs(ring[-1][0] - ring[0][0]) > 180:
        raise InvalidValueError("got an outline around a pole, expected one that closes")
    return ring


def _beside(ring: list[tuple[float, float]], shell: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Shift a hole by whole turns of 360° to the longitudes of its shell."""
    longitudes = [x for x, _ in shell]
    turn = 360.0 * round((ring[0][0] - (min(longitudes) + max(longitudes)) / 2) / 360.0)
    return [(x - turn, y) for x, y in ring]
