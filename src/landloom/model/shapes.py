"""Shapes from one CRS into another, in one way for everything that has an outline.

An edge is straight in the CRS that a shape was drawn in, and bent in any other. So edges get more vertices until the
chords between them are nowhere further than a tolerance from where the edge truly runs. In longitude and latitude
shapes are split at 180°; what encloses a pole, or reaches where a projection has no place, is refused by name. The
order of axes is always x, y: longitude, latitude.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.model.antimeridian import lie_together, require_plain_steps, split_shape
from landloom.model.crs import Change, change_between, crs_of, is_plain_degrees, name_of
from landloom.model.grid import WGS84

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from landloom.model.grid import Bounds, Crs

TOLERANCE: Final = 0.1
"""Metres by which an edge may be off: a tenth of a pixel of 1 m."""
_LISTED: Final = 10
"""Rows that are named."""
_WIDE: Final = (90.0, 60.0)
"""Degrees of longitude and latitude of a box of which the outline alone no longer tells how far it reaches."""


def reproject(
    shape: BaseGeometry, source: Crs, target: Crs, *, tolerance: float = TOLERANCE, near: Sequence[Bounds] = ()
) -> BaseGeometry:
    """Bring a shape from one CRS into another.

    Args:
        shape: any shapely geometry.
        source: CRS of its coordinates, x before y.
        target: CRS of the answer.
        tolerance: metres by which edges may be off.
        near: boxes (west, south, east, north) in the target; what lies far from all of them may be cut off.

    Returns:
        The shape; in longitude and latitude it is split at 180°. The shape itself where nothing had to change.

    Raises:
        InvalidInputError: it encloses a pole, reaches where the target has no place, or has an edge in degrees that
            may go either way round the world.

    Example:
        >>> parallel = reproject(shapely.LineString([(14, 50), (16, 50)]), WGS84, 32633)
        >>> middle = reproject(shapely.Point(15, 50), WGS84, 32633)
        >>> bool(parallel.distance(middle) < 0.1), round(parallel.coords[0][1] - middle.y)
        (True, 479)
        >>> reproject(shapely.box(176800, 8128000, 184000, 8128700), 32701, WGS84).bounds[::2]
        (-180.0, 180.0)
    """
    moved, refused = reproject_all([shape], source, target, tolerance=tolerance, near=near)
    if refused:
        raise InvalidInputError(refused[0])
    result: BaseGeometry = moved[0]
    return result


def reproject_all(
    shapes: Sequence[Any] | NDArray[Any],
    source: Crs,
    target: Crs,
    *,
    tolerance: float = TOLERANCE,
    near: Sequence[Bounds] = (),
) -> tuple[NDArray[Any], dict[int, str]]:
    """Bring many shapes from one CRS into another; what cannot be brought costs only itself.

    Args:
        shapes: (n,) shapely geometries; None stays None.
        source: as of `reproject`.
        target: as of `reproject`.
        tolerance: as of `reproject`.
        near: as of `reproject`.

    Returns:
        (n,) the shapes, None where one is refused; position → why.

    Example:
        >>> around = shapely.box(-1e5, -1e5, 1e5, 1e5)
        >>> moved, refused = reproject_all([around, shapely.Point(2e6, 0)], 3413, WGS84)
        >>> moved[0], refused[0], round(moved[1].x, 6)
        (None, 'encloses the north pole, which no outline in longitude and latitude can', 45.0)
    """
    result = np.empty(len(shapes), dtype=object)
    result[:] = list(shapes)
    change = change_between(crs_of(source), crs_of(target), tolerance)
    if change is None:
        return in_place(result, source)
    if near:
        result = _cut(result, _windows_around(near, change))
    plain = result.copy()
    result, whole = change.quickly(plain)
    refused: dict[int, str] = {}
    for position in np.flatnonzero(~whole).tolist():
        try:
            result[position] = change.carefully(plain[position])
        except InvalidValueError as error:
            result[position], refused[position] = None, str(error)
    return result, refused


def reach(bounds: Bounds, source: Crs, target: Crs, *, margin: float = 0.0) -> tuple[Bounds, ...]:
    """Boxes of one CRS that hold everything within bounds of another.

    Args:
        bounds: west, south, east, north; west above east crosses 180° where `source` is in degrees.
        source: CRS of the bounds.
        target: CRS of the answer.
        margin: added on every side, in units of the target.

    Returns:
        One box, or two where the bounds cross 180° and the target is cut there.

    Raises:
        InvalidInputError: the bounds hold a pole, or reach where the target has no place.

    Example:
        >>> [tuple(round(v, 2) for v in box) for box in reach((620e3, 7.43e6, 640e3, 7.45e6), 32660, WGS84)]
        [(179.75, 66.96, 180.0, 67.14), (-180.0, 66.96, -179.77, 67.14)]
    """
    west, south, east, north = bounds
    degrees = is_plain_degrees(crs_of(source))
    if degrees and west > east:
        whole: BaseGeometry = shapely.MultiPolygon(
            [shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)]
        )
    else:
        whole = shapely.box(*bounds)
    if degrees and not crs_of(target).is_geographic and ((east - west) % 360 > _WIDE[0] or north - south > _WIDE[1]):
        raise InvalidInputError(f"got {bounds}, which is too large to be a box in {name_of(crs_of(target))}")
    moved = reproject(whole, source, target, tolerance=10 * TOLERANCE)
    boxes = [shapely.bounds(part).tolist() for part in shapely.get_parts(moved)]
    return tuple((w - margin, s - margin, e + margin, n + margin) for w, s, e, n in sorted(boxes, reverse=True))


def in_place(shapes: NDArray[Any], crs: Crs) -> tuple[NDArray[Any], dict[int, str]]:
    """Shapes as they are meant: in degrees, those that cross 180° are split there.

    Args:
        shapes: (n,) shapely geometries; None stays None.
        crs: of their coordinates.

    Returns:
        (n,) the shapes, None where one is refused; position → why. The array itself where nothing had to change.

    Example:
        >>> ring = shapely.Polygon([(179, 0), (-179, 0), (-179, 1), (179, 1)])
        >>> shapes, refused = in_place(np.array([ring]), WGS84)
        >>> shapes[0].area, refused
        (2.0, {})
    """
    bounds = shapely.bounds(shapes)
    odd = (bounds[:, 0] < -180) | (bounds[:, 2] > 180) | (bounds[:, 2] - bounds[:, 0] > 180)
    if not odd.any() or not is_plain_degrees(crs_of(crs)):
        return shapes, {}
    result, refused = shapes.copy(), {}
    for position in np.flatnonzero(odd).tolist():
        try:
            require_plain_steps(shapes[position])
            result[position] = split_shape(shapes[position])
        except InvalidValueError as error:
            result[position], refused[position] = None, str(error)
    return result, refused


def in_degrees(
    shapes: Sequence[Any] | NDArray[Any], crs: Crs, rows: Sequence[str], *, near: Sequence[Bounds] = ()
) -> NDArray[Any]:
    """Shapes in longitude and latitude, each of them usable.

    Args:
        shapes: (n,) shapely geometries.
        crs: of their coordinates.
        rows: (n,) what to call them.
        near: as of `reproject`.

    Returns:
        (n,) valid shapes within ±180°.

    Raises:
        InvalidInputError: some cross themselves or cannot be brought over; they are named, with the reasons.

    Example:
        >>> [round(v, 6) for v in in_degrees([shapely.box(5e5, 0, 5e5 + 100, 100)], 32633, ["row 0"])[0].bounds[:2]]
        [15.0, 0.0]
        >>> in_degrees([shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], WGS84, ["row 0"])
        Traceback (most recent call last):
            ...
        landloom.errors.InvalidInputError: row 0: Self-intersection[0.5 0.5]
    """
    given = np.empty(len(shapes), dtype=object)
    given[:] = list(shapes)
    crossed = np.flatnonzero(~shapely.is_valid(given) & ~shapely.is_missing(given)).tolist()
    wrong = {position: str(shapely.is_valid_reason(given[position])) for position in crossed}
    moved, refused = reproject_all(given, crs, WGS84, near=near)
    wrong = refused | wrong
    if wrong:
        named = "; ".join(f"{rows[position]}: {wrong[position]}" for position in sorted(wrong)[:_LISTED])
        raise InvalidInputError(named + (f"; and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""))
    bent = np.flatnonzero(~shapely.is_valid(moved) & shapely.is_valid(given))
    moved[bent] = shapely.make_valid(moved[bent], method="structure", keep_collapsed=False)
    return moved


def neighbourhood(shape: BaseGeometry) -> tuple[Bounds, ...]:
    """The box of a shape in degrees; two where it lies on both sides of 180°.

    Example:
        >>> neighbourhood(shapely.union(shapely.box(179, 0, 180, 1), shapely.box(-180, 0, -179, 1)))
        ((179.0, 0.0, 180.0, 1.0), (-180.0, 0.0, -179.0, 1.0))
    """
    west, south, east, north = shapely.total_bounds(lie_together(shapely.get_parts(shape))).tolist()
    if east <= 180:
        return ((west, south, east, north),)
    return (west, south, 180.0, north), (-180.0, south, east - 360.0, north)


def together(shapes: NDArray[Any], crs: Crs) -> NDArray[Any]:
    """Shapes of one neighbourhood with bounds that tell it: in degrees, on both sides of 180°, they go on beyond it."""
    return lie_together(shapes) if len(shapes) and is_plain_degrees(crs_of(crs)) else shapes


def middle_of(shape: BaseGeometry) -> tuple[float, float]:
    """Longitude and latitude of the centroid of a shape in degrees, also where that lies on both sides of 180°.

    Example:
        >>> middle_of(shapely.MultiPolygon([shapely.box(179, 0, 180, 2), shapely.box(-180, 0, -178, 2)]))
        (-179.5, 1.0)
    """
    parts = shapely.get_parts(shape)
    moved = lie_together(parts)
    centre = shape.centroid if moved is parts else shapely.union_all(moved).centroid
    return (centre.x + 180.0) % 360.0 - 180.0 if abs(centre.x) > 180 else centre.x, centre.y


def _windows_around(near: Sequence[Bounds], change: Change) -> BaseGeometry | None:
    """Where in the source a shape may matter; None where that cannot be said."""
    boxes: list[Bounds] = []
    for west, south, east, north in near:
        margin = max(east - west, north - south)
        wider = west - margin, south - margin, east + margin, north + margin
        try:
            boxes += reach(_on_earth(wider) if change.target.is_geographic else wider, change.target, change.source)
        except InvalidInputError:
            return None
    window: BaseGeometry = shapely.union_all([shapely.box(*box) for box in boxes])
    shapely.prepare(window)
    return window


def _on_earth(bounds: Bounds) -> Bounds:
    west, south, east, north = bounds
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def _cut(shapes: NDArray[Any], window: BaseGeometry | None) -> NDArray[Any]:
    """Shapes without what lies beyond a window; valid ones alone, for others cannot be cut."""
    if window is None:
        return shapes
    outside = ~shapely.contains_properly(window, shapely.box(*shapely.bounds(shapes).T)) & shapely.is_valid(shapes)
    cut = shapes.copy()
    for position in np.flatnonzero(outside).tolist():
        parts = shapely.get_parts(shapely.intersection(shapes[position], window))
        parts = parts[shapely.get_dimensions(parts) == shapely.get_dimensions(shapes[position])]
        cut[position] = shapely.union_all(parts) if len(parts) else shapely.Polygon()
    return cut
