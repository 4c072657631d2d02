"""The simulated world: the truth at a position and time, and its observation by a satellite.

Pure: every result is a function of the spec and of position, for any grid in any UTM zone, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import cos, sin, tau
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.model.sensor import NODATA, SATURATED, SENTINEL2, Scl
from landloom.model.time import NOON_PASS, parse_instant
from landloom.simulate import sky as skies
from landloom.simulate.landscape import STILL_WATER, WATER_COURSE, WorldParcels, parcels_of, river_mask
from landloom.simulate.noise import fractal, normal, uniform
from landloom.simulate.pixels import averaged, displaced, painted
from landloom.simulate.scene_frame import positions
from landloom.simulate.spec import BANDS, SPECS, WorldSpec, world_spec
from landloom.simulate.spectra import parcel_reflectance, texture_strength

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray

    from landloom.model.grid import Bounds, Grid

__all__ = ["SPECS", "SceneSpec", "SceneView", "World", "WorldSpec", "world_spec"]

_FINE: Final = 10
_NEST: Final = 60
_KEYS: Final = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneSpec:
    """One acquisition on one granule, before its pixels are computed."""

    id: str
    """Item id in the form of Earth Search: `S2A_32UPA_20180103_0_L2A`."""
    time: datetime
    """Start of sensing, UTC."""
    granule: str
    """MGRS square."""
    grid: Grid
    """Its window at 10 m."""
    platform: str = "sentinel-2a"
    """`sentinel-2a` or `sentinel-2b`."""
    orbit: int = 122
    """Relative orbit."""
    cover: float = 0.0
    """Target cloud cover, 0 to 1."""
    swath: Bounds | None = None
    """Two points x1, y1, x2, y2 (metres): only the area left of the line from the first to the second was observed."""
    baseline: str = "02.07"
    """Processing baseline."""
    offset: int = 0
    """Offset added to the stored values: 1000 if BOA_ADD_OFFSET has still to be applied."""
    applied: bool = False
    """Whether the item states that the offset has been applied to the pixels."""
    brightness: float = 1.0
    """A factor on all values; an older processing has a different one than the newer."""
    sequence: int = 0
    """Sequence number among the items of a granule, day and platform."""
    flags: tuple[str, ...] = ()
    """Special properties: `overcast`, `truncated`, `superseded`, `reprocessed`, `same-day`, `no-cloud-cover`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneView:
    """Observation of a grid in one scene."""

    pixels: NDArray[np.uint16]
    """(band, y, x) 10,000 × reflectance plus the scene's offset; nodata 0."""
    scl: NDArray[np.uint8]
    """(y, x) the scene classification, on the same grid (20 m pixels repeated on finer ones)."""
    cloudy: NDArray[np.bool_]
    """(y, x) truth: any cloud or shadow within the 20 m pixel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Land:
    parcels: WorldParcels
    number: NDArray[np.int32]
    texture: NDArray[np.float32]
    river: NDArray[np.bool_]


@lru_cache(maxsize=4)
def _land(spec: WorldSpec, grid: Grid) -> _Land:
    x, y = positions(grid)
    parcels, number = parcels_of(spec, grid)
    seed = spec.seed * 1_000
    grain = fractal(x, y, scale=48.0, octaves=1, seed=seed + 2) + fractal(x, y, scale=190.0, octaves=1, seed=seed + 3)
    river = river_mask(spec, x, y) & (parcels.code[number] != STILL_WATER)
    strength = texture_strength(parcels.code)[number]
    strength[river] = 0.03
    texture = (1.0 + (grain.astype(np.float32) - np.float32(1.0)) * np.float32(2.0) * strength).astype(np.float32)
    return _Land(parcels=parcels, number=number, texture=np.maximum(texture, np.float32(0.2)), river=river)


@lru_cache(maxsize=2)
def _sky(spec: WorldSpec, instant: datetime, orbit: int, cover: float, grid: Grid) -> skies.Sky:
    x, y = positions(grid)
    return skies.sky(spec, skies.sky_key(spec, instant, orbit), instant, cover, x, y)


@dataclass(frozen=True, slots=True)
class World:
    """A small world with known truth.

    Example:
        >>> from landloom.model.grid import Grid
        >>> world = World(world_spec("tiny"))
        >>> grid = Grid.of_bounds(32632, (706_800, 5_558_400, 707_400, 5_559_000), 10)
        >>> world.land_cover(grid).shape, world.truth_reflectance(grid, "2018-07-01", ["B04", "B08"]).shape
        ((60, 60), (2, 60, 60))
    """

    spec: WorldSpec
    """The definition of the world."""

    def land_cover(self, grid: Grid) -> NDArray[np.uint16]:
        """CORINE code at every pixel centre.

        Args:
            grid: grid in any UTM zone, at any resolution.

        Returns:
            (y, x) uint16.
        """
        parcels, number = parcels_of(self.spec, grid)
        codes: NDArray[np.uint16] = parcels.code[number]
        codes[river_mask(self.spec, *positions(grid)) & (codes != STILL_WATER)] = WATER_COURSE
        return codes

    def truth_reflectance(
        self, grid: Grid, day: str | date | datetime, bands: Sequence[str] = BANDS
    ) -> NDArray[np.uint16]:
        """Noise-free, cloud-free reflectance at the time of the overpass.

        Args:
            grid: pixels on the 10 m raster of their zone get the values of the band's native pixels: repeated if they
                are finer than the band, averaged if coarser; other pixels get the value at their centre.
            day: a date, or an instant whose date is used.
            bands: ESA's band names.

        Returns:
            (band, y, x) uint16, 10,000 × reflectance; never 0.
        """
        instant = parse_instant(day)
        if not _nests(grid):
            ground = self._ground(grid, instant, bands)
            return _stored(ground)
        fine = _fine(grid)
        ground = self._ground(fine, instant, bands)
        out = np.empty((len(bands), *grid.shape), dtype=np.float32)
        for k, band in enumerate(bands):
            native = int(SENTINEL2[band].resolution)
            out[k] = _onto(grid, fine, averaged(ground[k], native // _FINE), native)
        return _stored(out)

    def observe(self, scene: SceneSpec, grid: Grid, bands: Sequence[str] = BANDS, *, clouds: bool = True) -> SceneView:
        """The observation of a grid in a scene: displaced, noisy, with clouds, and limited to its swath.

        Args:
            scene: the acquisition.
            grid: grid on the 10 m raster of its zone, at 10 m or a multiple; coarser bands are repeated.
            bands: ESA's band names.
            clouds: False gives the same observation without clouds and shadows, displacement and noise unchanged.

        Raises:
            InvalidValueError: a grid that is not on the 10 m raster.
        """
        if not _nests(grid):
            raise InvalidValueError(f"got {grid}, expected a grid on the 10 m raster of its zone")
        fine = _fine(grid)
        layers = self._layers(scene, fine, bands, clouds=clouds)
        unseen = _unseen(scene, grid)
        pixels = np.empty((len(bands), *grid.shape), dtype=np.uint16)
        for k, band in enumerate(bands):
            seen = _onto(grid, fine, layers[band], int(SENTINEL2[band].resolution))
            pixels[k] = np.where(unseen, NODATA, _numbers(scene, seen))
        scl = np.where(unseen, np.uint8(Scl.NO_DATA), _onto(grid, fine, layers["SCL"], 20, nearest=True))
        cloudy = _onto(grid, fine, layers["cloudy"], 20, nearest=True)
        return SceneView(pixels=pixels, scl=scl, cloudy=cloudy)

    def render(self, scene: SceneSpec) -> dict[str, NDArray[np.uint16] | NDArray[np.uint8]]:
        """The files of a scene: every band and SCL at its native resolution over the scene's window.

        Returns:
            Band name → (y, x); `SCL` is uint8.
        """
        fine = _fine(scene.grid)
        layers = self._layers(scene, fine, BANDS, clouds=True)
        files: dict[str, NDArray[np.uint16] | NDArray[np.uint8]] = {}
        for band in BANDS:
            native = int(SENTINEL2[band].resolution)
            grid = scene.grid.at(native)
            seen = _numbers(scene, _onto(grid, fine, layers[band], native))
            files[band] = np.where(_unseen(scene, grid), np.uint16(NODATA), seen)
        grid = scene.grid.at(20)
        scl = _onto(grid, fine, layers["SCL"], 20, nearest=True)
        files["SCL"] = np.where(_unseen(scene, grid), np.uint8(Scl.NO_DATA), scl)
        return files

    def displacement(self, scene: SceneSpec) -> tuple[float, float]:
        """Pixels of 10 m to the east and south by which a scene's image is displaced."""
        key = skies.sky_key(self.spec, scene.time, scene.orbit)
        angle = tau * float(uniform(np.array([0]), np.array([0]), key + 19)[0])
        shift = self.spec.misregistration / _FINE
        return shift * cos(angle), shift * sin(angle)

    def _layers(self, scene: SceneSpec, fine: Grid, bands: Sequence[str], *, clouds: bool) -> dict[str, NDArray[Any]]:
        """Bands at native resolution without offset, `SCL` and `cloudy` at 20 m, all over the bounds of the grid."""
        sky = _sky(self.spec, scene.time, scene.orbit, scene.cover, fine)
        wanted = (*bands, *(band for band in _CLASSIFIED if band not in bands))
        ground = dict(zip(wanted, self._ground(fine, scene.time, wanted), strict=True))
        layers: dict[str, NDArray[Any]] = {
            band: self._seen(scene, band, ground[band], sky if clouds else None, fine) for band in bands
        }
        layers["SCL"] = skies.classify(sky, *(averaged(ground[band], 2) for band in _CLASSIFIED))
        layers["cloudy"] = averaged(((sky.cloud > 0) | (sky.shadow > 0)).astype(np.float32), 2) > 0
        return layers

    def _ground(self, grid: Grid, instant: datetime, bands: Sequence[str]) -> NDArray[np.float32]:
        """Reflectance at pixel centres, (band, y, x) in 1e-4."""
        land = _land(self.spec, grid)
        pass_time = instant.replace(hour=0, minute=0, second=0, microsecond=0) + NOON_PASS
        rows = [BANDS.index(band) for band in bands]
        table = parcel_reflectance(self.spec, land.parcels, pass_time, rows)
        water = parcel_reflectance(self.spec, _WATER, pass_time, rows)[0]
        out = np.empty((len(bands), *grid.shape), dtype=np.float32)
        for k in range(len(bands)):
            out[k] = painted(np.ascontiguousarray(table[:, k]), land.number, land.river, water[k], land.texture)
        return out

    def _seen(
        self, scene: SceneSpec, band: str, ground: NDArray[np.float32], sky: skies.Sky | None, fine: Grid
    ) -> NDArray[np.float32]:
        """One band of a scene at its native resolution, without offset."""
        row, native = BANDS.index(band), int(SENTINEL2[band].resolution)
        key = skies.sky_key(self.spec, scene.time, scene.orbit)
        lots = uniform(np.arange(4), np.full(4, row), key + 17)
        gain = 1.0 + self.spec.gain * 3.4641 * (lots[:3].sum() - 1.5) / 1.7321
        layer = displaced(ground, *self.displacement(scene), np.float32(gain * scene.brightness))
        if sky is not None:
            layer = skies.through(sky, layer, row)
        layer = averaged(layer, native // _FINE)
        origin = round(-fine.north / native), round(fine.west / native)
        seen: NDArray[np.float32] = layer + np.float32(self.spec.noise[row]) * normal(
            *origin, layer.shape, (key * 16 + row) % _KEYS
        )
        return seen


_CLASSIFIED: Final = ("B04", "B8A", "B11")
_WATER: Final = WorldParcels(i=np.array([0]), j=np.array([0]), code=np.array([WATER_COURSE], dtype=np.uint16))


def _nests(grid: Grid) -> bool:
    numbers = (grid.west, grid.north, grid.pixel_width, grid.pixel_height)
    return grid.pixel_width == grid.pixel_height and all(float(v) % _FINE == 0 for v in numbers)


def _fine(grid: Grid) -> Grid:
    """The 10 m grid, on multiples of 60 m, that covers a grid with a margin for displacement."""
    inner = replace(
        grid,
        pixel_width=float(_FINE),
        pixel_height=float(_FINE),
        width=round((grid.east - grid.west) / _FINE),
        height=round((grid.north - grid.south) / _FINE),
    ).snapped(_NEST)
    margin = _NEST // _FINE
    return inner.window(-margin, -margin, inner.height + 2 * margin, inner.width + 2 * margin)


def _onto(grid: Grid, fine: Grid, values: NDArray[Any], native: int, *, nearest: bool = False) -> NDArray[Any]:
    """Resample native pixels of the fine grid to a grid: repeated if it is finer, averaged (or picked) if coarser."""
    top, left = round(fine.north - grid.north), round(grid.west - fine.west)
    size = int(grid.pixel_width)
    if native % size == 0 and top % size == 0 and left % size == 0:
        factor = native // size
        wide = values if factor == 1 else values.repeat(factor, axis=0).repeat(factor, axis=1)
        return wide[top // size : top // size + grid.height, left // size : left // size + grid.width].copy()
    rows = (top + (np.arange(grid.height * size // _FINE)) * _FINE) // native
    columns = (left + (np.arange(grid.width * size // _FINE)) * _FINE) // native
    factor = size // _FINE
    if nearest:
        middle = factor // 2
        return values[np.ix_(rows[middle::factor], columns[middle::factor])]
    return averaged(values[np.ix_(rows, columns)].astype(np.float32), factor)


def _unseen(scene: SceneSpec, grid: Grid) -> NDArray[np.bool_]:
    """Pixels whose centre is outside the scene's swath."""
    if scene.swath is None:
        return np.zeros(grid.shape, dtype=np.bool_)
    x1, y1, x2, y2 = scene.swath
    x = grid.west + (np.arange(grid.width) + 0.5) * grid.pixel_width
    y = grid.north - (np.arange(grid.height) + 0.5) * grid.pixel_height
    outside: NDArray[np.bool_] = ((x2 - x1) * (y[:, None] - y1) - (y2 - y1) * (x[None, :] - x1)) < 0
    return outside


def _numbers(scene: SceneSpec, seen: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.clip(np.rint(seen).astype(np.int32) + scene.offset, 1, SATURATED - 1).astype(np.uint16)


def _stored(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.clip(np.rint(values), 1, SATURATED - 1).astype(np.uint16)
