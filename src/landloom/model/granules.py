"""The grid of Sentinel-2 granules: their positions, and which of them exist.

A granule is named after an MGRS square of 100 km and reaches 109.8 km: from the square's north-west corner, snapped
outward to 60 m, to the east and south. Its letters follow MGRS (NGA, *Universal Grids and Grid Reference Systems*,
NGA.STND.0037): columns repeat every three zones, rows every 2,000 km, shifted by five in even zones; the latitude band
is that of the square's centre. The zones are those of MGRS, with the exceptions of Norway and Svalbard.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
import shapely.affinity

from landloom.errors import InvalidIdentityError
from landloom.model.antimeridian import split_antimeridian
from landloom.model.grid import SNAP, WGS84, Grid, transformer
from landloom.model.ids import GranuleId, Zone

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import Geometry, Polygon, STRtree
    from shapely.geometry.base import BaseGeometry

SQUARE: Final = 100_000
"""Side of an MGRS square in metres."""
EXTENT: Final = 109_800
"""Side of a granule in metres."""
BANDS: Final = "CDEFGHJKLMNPQRSTUVWX"
"""Latitude bands, 8° each from 80° S; the first and the last extend poleward."""
_COLUMNS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_ROWS: Final = "ABCDEFGHJKLMNPQRSTUV"
_EASTS: Final = 8
"""Squares from west to east in a zone: eastings of 100 to 900 km."""
_FALSE_NORTHING: Final = 10_000_000
"""Northing of the equator in southern zones, the origin of their 60 m snapping."""
_SOUTH, _NORTH = -83.7, 84.0
"""Latitudes, in degrees, between which the world is tiled: UTM does not cover most of Antarctica."""
_NOTHING: Final = 1e-9
"""Areas below this, in square degrees, count as empty."""
_LAST: Final = 85.0
"""Highest absolute latitude, in degrees, of a granule's centre."""
_SIDE: Final = 8
"""Segments per side of a granule's outline."""


def granule_grid(granule: GranuleId, resolution: float) -> Grid:
    """The pixel grid of a granule.

    Args:
        granule: its id.
        resolution: metres; 10, 20 and 60 divide the extent.

    Raises:
        InvalidIdentityError: there is no such square in that zone and band.

    Example:
        >>> granule_grid(GranuleId.parse("33TWL"), 120).bounds
        (499980.0, 4990200.0, 609780.0, 5100000.0)
        >>> granule_grid(GranuleId.parse("01CEH"), 10).bounds
        (499980.0, 690220.0, 609780.0, 800020.0)
    """
    column, row = _square(granule)
    west, north = (int(v) for v in _corner(column, row, north=granule.zone.north))
    return Grid.of_bounds(granule.zone.epsg, (west, north - EXTENT, west + EXTENT, north), resolution)


def granule_footprint(granule: GranuleId) -> Polygon:
    """Outline in WGS84, longitude latitude; longitudes pass ±180 where the granule crosses the antimeridian.

    Example:
        >>> [round(v, 3) for v in granule_footprint(GranuleId.parse("33TWL")).bounds]
        [15.0, 45.057, 16.419, 46.054]
    """
    column, row = _square(granule)
    return shapely.Polygon(_vertices(granule.zone, np.array([column]), np.array([row]), EXTENT)[0])


def granule_region(granule: GranuleId) -> BaseGeometry:
    """Outline in WGS84 within ±180°, split where the granule crosses the antimeridian: what archives are asked for.

    Example:
        >>> granule_region(GranuleId.parse("60WWV")).geom_type, granule_region(GranuleId.parse("01WCQ")).bounds[::2]
        ('Polygon', (-180.0, 180.0))
    """
    return split_antimeridian(granule_footprint(granule))


def world_granules() -> tuple[GranuleId, ...]:
    """Every granule of the world, sea and land, in id order.

    A square is included if any part of its zone lies in it. The sliver at a zone's west edge is left out where
    granules of the previous zone cover it (zones are processed eastward from zone 1), as in ESA's grid.
    The grid is limited to 83.7° S to 84° N.

    Example:
        >>> GranuleId.parse("33TWL") in world_granules()
        True
    """
    return _world()[0]


