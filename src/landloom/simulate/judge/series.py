"""The judge's pixel series with few labels: cells of one year that lie kilometres apart, in three groups.

Land, noise, displacement and clouds are those of `judge-v1`, which stays as it is, seen at other places of its world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.model.grid import Grid
from landloom.model.sensor import CLEAR
from landloom.simulate.judge.composites import judge_grid, judge_scenes, judge_spec
from landloom.simulate.landscape import parcels_of
from landloom.simulate.spec import BANDS
from landloom.simulate.spectra import crop_of
from landloom.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.simulate.world import SceneSpec

SERIES_BANDS: Final = ("B02", "B03", "B04", "B08", "B11", "B12")
"""Blue, green, red, near infrared and both of short-wave infrared."""
CELLS: Final = {"unlabelled": 64, "train": 40, "test": 40}
"""Group → its cells."""
PITCH: Final = 3_660.0
"""Metres between the corners of neighbouring cells: at least 3 km of land lie between two cells."""
SIDE: Final = 600.0
"""Side of a cell in metres."""
_STEP: Final = 2
"""Every second acquisition is used: one each ten days."""
_ARABLE: Final = 211


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesGroup:
    """Pixel series of one group of cells."""

    cells: tuple[Grid, ...]
    """The cells at 10 m."""
    pixels: NDArray[np.uint16]
    """(row, time, band) observations with clouds; 10,000 × reflectance."""
    valid: NDArray[np.bool_]
    """(row, time) clear according to the scene classification, which misses 3 % of clouds."""
    classes: NDArray[np.int64]
    """(row) CORINE code; of arable land 10 × 211 + the number of the crop."""
    cell: NDArray[np.int64]
    """(row) number of its cell."""
    place: NDArray[np.int64]
    """(row) pixel of its cell, row by row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesCase:
    """A year of pixel series of a seed."""

    days: NDArray[np.int64]
    """(time) days since 1970-01-01."""
    noise: NDArray[np.float64]
    """(band) standard deviation of an observation's noise, in stored numbers."""
    groups: Mapping[str, SeriesGroup]
    """`unlabelled`, `train`, `test`."""


def judge_series(seed: int, cells: Mapping[str, int] = CELLS, per_cell: int = 64) -> SeriesCase:
    """Pixel series of the judge's world.

    Args:
        seed: one of `JUDGE_SEEDS` for figures, any other during development.
        cells: group → number of cells.
        per_cell: pixels of each cell, drawn at random.

    Example:
        >>> case = judge_series(3, {"train": 1, "test": 1}, per_cell=4)
        >>> case.groups["test"].pixels.shape
        (4, 37, 6)
    """
    world, scenes = World(judge_spec(seed)), judge_scenes(seed)[::_STEP]
    random = np.random.default_rng(seed)
    places = random.permutation(_lattice(sum(cells.values())))
    groups, used = {}, 0
    for name, count in cells.items():
        grids = tuple(_cell(row, column) for row, column in places[used : used + count].tolist())
        used += count
        parts = [_series(world, scenes, grid, random, per_cell) for grid in grids]
        groups[name] = SeriesGroup(
            cells=grids,
            pixels=np.concatenate([part[0] for part in parts]),
            valid=np.concatenate([part[1] for part in parts]),
            classes=np.concatenate([part[2] for part in parts]),
            cell=np.repeat(np.arange(count), per_cell),
            place=np.concatenate([part[3] for part in parts]),
        )
    return SeriesCase(
        days=np.array([scene.time.timestamp() // 86_400 for scene in scenes], np.int64),
        noise=np.array([world.spec.noise[BANDS.index(band)] for band in SERIES_BANDS]),
        groups=groups,
    )


def _lattice(count: int) -> NDArray[np.int64]:
    """(place, 2) rows and columns of the smallest square lattice with that many places."""
    side = int(np.ceil(np.sqrt(count)))
    return np.stack(np.divmod(np.arange(side * side), side), axis=1)


def _cell(row: int, column: int) -> Grid:
    place = judge_grid()
    west, south = place.bounds[0] + column * PITCH, place.bounds[1] + row * PITCH
    return Grid.of_bounds(place.epsg, (west, south, west + SIDE, south + SIDE), 10)


def _series(
    world: World, scenes: Sequence[SceneSpec], grid: Grid, random: np.random.Generator, count: int
) -> tuple[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Observations of some pixels of a cell, whether they are clear, classes, and which pixels they are."""
    chosen = np.sort(random.choice(grid.shape[0] * grid.shape[1], count, replace=False))
    seen = [world.observe(scene, grid, SERIES_BANDS) for scene in scenes]
    pixels = np.stack([one.pixels.reshape(len(SERIES_BANDS), -1)[:, chosen].T for one in seen], axis=1)
    clear = np.stack([np.isin(one.scl.ravel()[chosen], list(CLEAR)) for one in seen], axis=1)
    parcels, number = parcels_of(world.spec, grid)
    code = parcels.code.astype(np.int64)
    classes = np.where(code == _ARABLE, 10 * code + crop_of(world.spec, parcels, world.spec.year), code)
    return pixels, clear, classes[number].ravel()[chosen], chosen.astype(np.int64)
