"""The judge's year with two sensors: 10 m every five days and 30 m every eight, under many clouds.

Land, noise and displacement are those of `judge-v1`, which stays as it is; only the weather is cloudier. The second
sensor sees the same land in its own bandpasses, on other days and under other clouds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import cos, tau
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.model.sensor import CLEAR
from landloom.simulate.judge.composites import judge_grid, judge_scenes, judge_spec
from landloom.simulate.landscape import parcels_of
from landloom.simulate.noise import uniform
from landloom.simulate.second import ORBIT, STEP, second_view
from landloom.simulate.spectra import harvest_day
from landloom.simulate.world import SceneSpec, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.grid import Grid

FUSION_BANDS: Final = ("B02", "B03", "B04", "B08")
"""Blue, green, red and near infrared."""
_ARABLE: Final = 211
_WITHHELD: Final = 0.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensorYear:
    """A year of one sensor over the judge's place."""

    days: NDArray[np.float64]
    """(time) day of the year, from 0."""
    pixels: NDArray[np.uint16]
    """(time, band, y, x) observations with clouds; 10,000 × reflectance in the sensor's own bandpasses."""
    clear: NDArray[np.bool_]
    """(time, y, x) clear according to the scene classification."""
    cloudy: NDArray[np.bool_]
    """(time, y, x) truth: cloud or shadow."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FusionCase:
    """A year of two sensors over one place, with the truth."""

    grid: Grid
    """The place at 10 m."""
    first: SensorYear
    """At 10 m, every five days."""
    second: SensorYear
    """At 30 m, every eight days."""
    withheld: NDArray[np.bool_]
    """(time) scenes of the first sensor to withhold, chosen at random."""
    truth: NDArray[np.uint16]
    """(time, band, y, x) truth on the days of the first sensor: without noise, displacement or clouds."""
    harvest: NDArray[np.float64]
    """(y, x) day of the year, from 0, of an abrupt change: the field is cut; not a number where there is none."""


def judge_fusion(seed: int) -> FusionCase:
    """The judge's year of a seed.

    Args:
        seed: one of `JUDGE_SEEDS` for figures, any other during development.
    """
    world, grid = World(judge_spec(seed)), judge_grid()
    scenes = tuple(replace(scene, cover=_cover(seed, scene.time, 1)) for scene in judge_scenes(seed))
    lots = uniform(np.arange(len(scenes)), np.full(len(scenes), 5), seed * 1_000 + 701)
    withheld = np.zeros(len(scenes), dtype=np.bool_)
    withheld[np.argsort(lots)[: round(_WITHHELD * len(scenes))]] = True
    return FusionCase(
        grid=grid,
        first=_first(world, grid, scenes),
        second=_second(world, grid, seed),
        withheld=withheld,
        truth=np.stack([world.truth_reflectance(grid, scene.time, FUSION_BANDS) for scene in scenes]),
        harvest=_harvest(world, grid),
    )


def _harvest(world: World, grid: Grid) -> NDArray[np.float64]:
    parcels, number = parcels_of(world.spec, grid)
    day = np.where(parcels.code == _ARABLE, harvest_day(world.spec, parcels, world.spec.year) - 1.0, np.nan)
    found: NDArray[np.float64] = day[number]
    return found


def _first(world: World, grid: Grid, scenes: tuple[SceneSpec, ...]) -> SensorYear:
    seen = [world.observe(scene, grid, FUSION_BANDS) for scene in scenes]
    return SensorYear(
        days=np.array([scene.time.timetuple().tm_yday - 1.0 for scene in scenes]),
        pixels=np.stack([one.pixels for one in seen]),
        clear=np.isin(np.stack([one.scl for one in seen]), list(CLEAR)),
        cloudy=np.stack([one.cloudy for one in seen]),
    )


def _second(world: World, grid: Grid, seed: int) -> SensorYear:
    days = np.arange(4.0, 365.0, STEP)
    pixels, clear, cloudy = [], [], []
    for day in days:
        time = datetime(world.spec.year, 1, 1, 10, 5, tzinfo=UTC) + timedelta(days=float(day))
        scene = SceneSpec(
            id=f"second-{time:%Y%m%d}",
            time=time,
            granule="33UUR",
            grid=grid,
            orbit=ORBIT,
            cover=_cover(seed, time, 2),
        )
        view = second_view(world, scene, grid)
        pixels.append(view.pixels)
        clear.append(view.clear)
        cloudy.append(view.cloudy)
    return SensorYear(days=days, pixels=np.stack(pixels), clear=np.stack(clear), cloudy=np.stack(cloudy))


def _cover(seed: int, time: datetime, sensor: int) -> float:
    """Cloud cover of an overpass: three fifths on average, more in winter."""
    day = time.timetuple().tm_yday
    lot = float(uniform(np.array([day]), np.array([sensor]), seed * 1_000 + 700)[0])
    return float(np.clip(0.55 + 0.12 * cos(tau * (day - 15) / 365.0) + 1.5 * (lot - 0.5), 0.0, 0.97))