def granules_in(region: Geometry) -> tuple[GranuleId, ...]:
    """The granules whose extent intersects a region, in id order.

    Args:
        region: in WGS84 longitude and latitude; longitudes beyond ±180 are wrapped.

    Example:
        >>> import shapely
        >>> [str(granule) for granule in granules_in(shapely.Point(15.6, 45.6))]
        ['33TWL']
    """
    granules, tree = _world()
    turns = [shapely.affinity.translate(region, turn) for turn in (-360.0, 0.0, 360.0)]
    found = np.unique(np.concatenate([tree.query(turned, predicate="intersects") for turned in turns]))
    return tuple(granules[i] for i in found.tolist())


def _square(granule: GranuleId) -> tuple[int, int]:
    """Easting and northing of the south-west corner of a granule's square, in squares."""
    zone = granule.zone
    column = _COLUMNS.index(granule.square[0]) - _first_column(zone) + 1
    row = _ROWS.find(granule.square[1])
    if 1 <= column <= _EASTS and row >= 0:
        rows = np.arange((row - _row_shift(zone)) % 20, 100, 20)
        bands = _bands(zone, np.full(len(rows), column), rows)
        for candidate in rows[bands == BANDS.index(granule.band)].tolist():
            return column, candidate
    raise InvalidIdentityError.of(str(granule), expected="a square that its zone and latitude band have")


def _first_column(zone: Zone) -> int:
    return (zone.number - 1) % 3 * _EASTS


def _row_shift(zone: Zone) -> int:
    return 0 if zone.number % 2 else 5


