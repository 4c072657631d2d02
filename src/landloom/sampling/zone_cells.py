"""The candidate cells of a region, zone by zone: tiles first, single cells only in tiles that a border crosses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import shapely

from landloom.errors import InvalidInputError
from landloom.model.grid import WGS84, transformer
from landloom.model.ids import CELL_SIZE, CELLS_PER_TILE, TILE_SIZE, Zone
from landloom.sampling.candidates import CELLS, NOWHERE, Candidates, concatenate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely import Geometry

LATITUDES: Final = (-80.0, 84.0)
"""The latitudes of UTM, degrees."""
_MARGIN: Final = 0.5
"""Degrees beyond the zone to which polygons are kept, so that clipping moves no relevant border."""
_SLACK: Final = 60.0
"""Metres by which a tile's outline is widened before tests; more than its edges bend between two vertices."""
_SIDE: Final = 12
"""Vertices along a side of a tile's outline."""
_BATCH: Final = 256
"""Tiles tested cell by cell at a time: bounds memory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tiles:
    """Tiles of a zone, in id order; both arrays (tile,)."""

    zone: Zone
    east: NDArray[np.int64]
    north: NDArray[np.int64]

    def outlines(self) -> NDArray[np.object_]:
        """(tile,) widened outlines in WGS84, unwrapped around the zone's meridian."""
        step = np.linspace(-_SLACK, TILE_SIZE + _SLACK, _SIDE)
        low, high = np.full(_SIDE, step[0]), np.full(_SIDE, step[-1])
        x = np.concatenate([step, high, step[::-1], low]) + self.east[:, None] * TILE_SIZE
        y = np.concatenate([low, step, high, step[::-1]]) + self.north[:, None] * TILE_SIZE
        longitude, latitude = to_wgs84(self.zone, x, y)
        return np.asarray(shapely.polygons(np.stack([longitude, latitude], axis=-1)))

    def centres(self, tiles: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(tile, cell) longitude and latitude of cell centres, cells row by row from the north-west."""
        inner = (np.arange(CELLS_PER_TILE) + 0.5) * CELL_SIZE
        x = np.tile(inner, CELLS_PER_TILE) + self.east[tiles, None] * TILE_SIZE
        y = np.repeat(TILE_SIZE - inner, CELLS_PER_TILE) + self.north[tiles, None] * TILE_SIZE
        return to_wgs84(self.zone, x, y)


def to_wgs84(zone: Zone, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of points of a zone; longitudes lie within 180° of the zone's meridian."""
    longitude, latitude = transformer(zone.epsg, WGS84).transform(x, y)
    middle = zone.central_meridian
    return (np.asarray(longitude) - middle + 180.0) % 360.0 - 180.0 + middle, np.asarray(latitude)


def candidate_cells(region: Geometry, countries: Sequence[tuple[str, Geometry]] = ()) -> Candidates:
    """Every 600 m cell whose centre lies in a region, with the plain 6° zone and the country of its centre.

    A centre in two countries belongs to the first; one outside all is left out. Zones reach from 80° S to
    84° N, as UTM does.

    Args:
        region: polygon of WGS84 longitude and latitude, split at the antimeridian if it crosses it.
        countries: names with their polygons; without any, the whole region is one nameless country.

    Raises:
        InvalidInputError: an invalid geometry; the message names the country.

    Example:
        >>> import shapely
        >>> cells = candidate_cells(shapely.box(11.99, 52.0, 12.01, 52.01), [("A", shapely.box(0, 0, 12, 90))])
        >>> len(cells), str(next(cells.ids())), cells.countries
        (3, '32N_29E-240N_30_16', ('A',))
    """
    named = list(countries) or [("", region)]
    _check_valid(region, named)
    parts = []
    for number in range(1, 61):
        for north in (True, False):
            part = cells_of_zone(Zone(number, north), region, named)
            if part is not None:
                parts.append(part)
    names = tuple(name for name, _ in named)
    return concatenate(parts, names) if parts else replace(Candidates.of_ids([]), countries=names)


def cells_of_zone(zone: Zone, region: Geometry, countries: Sequence[tuple[str, Geometry]]) -> Candidates | None:
    """The candidate cells of one zone, or None if the region does not reach it.

    See `candidates.candidate_cells` for the rules.

    Example:
        >>> region = shapely.box(14.99, 0, 15.01, 0.005)
        >>> cells = cells_of_zone(Zone.parse("33N"), region, [("", region)])
        >>> [str(cell) for cell in cells.ids()]
        ['33N_20E-000N_40_32', '33N_20E-000N_40_33', '33N_20E-000N_40_34', '33N_20E-000N_40_35']
    """
    west = zone.central_meridian - 3.0
    south, north = (0.0, LATITUDES[1]) if zone.north else (LATITUDES[0], 0.0)
    if not shapely.intersects(region, shapely.box(west, south, west + 6.0, north)):
        return None
    around = shapely.box(west - _MARGIN, south - _MARGIN, west + 6.0 + _MARGIN, north + _MARGIN)
    clipped = shapely.intersection(region, around)
    shapes = [shapely.intersection(shape, around) for _, shape in countries]
    tiles = _tiles(zone, clipped, (west, south, west + 6.0, north))
    held = _held(tiles, clipped, shapes)
    return _gather(tiles, held, tuple(name for name, _ in countries))


def _tiles(zone: Zone, region: Geometry, box: tuple[float, float, float, float]) -> _Tiles:
    w, s, e, n = shapely.intersection(region, shapely.box(*box)).bounds
    longitude, latitude = np.linspace(w, e, 25), np.linspace(s, n, 200)
    grid = np.meshgrid(longitude, latitude)
    x, y = transformer(WGS84, zone.epsg).transform(*grid)
    # One more tile on every side: the extremes may lie between the tested points.
    easts = np.arange(x.min() // TILE_SIZE - 1, x.max() // TILE_SIZE + 2).astype(np.int64)
    norths = np.arange(y.min() // TILE_SIZE - 1, y.max() // TILE_SIZE + 2).astype(np.int64)
    easts, norths = easts[easts >= 0], norths[norths >= 0]
    return _Tiles(zone=zone, east=np.repeat(easts, len(norths)), north=np.tile(norths, len(easts)))


def _held(tiles: _Tiles, region: Geometry, shapes: Sequence[Geometry]) -> NDArray[np.int16]:
    """(tile, cell) country index, NOWHERE for cells that are not candidates."""
    outlines = tiles.outlines()
    tree = shapely.STRtree(outlines)
    touched = _mask(tree, region, "intersects")
    inside = _mask(tree, region, "contains") & _within_zone(tiles.zone, outlines)
    held = np.full((len(outlines), CELLS), NOWHERE, dtype=np.int16)
    reaches = np.zeros((len(shapes), len(outlines)), dtype=np.bool_)
    whole = np.zeros(len(outlines), dtype=np.bool_)
    for index, shape in enumerate(shapes):
        reaches[index] = _mask(tree, shape, "intersects") & touched
        # An earlier country may contain a part of it, and takes precedence.
        taken = _mask(tree, shape, "contains") & inside & ~reaches[:index].any(axis=0)
        held[taken] = index
        whole |= taken
    mixed = np.flatnonzero(reaches.any(axis=0) & ~whole)
    shapely.prepare(region)
    shapely.prepare(np.array(shapes, dtype=object))
    for start in range(0, len(mixed), _BATCH):
        batch = mixed[start : start + _BATCH]
        held[batch] = _held_by_cell(tiles, batch, region, shapes, reaches[:, batch])
    return held


def _mask(tree: shapely.STRtree, shape: Geometry, predicate: Literal["intersects", "contains"]) -> NDArray[np.bool_]:
    found = np.zeros(len(tree.geometries), dtype=np.bool_)
    found[tree.query(shape, predicate=predicate)] = True
    return found


def _within_zone(zone: Zone, outlines: NDArray[np.object_]) -> NDArray[np.bool_]:
    bounds = shapely.bounds(outlines)
    middle = zone.central_meridian
    inside = (bounds[:, 0] > middle - 3.0) & (bounds[:, 2] < middle + 3.0)
    low, high = (0.0, LATITUDES[1]) if zone.north else (LATITUDES[0], 0.0)
    result: NDArray[np.bool_] = inside & (bounds[:, 1] > low) & (bounds[:, 3] < high)
    return result


def _held_by_cell(
    tiles: _Tiles, batch: NDArray[np.int64], region: Geometry, shapes: Sequence[Geometry], reaches: NDArray[np.bool_]
) -> NDArray[np.int16]:
    longitude, latitude = tiles.centres(batch)
    zone, middle = tiles.zone, tiles.zone.central_meridian
    hemisphere = (latitude >= 0) == zone.north
    defined = (latitude >= LATITUDES[0]) & (latitude <= LATITUDES[1])
    open_ = hemisphere & defined & (longitude >= middle - 3.0) & (longitude < middle + 3.0)
    open_[open_] = shapely.intersects_xy(region, longitude[open_], latitude[open_])
    held = np.full(longitude.shape, NOWHERE, dtype=np.int16)
    for index, shape in enumerate(shapes):
        asked = open_ & reaches[index][:, None]
        if asked.any():
            hit = asked.copy()
            hit[asked] = shapely.intersects_xy(shape, longitude[asked], latitude[asked])
            held[hit] = index
            open_ &= ~hit
    return held


def _gather(tiles: _Tiles, held: NDArray[np.int16], names: tuple[str, ...]) -> Candidates:
    tile, cell = np.nonzero(held != NOWHERE)
    count = len(tile)
    return Candidates(
        countries=names,
        zone=np.full(count, tiles.zone.number, dtype=np.int8),
        north=np.full(count, tiles.zone.north),
        tile_east=tiles.east.astype(np.int8)[tile],
        tile_north=tiles.north.astype(np.int16)[tile],
        row=(cell // CELLS_PER_TILE + 1).astype(np.int8),
        column=(cell % CELLS_PER_TILE + 1).astype(np.int8),
        country=held[tile, cell],
    )


def _check_valid(region: Geometry, countries: Sequence[tuple[str, Geometry]]) -> None:
    for what, shape in [("the region", region), *((f"country {name!r}", shape) for name, shape in countries)]:
        if not shapely.is_valid(shape):
            raise InvalidInputError(f"{what} is not a valid polygon: {shapely.is_valid_reason(shape)}")
    names = [name for name, _ in countries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInputError(f"got countries more than once: {', '.join(twice)}; expected one geometry for each")
