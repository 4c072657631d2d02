"""The judge's year with dated changes: harvests of fields and clearings of forest, between two ordinary years.

Land, noise and displacement are those of `judge-v1`, which stays as it is; a third of its forest is cleared in its
year. Methods that compare years get the year before and the year after, with other crops on the same fields; what they
find is judged in the year between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.model.sensor import CLEAR
from landloom.simulate.judge.composites import judge_grid, judge_spec, ordinary_scenes
from landloom.simulate.landscape import parcels_of
from landloom.simulate.spectra import clearing_time, harvest_day
from landloom.simulate.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.grid import Grid
    from landloom.simulate.landscape import WorldParcels
    from landloom.simulate.spec import WorldSpec

CHANGE_BANDS: Final = ("B02", "B03", "B04", "B08")
"""Blue, green, red and near infrared."""
CLEARINGS: Final = 0.35
"""Share of the parcels of forest that are cleared."""
PLOUGHED: Final = 18.0
"""Days from a harvest to the ploughing of its stubble, which is abrupt as well."""
GROWN: Final = 6
"""Pixels of 10 m by which unusable areas grow: a gap costs less than a missed cloud."""
_ARABLE: Final = 211


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangeCase:
    """Three years over one place, and what changed abruptly in the year between."""

    grid: Grid
    """The place at 10 m."""
    days: NDArray[np.float64]
    """(time) days from the first of January of the judged year; negative in the year before."""
    pixels: NDArray[np.uint16]
    """(time, band, y, x) observations with clouds; 10,000 × reflectance."""
    clear: NDArray[np.bool_]
    """(time, y, x) clear according to the scene classification, which misses 3 % of clouds."""
    event: NDArray[np.float64]
    """(y, x) day on which a field is cut or forest is cleared; not a number on stable land."""
    forest: NDArray[np.bool_]
    """(y, x) True = the change is a clearing of forest."""
    before: NDArray[np.uint16]
    """(band, y, x) truth on the day before the change; 0 on stable land."""
    after: NDArray[np.uint16]
    """(band, y, x) truth on the day after it; 0 on stable land."""


def change_spec(seed: int) -> WorldSpec:
    """The judge's world of a seed, with clearings."""
    return replace(judge_spec(seed), clearings=CLEARINGS)


def judge_change(seed: int, grid: Grid | None = None) -> ChangeCase:
    """The judge's three years of a seed.

    Args:
        seed: one of `JUDGE_SEEDS` for figures, any other during development.
        grid: a window of the judge's place; all of it by default.
    """
    spec, grid = change_spec(seed), grid or judge_grid()
    world, start = World(spec), date(spec.year, 1, 1)
    scenes = [scene for year in (-1, 0, 1) for scene in ordinary_scenes(replace(spec, year=spec.year + year))]
    seen = [world.observe(scene, grid, CHANGE_BANDS) for scene in scenes]
    parcels, number = parcels_of(spec, grid)
    event = _events(spec, parcels)[number]
    before, after = _truth(world, grid, event)
    return ChangeCase(
        grid=grid,
        days=np.array([float((scene.time.date() - start).days) for scene in scenes]),
        pixels=np.stack([one.pixels for one in seen]),
        clear=np.isin(np.stack([one.scl for one in seen]), list(CLEAR)),
        event=event,
        forest=np.isfinite(clearing_time(spec, parcels))[number],
        before=before,
        after=after,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangingYear:
    """A year over one place, and what changed abruptly in it."""

    days: NDArray[np.float64]
    """(time) days from the first of January."""
    pixels: NDArray[np.uint16]
    """(time, band, y, x) observations with clouds; 10,000 × reflectance."""
    clear: NDArray[np.bool_]
    """(time, y, x) usable: clear according to the scene classification, and `GROWN` pixels away from what is not."""
    event: NDArray[np.float64]
    """(y, x) day of the change; not a number on stable land."""


def changing_year(seed: int, grid: Grid, bands: tuple[str, ...] = CHANGE_BANDS) -> ChangingYear:
    """The judged year of a seed alone, in any bands.

    Args:
        seed: of the world.
        grid: its pixels.
        bands: of the simulated sensor.

    Example:
        >>> year = changing_year(3, judge_grid().window(0, 0, 12, 12))
        >>> year.pixels.shape, year.event.shape
        ((73, 4, 12, 12), (12, 12))
    """
    spec = change_spec(seed)
    world, start = World(spec), date(spec.year, 1, 1)
    scenes = ordinary_scenes(spec)
    seen = [world.observe(scene, grid, bands) for scene in scenes]
    parcels, number = parcels_of(spec, grid)
    return ChangingYear(
        days=np.array([float((scene.time.date() - start).days) for scene in scenes]),
        pixels=np.stack([one.pixels for one in seen]),
        clear=usable(np.isin(np.stack([one.scl for one in seen]), list(CLEAR))),
        event=_events(spec, parcels)[number],
    )


def usable(clear: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(time, y, x) what is clear, without `GROWN` pixels around what is not."""
    from scipy.ndimage import minimum_filter

    side = 2 * GROWN + 1
    grown: NDArray[np.bool_] = minimum_filter(clear.astype(np.uint8), size=(1, side, side), mode="nearest") > 0
    return grown


def _events(spec: WorldSpec, parcels: WorldParcels) -> NDArray[np.float64]:
    """(parcel) day of the harvest or the clearing; not a number on stable land."""
    harvest = np.where(parcels.code == _ARABLE, harvest_day(spec, parcels, spec.year) - 1.0, np.nan)
    clearing = clearing_time(spec, parcels)
    return np.where(np.isfinite(harvest), harvest, np.where(np.isfinite(clearing), clearing, np.nan))


def _truth(world: World, grid: Grid, event: NDArray[np.float64]) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """(band, y, x) truth on the day before each change and on the day after it; 0 where nothing changes."""
    before, after = (np.zeros((len(CHANGE_BANDS), *grid.shape), np.uint16) for _ in range(2))
    first = date(world.spec.year, 1, 1)
    for day in np.unique(np.floor(event[np.isfinite(event)])):
        there = np.floor(event) == day
        for made, shift in ((before, -1), (after, 1)):
            seen = world.truth_reflectance(grid, first + timedelta(days=int(day) + shift), CHANGE_BANDS)
            made[:, there] = seen[:, there]
    return before, after