def _bands(zone: Zone, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the latitude band of the squares' centres; −1 for squares that the hemisphere does not have."""
    x, y = (columns + 0.5) * SQUARE, (rows + 0.5) * SQUARE
    latitude = np.asarray(transformer(zone.epsg, WGS84).transform(x, y)[1])
    bands = np.clip((latitude + 80.0) // 8.0, 0, len(BANDS) - 1).astype(np.int64)
    exists = ((latitude >= 0) == zone.north) & (rows * SQUARE < _FALSE_NORTHING) & (np.abs(latitude) < _LAST)
    return np.where(exists, bands, -1)


def _corner(
    columns: NDArray[np.int64] | int, rows: NDArray[np.int64] | int, *, north: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """X of the west and y of the north edge of granules, in metres."""
    west = np.asarray(columns) * SQUARE // SNAP * SNAP
    equator = 0 if north else _FALSE_NORTHING
    top = -((equator - (np.asarray(rows) + 1) * SQUARE) // SNAP * SNAP) + equator
    return west, top


def _vertices(zone: Zone, columns: NDArray[np.int64], rows: NDArray[np.int64], side: int) -> NDArray[np.float64]:
    """(granule, vertex, 2) outlines in WGS84, unwrapped around the zone's meridian."""
    west, north = _corner(columns, rows, north=zone.north)
    step = np.linspace(0, side, _SIDE + 1)[:-1]
    zero = np.zeros(_SIDE)
    x = np.concatenate([step, zero + side, side - step, zero]) + west[:, None]
    y = north[:, None] - np.concatenate([zero + side, side - step, zero, step])
    longitude, latitude = transformer(zone.epsg, WGS84).transform(x, y)
    middle = zone.central_meridian
    turned = (np.asarray(longitude) - middle + 180.0) % 360.0 - 180.0 + middle
    return np.stack([turned, latitude], axis=-1)


def _territory(number: int) -> Geometry:
    """The area of a zone number, with the exceptions of Norway (band V) and Svalbard (band X)."""
    west, east = number * 6 - 186, number * 6 - 180
    norway = {31: (0, 3), 32: (3, 12)}.get(number, (west, east))
    svalbard = {31: (0, 9), 33: (9, 21), 35: (21, 33), 37: (33, 42)}.get(number, (west, east))
    parts = [shapely.box(west, _SOUTH, east, 56), shapely.box(*_at(norway, 56, 64)), shapely.box(west, 64, east, 72)]
    if number not in (32, 34, 36):
        parts.append(shapely.box(*_at(svalbard, 72, _NORTH)))
    return shapely.union_all(parts)


def _at(longitudes: tuple[int, int], south: float, north: float) -> tuple[float, float, float, float]:
    return longitudes[0], south, longitudes[1], north


@lru_cache(maxsize=1)
def _world() -> tuple[tuple[GranuleId, ...], STRtree]:
    """All granules in id order, and the index of their outlines."""
    squares = _squares()
    names: list[GranuleId] = []
    shapes: list[Polygon] = []
    for number in range(1, 61):
        kept = np.flatnonzero(_kept(number))
        names.extend(squares.names(number, kept))
        shapes.extend(squares.shapes(number, squares.granules)[kept].tolist())
    order = sorted(range(len(names)), key=names.__getitem__)
    return tuple(names[i] for i in order), shapely.STRtree([shapes[i] for i in order])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Squares:
    """The squares of a zone in both hemispheres; those of other zones are shifted by multiples of 6°."""

    columns: NDArray[np.int64]
    rows: NDArray[np.int64]
    bands: NDArray[np.int64]
    outlines: NDArray[np.float64]
    """(square, vertex, 2) longitude from the central meridian and latitude of the squares."""
    granules: NDArray[np.float64]
    """(square, vertex, 2) the same for the granules."""

    def shapes(self, number: int, vertices: NDArray[np.float64]) -> NDArray[np.object_]:
        return np.asarray(shapely.polygons(vertices + np.array([Zone(number).central_meridian, 0.0])))

    def names(self, number: int, kept: NDArray[np.int64]) -> list[GranuleId]:
        zone = Zone(number)
        shift, first = _row_shift(zone), _first_column(zone)
        columns, rows, bands = (v[kept].tolist() for v in (self.columns, self.rows, self.bands))
        return [
            GranuleId(number, BANDS[band], _COLUMNS[first + column - 1] + _ROWS[(row + shift) % 20])
            for column, row, band in zip(columns, rows, bands, strict=True)
        ]


@lru_cache(maxsize=1)
def _squares() -> _Squares:
    parts = []
    for zone in (Zone(1), Zone(1, north=False)):
        columns, rows = (v.ravel() for v in np.meshgrid(np.arange(1, _EASTS + 1), np.arange(100)))
        bands = _bands(zone, columns, rows)
        columns, rows, bands = columns[bands >= 0], rows[bands >= 0], bands[bands >= 0]
        both = [_vertices(zone, columns, rows, side) - (zone.central_meridian, 0.0) for side in (SQUARE, EXTENT)]
        parts.append((columns, rows, bands, *both))
    columns, rows, bands, outlines, granules = (np.concatenate(v) for v in zip(*parts, strict=True))
    return _Squares(columns=columns, rows=rows, bands=bands, outlines=outlines, granules=granules)


@lru_cache(maxsize=64)
def _kept(number: int) -> NDArray[np.bool_]:
    """(square,) which squares of a zone have a granule."""
    if 3 < number < 31 or number > 40:  # far from the antimeridian, Norway and Svalbard all zones are alike
        return _kept(3)
    squares = _squares()
    territory = _territory(number)
    kept = np.asarray(shapely.intersects(squares.shapes(number, squares.outlines), territory))
    # Svalbard uses every second zone only: the previous zone may be two away.
    before = [squares.shapes(n, squares.granules)[_kept(n)] for n in (number - 2, number - 1) if n >= 1]
    if before:
        parts = shapely.intersection(squares.shapes(number, squares.granules), territory)
        kept &= ~_covered(parts, kept, np.concatenate(before))
    return kept


def _covered(parts: NDArray[np.object_], asked: NDArray[np.bool_], before: NDArray[np.object_]) -> NDArray[np.bool_]:
    """(part,) whether the other outlines together cover it; False where `asked` is False."""
    covered = np.zeros(len(parts), dtype=np.bool_)
    which, hit = shapely.STRtree(before).query(parts, predicate="intersects")
    reach = np.full(len(parts), -np.inf)
    np.maximum.at(reach, which, shapely.bounds(before)[hit, 2])
    for part in np.flatnonzero(asked & (reach >= shapely.bounds(parts)[:, 2])).tolist():
        cover = shapely.union_all(before[hit[which == part]])
        covered[part] = shapely.area(shapely.difference(parts[part], cover)) < _NOTHING
    return covered
