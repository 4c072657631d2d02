"""Outlines that cross the antimeridian, split according to RFC 7946, section 3.1.9."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Polygon, box, make_valid, union_all
from shapely.affinity import translate

from landloom.errors import InvalidInputError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

_TURN: Final = 360.0
"""Degrees."""
_HALF: Final = 180.0
_SURELY: Final = 350.0
"""Degrees of a step beyond which it is one across the antimeridian, less than 10° wide."""


def split_antimeridian(geometry: BaseGeometry) -> BaseGeometry:
    """Split an outline that crosses the antimeridian into parts on either side.

    A step of more than 180° of longitude between two vertices counts as a crossing; one from -180° to 180° exactly
    does not where the outline is valid as it is written: a band around the world.

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
        if not is_across(polygon):
            parts.append(polygon)
            continue
        shell = _unwrapped(polygon.exterior.coords)
        holes = [_beside(_unwrapped(ring.coords), shell) for ring in polygon.interiors]
        parts += _worlds(make_valid(Polygon(shell, holes)))
    return geometry if not is_across(geometry) else union_all(parts)


def split_line(line: LineString) -> BaseGeometry:
    """Split a line in degrees in the same way.

    Example:
        >>> split_line(LineString([(179, 0), (-179, 0)])).wkt
        'MULTILINESTRING ((179 0, 180 0), (-180 0, -179 0))'
    """
    return union_all(_worlds(LineString(_unwrapped(line.coords, closed=False)))) if is_across(line) else line


def split_shape(shape: BaseGeometry) -> BaseGeometry:
    """Split any shape in degrees; points beyond ±180° are moved back.

    Example:
        >>> split_shape(shapely.Point(181, 0))
        <POINT (-179 0)>
    """
    if shapely.get_dimensions(shape) == 2 and shape.geom_type != "GeometryCollection":
        return split_antimeridian(shape)
    if isinstance(shape, LineString):
        return split_line(shape)
    if isinstance(shape, shapely.Point):
        return shapely.Point((shape.x + 180.0) % 360.0 - 180.0, shape.y) if abs(shape.x) > 180 else shape
    parts = [split_shape(part) for part in shapely.get_parts(shape)]
    whole: BaseGeometry = parts[0] if len(parts) == 1 else union_all(parts)
    return whole


def is_across(geometry: BaseGeometry) -> bool:
    """Whether a geometry in degrees reaches beyond ±180°, or steps across it.

    Example:
        >>> is_across(box(170, 0, 180, 1)), is_across(box(-180, 0, 180, 1)), is_across(box(170, 0, 190, 1))
        (False, False, True)
    """
    west, _, east, _ = geometry.bounds
    if not (west >= -_HALF and east <= _HALF):
        return True
    if not east - west > _HALF:
        return False
    steps = np.concatenate([_steps(part) for part in _lines(geometry)] or [np.zeros(0)])
    whole = steps == _TURN
    return bool(((steps > _HALF) & ~whole).any()) or (bool(whole.any()) and not geometry.is_valid)


def lie_together(shapes: NDArray[Any]) -> NDArray[Any]:
    """Shapes in degrees on both sides of 180°, those west of it moved by a turn so that all of them lie together.

    Args:
        shapes: (n,) within ±180°; where the widest gap between them lies inside the map, it is cut there.

    Example:
        >>> shapely.total_bounds(lie_together(np.array([box(179, 0, 180, 1), box(-180, 0, -178, 1)]))).tolist()
        [179.0, 0.0, 182.0, 1.0]
    """
    west, east = shapely.bounds(shapes)[:, ::2].T
    order = np.argsort(west, kind="stable")
    reached = np.maximum.accumulate(east[order])
    gaps = west[order][1:] - reached[:-1]
    if not len(gaps) or not gaps.max() > west[order[0]] + _TURN - reached[-1]:
        return shapes
    moved = shapes.copy()
    for position in order[: int(gaps.argmax()) + 1].tolist():
        moved[position] = translate(shapes[position], xoff=_TURN)
    return moved


def require_plain_steps(geometry: BaseGeometry) -> None:
    """Refuse an outline with a step of 180° to 350° of longitude: it may be meant either way round the world.

    Raises:
        InvalidInputError: it has one; the step is named.

    Example:
        >>> require_plain_steps(box(-100, 0, 100, 1))
        Traceback (most recent call last):
            ...
        landloom.errors.InvalidInputError: got an edge from longitude 100 to -100, which may go either way round the
        world; expected vertices between, or parts on either side of 180 degrees
    """
    west, _, east, _ = geometry.bounds
    if not east - west > _HALF:
        return
    for part in _lines(geometry):
        steps = _steps(part)
        wide = np.flatnonzero((steps > _HALF) & (steps <= _SURELY))
        if len(wide):
            start, end = shapely.get_coordinates(part)[wide[0] : wide[0] + 2, 0].tolist()
            raise InvalidInputError(
                f"got an edge from longitude {start:g} to {end:g}, which may go either way round the world; expected "
                "vertices between, or parts on either side of 180 degrees"
            )


def _lines(geometry: BaseGeometry) -> list[BaseGeometry]:
    """The edges of polygons, and lines as they are; of collections too."""
    if geometry.geom_type == "Polygon":
        rings: list[BaseGeometry] = shapely.get_parts(geometry.boundary).tolist()
        return rings
    if geometry.geom_type in ("LineString", "LinearRing"):
        return [geometry]
    if not hasattr(geometry, "geoms"):
        return []
    return [line for part in geometry.geoms for line in _lines(part)]


def _steps(line: BaseGeometry) -> NDArray[np.float64]:
    """Degrees of longitude between the vertices of a line."""
    steps: NDArray[np.float64] = np.abs(np.diff(shapely.get_coordinates(line)[:, 0]))
    return steps


def _worlds(geometry: BaseGeometry) -> list[BaseGeometry]:
    """The parts of a geometry with unwrapped longitudes, each shifted back to ±180°."""
    parts = []
    for turn in (-_TURN, 0.0, _TURN):
        part = geometry.intersection(box(turn - _HALF, -90.0, turn + _HALF, 90.0))
        if part.area or (part.length and not geometry.area):
            parts.append(shapely.transform(translate(part, xoff=-turn), _on_map))
    return parts


def _on_map(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vertices that a shift by turns has left a rounding error beyond the edge of the map."""
    return np.column_stack([np.clip(vertices[:, 0], -_HALF, _HALF), vertices[:, 1]])


def _unwrapped(coordinates: Iterable[tuple[float, ...]], *, closed: bool = True) -> list[tuple[float, float]]:
    """A ring with unwrapped longitudes: continuous across the antimeridian."""
    ring: list[tuple[float, float]] = []
    for longitude, latitude, *_ in coordinates:
        turns = round((longitude - ring[-1][0]) / _TURN) if ring else 0
        ring.append((longitude - _TURN * turns, latitude))
    if closed and abs(ring[-1][0] - ring[0][0]) > _HALF:
        raise InvalidValueError("got an outline around a pole, expected one that closes")
    return ring


def _beside(ring: list[tuple[float, float]], shell: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Shift a hole by whole turns of 360° to the longitudes of its shell."""
    longitudes = [x for x, _ in shell]
    turn = _TURN * round((ring[0][0] - (min(longitudes) + max(longitudes)) / 2) / _TURN)
    return [(x - turn, y) for x, y in ring]
