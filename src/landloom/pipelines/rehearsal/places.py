"""Where a rehearsal has its samples: whole tiles of the recipe's region, as full as the recipe fills them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.engine.recipe_region import region_of
from landloom.errors import InvalidInputError
from landloom.model.grid import WGS84, transformer
from landloom.model.ids import CELL_SIZE, CELLS_PER_TILE, TILE_SIZE, SampleId, TileId, Zone
from landloom.model.shapes import reproject
from landloom.pipelines.registry import REGISTRY
from landloom.store.vector.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.random import Generator
    from shapely.geometry.base import BaseGeometry

    from landloom.engine.project import Project

EQUAL_AREA: Final = 6933
"""EPSG code of an equal-area CRS."""
_FULL: Final = CELLS_PER_TILE**2
_TRIES: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much there is of something: of a recipe, or of the part that is rehearsed."""

    samples: int
    tiles: int
    steps: Mapping[str, float]
    """Name of the units of a product → its timesteps; of an acquired one, its days."""

    @property
    def filling(self) -> int:
        """Samples of a tile."""
        return min(ceil(self.samples / self.tiles), _FULL)


def steps_of(project: Project) -> dict[str, float]:
    """Name of the units of a product → its timesteps; 1 for labels, days for an acquired time axis."""
    found = {}
    for request in REGISTRY.requests(project):
        items = request.kind.describe(request)
        if any(item.acquired for item in items):
            found[request.unit] = float((request.period.end - request.period.start).days)
        elif items:
            found[request.unit] = float(max(len(item.timesteps) for item in items) or 1)
    return found


def extent_of(project: Project) -> Extent:
    """The extent of a recipe, by its numbers; where it states none, by the area of its region.

    Raises:
        InvalidInputError: its samples are no 600 m cells, or the region cannot be read.
    """
    recipe = project.recipe
    if recipe.scheme != "utm24":
        raise InvalidInputError(
            f"got a recipe with samples of scheme {recipe.scheme}, expected utm24: only 600 m cells can be rehearsed"
        )
    listed = _listed(project)
    stated = REGISTRY.sampler(recipe.samples).stated(project, recipe.samples)
    if listed:
        samples, tiles = len(listed), len({cell.tile for cell in listed})
    else:
        area = reproject(region_of(project), WGS84, EQUAL_AREA).area
        samples = stated.count or max(round(area / CELL_SIZE**2), 1)
        tiles = stated.tiles or max(min(round(area / TILE_SIZE**2), samples), ceil(samples / _FULL))
    return Extent(samples=samples, tiles=tiles, steps=steps_of(project))


def places(project: Project, extent: Extent, samples: int) -> tuple[SampleId, ...]:
    """Samples in id order: as many tiles as they fill, anywhere in the region, by the recipe's seed.

    Raises:
        InvalidInputError: the region cannot be read.
    """
    wanted = min(samples, extent.samples)
    rng = np.random.default_rng(project.recipe.seed)
    listed = _listed(project)
    if listed:
        return _of_list(listed, wanted, rng)
    tiles = _tiles(region_of(project), min(ceil(wanted / extent.filling), extent.tiles), rng)
    found: list[SampleId] = []
    for tile in tiles:
        cells = tile.samples()
        count = min(extent.filling, wanted - len(found))
        found += [cells[index] for index in rng.choice(len(cells), count, replace=False)]
    return tuple(sorted(found))


def _of_list(listed: Sequence[SampleId], wanted: int, rng: Generator) -> tuple[SampleId, ...]:
    tiles = sorted({cell.tile for cell in listed})
    found: list[SampleId] = []
    for index in rng.permutation(len(tiles)):
        found += [cell for cell in listed if cell.tile == tiles[index]]
        if len(found) >= wanted:
            break
    return tuple(sorted(found[:wanted]))


def _listed(project: Project) -> list[SampleId]:
    """The cells that a recipe lists."""
    section: Any = project.recipe.samples
    ids = list(getattr(section, "ids", ()))
    file = getattr(section, "file", None)
    if file is not None:
        rows = (row.strip() for row in read_text(project.path(file), file).splitlines())
        ids = [row for row in rows if row and not row.startswith("#")]
    return sorted({SampleId.parse(text) for text in ids})


def _tiles(region: BaseGeometry, count: int, rng: Generator) -> list[TileId]:
    """Different tiles with their centres in a region; of a region smaller than a tile, the one of its middle."""
    found: dict[TileId, None] = {}
    for longitude, latitude in _points(region, rng):
        tile = _tile_at(longitude, latitude)
        if _is_whole(tile) and region.contains(_centre(tile)):
            found[tile] = None
            if len(found) == count:
                break
    if not found:
        middle = region.representative_point()
        found[_tile_at(middle.x, middle.y)] = None
    return list(found)


def _points(region: BaseGeometry, rng: Generator) -> Iterator[tuple[float, float]]:
    """Points of its bounds, equally dense everywhere on the ground."""
    west, south, east, north = region.bounds
    low, high = np.sin(np.radians([max(south, -79.0), min(north, 83.0)]))
    for _ in range(_TRIES):
        for longitude, lot in zip(rng.uniform(west, east, 64), rng.uniform(low, high, 64), strict=True):
            yield float(longitude), float(np.degrees(np.arcsin(lot)))


def _tile_at(longitude: float, latitude: float) -> TileId:
    zone = Zone.of(longitude, latitude)
    x, y = transformer(WGS84, zone.epsg).transform(longitude, latitude)
    return TileId(zone, int(x // TILE_SIZE), int(y // TILE_SIZE))


def _centre(tile: TileId) -> shapely.Point:
    west, south, east, north = tile.grid(CELL_SIZE).bounds
    return shapely.Point(transformer(tile.zone.epsg, WGS84).transform((west + east) / 2, (south + north) / 2))


def _is_whole(tile: TileId) -> bool:
    """Whether all of a tile lies in its zone, so that every cell is one of it."""
    west, south, east, north = tile.grid(CELL_SIZE).bounds
    corners = [(west, south), (west, north), (east, south), (east, north)]
    back = transformer(tile.zone.epsg, WGS84)
    return all(Zone.of(*back.transform(*corner)) == tile.zone for corner in corners)
