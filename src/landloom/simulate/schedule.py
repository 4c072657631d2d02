"""The scenes of an archive: a pure function of the spec."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import cos, tau
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.model.grid import Grid
from landloom.model.ids import GranuleId
from landloom.model.shapes import reproject
from landloom.simulate.noise import uniform
from landloom.simulate.world import SceneSpec

if TYPE_CHECKING:
    from landloom.model.grid import Bounds
    from landloom.simulate.spec import View, WorldSpec

GRANULE_SIZE: Final = 109_800.0
"""Side of a granule in metres."""
_PROCESSING: Final = (("02.07", 0, False), ("05.00", 1_000, False), ("05.00", 0, True), ("04.00", 1_000, False))


def plan_scenes(spec: WorldSpec) -> tuple[SceneSpec, ...]:
    """Every scene of a spec's archive, by time and id.

    The first view has the special scenes: its second is completely cloudy, its third consists of two parts on one day,
    its fourth has no `eo:cloud_cover`, its sixth a truncated file, and its eighth was processed twice.

    Example:
        >>> from landloom.simulate.spec import world_spec
        >>> scenes = plan_scenes(world_spec("tiny"))
        >>> sorted({flag for scene in scenes for flag in scene.flags})
        ['no-cloud-cover', 'overcast', 'reprocessed', 'same-day', 'superseded', 'truncated']
    """
    scenes = []
    for position, view in enumerate(spec.views):
        grid = window_of(spec, view)
        for number, day in enumerate(range(view.first, view.last + 1, view.step)):
            scene = _scene(spec, view, grid, day, number)
            scenes += _specials(scene, number) if position == 0 else [scene]
    return tuple(sorted(scenes, key=lambda scene: (scene.time, scene.id)))


def window_of(spec: WorldSpec, view: View) -> Grid:
    """The 10 m grid of a view: the place in the CRS of the granule, snapped to 60 m."""
    place = spec.place(view.place)
    epsg = _epsg(view.granule)
    bounds: Bounds = place.bounds
    if epsg != place.epsg:
        outline = Grid.of_bounds(place.epsg, place.bounds, 60).outline().segmentize(600.0)
        west, south, east, north = reproject(outline, place.epsg, epsg).bounds
        bounds = (west // 60 * 60, south // 60 * 60, -(-east // 60) * 60, -(-north // 60) * 60)
    west, north = view.corner
    inside = (
        max(bounds[0], west),
        max(bounds[1], north - GRANULE_SIZE),
        min(bounds[2], west + GRANULE_SIZE),
        min(bounds[3], north),
    )
    return Grid.of_bounds(epsg, inside, 10)


def _epsg(granule: str) -> int:
    return GranuleId.parse(granule).zone.epsg


def _scene(spec: WorldSpec, view: View, grid: Grid, day: int, number: int) -> SceneSpec:
    platform = "sentinel-2a" if (day + view.orbit) // 5 % 2 == 0 else "sentinel-2b"
    # Granules of one overpass are some seconds apart; the overpass itself depends on the orbit.
    late = timedelta(minutes=10 + view.orbit % 20, seconds=ord(view.granule[3]) % 30)
    time = datetime(spec.year, 1, 1, 10, tzinfo=UTC) + timedelta(days=day - 1) + late
    baseline, offset, applied = _PROCESSING[number % len(_PROCESSING)]
    partial = view.partial and number % view.partial == view.partial - 1
    return SceneSpec(
        id=scene_id(platform, view.granule, time, 0),
        time=time,
        granule=view.granule,
        grid=grid,
        platform=platform,
        orbit=view.orbit,
        cover=cloud_cover(spec, view.orbit, day),
        swath=_swath(grid, view.swath) if partial else None,
        baseline=baseline,
        offset=offset,
        applied=applied,
    )


def scene_id(platform: str, granule: str, time: datetime, sequence: int) -> str:
    """An item's id in the form of Earth Search.

    Example:
        >>> scene_id("sentinel-2a", "32UPA", datetime(2018, 1, 3, tzinfo=UTC), 0)
        'S2A_32UPA_20180103_0_L2A'
    """
    return f"S2{platform[-1].upper()}_{granule}_{time:%Y%m%d}_{sequence}_L2A"


def cloud_cover(spec: WorldSpec, orbit: int, day: int) -> float:
    """Cloud cover of an orbit's overpass on a day of the world's year, 0 to 1."""
    lot = float(uniform(np.array([day]), np.array([orbit]), spec.seed * 1_000 + spec.year)[0])
    mean = spec.cloudiness + 0.12 * cos(tau * (day - 15) / 365.0)
    return float(np.clip(mean + 1.7 * (lot - 0.5), 0.0, 0.96))


def _swath(grid: Grid, share: float) -> Bounds:
    """The edge of a swath, inclined like the orbit; it leaves the western share of a window, or the eastern one."""
    width = grid.east - grid.west
    lean = 0.10 * (grid.north - grid.south)
    if share > 0:
        x = grid.west + share * width
        return x - lean, grid.south, x + lean, grid.north
    x = grid.east + share * width
    return x + lean, grid.north, x - lean, grid.south


def _specials(scene: SceneSpec, number: int) -> list[SceneSpec]:
    if number == 1:
        return [replace(scene, cover=1.0, flags=("overcast",))]
    if number == 2:
        later = scene.time + timedelta(seconds=14)
        clear = min(scene.cover, 0.3)
        first = replace(scene, swath=_swath(scene.grid, 0.65), cover=clear, flags=("same-day",))
        second = replace(
            first,
            id=scene_id(scene.platform, scene.granule, later, 1),
            time=later,
            sequence=1,
            swath=_swath(scene.grid, -0.55),
        )
        return [first, second]
    if number == 3:
        return [replace(scene, flags=("no-cloud-cover",))]
    if number == 5:
        return [replace(scene, flags=("truncated",))]
    if number == 7:
        old = replace(scene, baseline="02.07", offset=0, applied=False, brightness=1.05, flags=("superseded",))
        new = replace(
            scene,
            id=scene_id(scene.platform, scene.granule, scene.time, 1),
            sequence=1,
            baseline="05.00",
            offset=1_000,
            applied=False,
            flags=("reprocessed",),
        )
        return [old, new]
    return [scene]
