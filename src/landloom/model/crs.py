"""From one CRS into another, edge by edge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi, sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from shapely.affinity import translate

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.model.antimeridian import require_plain_steps, split_shape
from landloom.model.grid import WGS84, transformer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from landloom.model.grid import Crs

    Points = NDArray[np.float64]
    """(n, 2) x, y."""

_CURVATURE: Final = 6e-6
"""1/m, more than a straight line of one CRS is bent in another up to 88° of latitude: chords so short need no look."""
_RADIUS: Final = 6_371_000.0
_LONGEST: Final = 100_000.0
"""Metres of an edge that is looked at in one piece."""
_LOOKS: Final = (0.25, 0.5, 0.75)
"""Where along an edge its distance from the chord is measured."""
_LEAP: Final = 0.75
"""Share of a chord between two looks that no edge takes but one across the cut of a projection."""
_ROUNDS: Final = 40
"""Halvings of an edge, at most: from 100 km to less than a micrometre."""
_POLE: Final = 90.0 - 1e-7
"""Degrees of latitude that are a pole: a centimetre from it, longitudes tell nothing."""
_POLAR: Final = 89.5
"""Degrees of latitude beyond which an edge that cannot be followed is said to reach a pole."""


@lru_cache(maxsize=256)
def crs_of(value: Crs) -> CRS:
    """The horizontal part of a CRS."""
    from pyproj import CRS

    crs = CRS.from_user_input(value)
    return (crs.sub_crs_list[0] if crs.is_compound else crs).to_2d()


@lru_cache(maxsize=64)
def change_between(source: CRS, target: CRS, tolerance: float) -> Change | None:
    """How to get from one CRS into another; None where they are the same."""
    from pyproj.exceptions import ProjError

    if source.equals(target, ignore_axis_order=True):
        return None
    try:
        transformer(source, target)
    except ProjError as error:
        raise InvalidInputError(f"got {name_of(source)}, which cannot be brought into {name_of(target)}") from error
    return Change(source=source, target=target, tolerance=tolerance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From one CRS into another."""

    source: CRS
    target: CRS
    tolerance: float

    def points(self, xy: Points) -> Points:
        """The same points in the target; not finite where it has no place for them."""
        x, y = transformer(self.source, self.target).transform(xy[:, 0], xy[:, 1])
        return np.column_stack([x, y])

    def metres(self, start: Points, end: Points, scale: Points) -> Points:
        """(n, 2) metres from points of the target to others, by the `scale` of the edge that they belong to."""
        steps = end - start
        if self.target.is_geographic:
            turn = 2 * pi / float(self.target.axis_info[0].unit_conversion_factor)
            steps[:, 0] = (steps[:, 0] + turn / 2) % turn - turn / 2
        return steps * scale

    def scale(self, start: Points, end: Points) -> Points:
        """(n, 2) metres to a unit of x and y of the target, at the middle of edges."""
        unit = float(self.target.axis_info[0].unit_conversion_factor)
        if not self.target.is_geographic:
            return np.full((len(start), 2), unit)
        north = np.full(len(start), unit * _RADIUS)
        return np.column_stack([north * np.cos((start[:, 1] + end[:, 1]) / 2 * unit), north])

    def quickly(self, shapes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Shapes vertex by vertex, and for which of them that is enough: nearly all, where edges are short."""
        whole = np.array([shape is None or shape.is_empty for shape in shapes], dtype=np.bool_)
        bounds = shapely.bounds(shapes)
        spans = bounds[:, 2] - bounds[:, 0]
        simple = np.isfinite(bounds).all(axis=1)
        if is_plain_degrees(self.source):
            simple &= (bounds[:, 0] > -180) & (bounds[:, 2] < 180) & (spans < 180)
        places = np.flatnonzero(simple)
        moved = shapes.copy()
        moved[places] = shapely.transform(shapes[places], self.points)
        reached = shapely.bounds(moved[places])
        good = np.isfinite(reached).all(axis=1)
        if self.target.is_geographic:
            reached[~good] = 0.0
            good &= (reached[:, 0] > -180) & (reached[:, 2] < 180) & (reached[:, 2] - reached[:, 0] < 90)
        good &= ~self._bent(shapes[places], moved[places])
        whole[places] = good
        return moved, whole

    def _bent(self, shapes: NDArray[Any], moved: NDArray[Any]) -> NDArray[np.bool_]:
        """(n,) which shapes have an edge that runs too far from the chord between its moved ends."""
        before, owner = shapely.get_coordinates(shapes, return_index=True)
        after = shapely.get_coordinates(moved)
        same = owner[1:] == owner[:-1]
        with np.errstate(invalid="ignore", over="ignore"):
            scale = self.scale(after[:-1], after[1:])
            chords = np.hypot(*self.metres(after[:-1], after[1:], scale).T)
        long = np.flatnonzero(same & ~(chords < sqrt(8 * self.tolerance / _CURVATURE)))
        off = self._off(before[long], before[long + 1], after[long], after[long + 1])
        bent = np.zeros(len(shapes), dtype=np.bool_)
        bent[owner[long[off | (chords[long] > _LONGEST)]]] = True
        return bent

    def _off(self, start: Points, end: Points, from_: Points, to: Points) -> NDArray[np.bool_]:
        """(n,) which edges leave their chord by more than the tolerance."""
        off = np.zeros(len(start), dtype=np.bool_)
        if not len(start):
            return off
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = self.scale(from_, to)
            chord = self.metres(from_, to, scale)
            length = np.hypot(*chord.T)
            before = np.zeros(len(start))
            for share in (*_LOOKS, 1.0):
                step = self.metres(from_, self.points(start + share * (end - start)), scale)
                along = np.clip((step * chord).sum(axis=1) / np.maximum(length, 1e-9) ** 2, 0, 1)
                off |= ~(np.hypot(*(step - along[:, None] * chord).T) <= self.tolerance)
                off |= (np.abs(along - before) > _LEAP) & (length > self.tolerance)
                before = along
        return off

    def carefully(self, shape: BaseGeometry) -> BaseGeometry:
        """One shape with all the vertices that it needs.

        Raises:
            InvalidValueError: it cannot be brought over.
        """
        across = is_plain_degrees(self.source)
        if across:
            require_plain_steps(shape)
            shape = split_shape(shape)
        if not self.target.is_geographic and _is_cut_at_180(self.target):
            if not self.source.is_geographic:  # by way of degrees, for the cut lies along 180°
                for change in self._by_degrees():
                    shape = change.carefully(shape)
                return shape
        elif across and not self.target.is_geographic:
            shape = _joined(shape)
        moved = self._rebuilt(shape)
        if self.target.is_geographic:
            moved = self._in_degrees(moved)
        return _mended(moved) if shape.is_valid and not moved.is_valid else moved

    def _by_degrees(self) -> list[Change]:
        degrees = crs_of(WGS84)
        steps = (self.source, degrees), (degrees, self.target)
        return [Change(source=source, target=target, tolerance=self.tolerance) for source, target in steps]

    def _in_degrees(self, moved: BaseGeometry) -> BaseGeometry:
        latitudes = shapely.get_coordinates(moved)[:, 1]
        if shapely.get_dimensions(moved) > 0 and not self.source.is_geographic and np.abs(latitudes).max() > _POLE:
            raise InvalidInputError(f"reaches the {'north' if latitudes.mean() > 0 else 'south'} pole")
        try:
            return split_shape(moved)
        except InvalidInputError:
            raise
        except InvalidValueError as error:
            pole = "north" if latitudes.mean() > 0 else "south"
            raise InvalidInputError(
                f"encloses the {pole} pole, which no outline in longitude and latitude can"
            ) from error

    def _rebuilt(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape in the target, each line and ring with the vertices that it needs."""
        if shape.is_empty:
            return shape
        if isinstance(shape, shapely.Polygon):
            rings = [self._line(shapely.get_coordinates(ring)) for ring in (shape.exterior, *shape.interiors)]
            return shapely.Polygon(rings[0], rings[1:])
        if isinstance(shape, shapely.LineString):
            return type(shape)(self._line(shapely.get_coordinates(shape)))
        if isinstance(shape, shapely.Point):
            return shapely.Point(self._finite(self.points(shapely.get_coordinates(shape)))[0])
        kind: Any = type(shape)
        rebuilt: BaseGeometry = kind([self._rebuilt(part) for part in shapely.get_parts(shape)])
        return rebuilt

    def _line(self, vertices: Points) -> Points:
        """The vertices of a line or ring in the target, with as many between them as it takes."""
        points = shapely.get_coordinates(shapely.segmentize(shapely.LineString(vertices), self._longest))
        moved = self._finite(self.points(points))
        unsure = np.ones(len(points) - 1, dtype=np.bool_)
        for _ in range(_ROUNDS):
            edges = np.flatnonzero(unsure)
            off = self._off(points[edges], points[edges + 1], moved[edges], moved[edges + 1])
            halved = edges[off]
            if not len(halved):
                return moved
            middle = (points[halved] + points[halved + 1]) / 2
            moved = np.insert(moved, halved + 1, self._finite(self.points(middle)), axis=0)
            points = np.insert(points, halved + 1, middle, axis=0)
            unsure = np.zeros(len(points) - 1, dtype=np.bool_)
            first = halved + np.arange(len(halved))
            unsure[first] = unsure[first + 1] = True
        raise InvalidInputError(self._why(moved[np.flatnonzero(unsure)[0]]))

    def _finite(self, moved: Points) -> Points:
        if np.isfinite(moved).all():
            return moved
        if self.target.is_geographic:
            raise InvalidInputError(f"has coordinates that are not on Earth in {name_of(self.source)}")
        raise InvalidInputError(f"reaches where {name_of(self.target)} has no place")

    @property
    def _longest(self) -> float:
        """Units of the source that are about `_LONGEST` metres."""
        unit = float(self.source.axis_info[0].unit_conversion_factor)
        return _LONGEST / unit / (_RADIUS if self.source.is_geographic else 1.0)

    def _why(self, place: Points) -> str:
        back = transformer(self.target, WGS84).transform(*place.tolist())
        if abs(back[1]) > _POLAR:
            return f"reaches the {'north' if back[1] > 0 else 'south'} pole"
        return f"crosses the edge of {name_of(self.target)}"


def name_of(crs: CRS) -> str:
    """What messages call a CRS.

    Example:
        >>> name_of(crs_of(3035))
        'EPSG:3035'
    """
    code = crs.to_epsg()
    return crs.name if code is None else f"EPSG:{code}"


@lru_cache(maxsize=256)
def is_plain_degrees(crs: CRS) -> bool:
    """Whether coordinates are degrees of longitude from Greenwich and latitude."""
    prime = crs.prime_meridian
    return bool(
        crs.is_geographic and crs.axis_info[0].unit_name.startswith("degree") and (prime is None or not prime.longitude)
    )


@lru_cache(maxsize=256)
def _is_cut_at_180(crs: CRS) -> bool:
    """Whether a projection shows the two sides of the antimeridian at different places."""
    latitudes = (-45.0, 0.1, 45.0)
    west, east = (
        np.column_stack(transformer(WGS84, crs).transform(np.full(3, side), latitudes))
        for side in (-179.9999999, 179.9999999)
    )
    there = np.isfinite(west).all(axis=1) & np.isfinite(east).all(axis=1)
    metre = 1.0 / float(crs.axis_info[0].unit_conversion_factor)
    return bool((np.abs(west[there] - east[there]) > metre).any())


@lru_cache(maxsize=256)
def world_span(crs: CRS) -> tuple[float, float] | None:
    """X of the map's edges at 180° W and 180° E, where both are straight lines upwards; None for other CRSs.

    Example:
        >>> world_span(crs_of(WGS84)), [round(x) for x in world_span(crs_of(3857)) or ()], world_span(crs_of(32660))
        ((-180.0, 180.0), [-20037508, 20037508], None)
    """
    if is_plain_degrees(crs):
        return -180.0, 180.0
    if crs.is_geographic or not _is_cut_at_180(crs):
        return None
    low, high = (transformer(WGS84, crs).transform([-180.0, 180.0], [latitude] * 2)[0] for latitude in (0.0, 60.0))
    upright = bool(np.allclose(low, high, rtol=1e-9))
    return (float(low[0]), float(low[1])) if upright and low[0] < low[1] else None


def _joined(shape: BaseGeometry) -> BaseGeometry:
    """A shape in degrees whose parts meet across 180°, as one that goes on beyond it."""
    if not (shape.bounds[0] <= -180 and shape.bounds[2] >= 180):
        return shape
    parts = [
        translate(part, xoff=360.0) if part.bounds[0] <= -180 and part.bounds[2] < 180 else part
        for part in shapely.get_parts(shape)
    ]
    joined: BaseGeometry = shapely.union_all(parts)
    return joined


def _mended(shape: BaseGeometry) -> BaseGeometry:
    """A valid shape, where vertices within the tolerance of each other have crossed."""
    mended: BaseGeometry = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    return mended
