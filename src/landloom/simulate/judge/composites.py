"""The frozen judge, `judge-v1`: cases with known truth that development is not tuned on.

A month is judged in July (`JUDGE_MONTH`), when fields are cut. The preset and everything that follows from it are
under test by digest; later work may add cases but may not alter these. A figure is the median over
`JUDGE_SEEDS`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.model.grid import Grid
from landloom.model.product import RAPIDAI4EO_BANDS
from landloom.model.sensor import CLEAR, NODATA
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import BANDS, WorldSpec, world_spec
from landloom.simulate.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.simulate.world import SceneSpec

JUDGE_SEEDS: Final = (10_007, 20_011, 30_011, 40_009, 50_021)
"""Seeds of the cases; development uses other seeds."""
JUDGE_MONTH: Final = 7
"""The month that composites are judged in."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompositeCase:
    """A month of scenes over one place, and the reference values for a composite of it."""

    grid: Grid
    """The place at 10 m."""
    bands: tuple[str, ...]
    """Bands of every array, in the published order."""
    scenes: tuple[SceneSpec, ...]
    """The acquisitions, in time order."""
    pixels: NDArray[np.uint16]
    """(time, band, y, x) observations, with clouds; 10,000 × reflectance."""
    scl: NDArray[np.uint8]
    """(time, y, x) the scene classification; 3 % of cloud pixels are classified as land."""
    cloudfree: NDArray[np.uint16]
    """(time, band, y, x) the same observations, with noise and displacement, but without clouds."""
    truth: NDArray[np.uint16]
    """(time, band, y, x) truth on the day of each scene: without noise, displacement or clouds."""
    noise: NDArray[np.float32]
    """(band) standard deviation of an observation's noise: the σ for a bias."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(time, y, x) clear according to the scene classification."""
        return np.isin(self.scl, list(CLEAR))

    def exact(self, valid: NDArray[np.bool_] | None = None) -> NDArray[np.uint16]:
        """The median of the cloud-free observations at the valid times, by sorting; nodata where there are none.

        Args:
            valid: (time, y, x) the observations that a composite used; by default those that are clear in the
                classification.

        Returns:
            (band, y, x); an even count gives the floor of the mean of the two middle values.
        """
        return sorted_median(self.cloudfree, self.valid if valid is None else valid)

    def perfect(self, valid: NDArray[np.bool_] | None = None) -> NDArray[np.uint16]:
        """The median of the truth at the valid times: the perfect composite of these observations."""
        return sorted_median(self.truth, self.valid if valid is None else valid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """Errors of a composite against the truth, over the pixels where it has data."""

    absolute: float
    """Mean absolute error in units of a band's noise, averaged over bands."""
    square: float
    """Root mean square error, in the same way."""
    bias: float
    """Signed mean error of the worst band in units of its noise."""


def judge_spec(seed: int) -> WorldSpec:
    """The judge's world of a seed."""
    return replace(world_spec("judge-v1"), seed=seed)


def judge_grid() -> Grid:
    """The grid of the judge's place at 10 m."""
    place = world_spec("judge-v1").places[0]
    return Grid.of_bounds(place.epsg, place.bounds, 10)


def judge_scenes(seed: int, months: tuple[int, ...] = tuple(range(1, 13))) -> tuple[SceneSpec, ...]:
    """The judge's acquisitions in some months, every five days; none has special properties."""
    return ordinary_scenes(judge_spec(seed), months)


def ordinary_scenes(spec: WorldSpec, months: tuple[int, ...] = tuple(range(1, 13))) -> tuple[SceneSpec, ...]:
    """The acquisitions of a world in some months of its year, without special properties."""
    ordinary = [replace(s, flags=(), swath=None, brightness=1.0, sequence=0, offset=0) for s in plan_scenes(spec)]
    unique = {scene.time.date(): scene for scene in reversed(ordinary)}
    cover = {scene.time.date(): scene.cover for scene in ordinary if scene.cover < 1.0}
    return tuple(replace(unique[day], cover=cover.get(day, 0.96)) for day in sorted(unique) if day.month in months)


def judge_composite(seed: int, month: int = JUDGE_MONTH, bands: tuple[str, ...] = RAPIDAI4EO_BANDS) -> CompositeCase:
    """A month of the judge's world.

    Args:
        seed: one of `JUDGE_SEEDS` for figures, any other during development.
        month: 1 to 12.
        bands: ESA's band names.

    Example:
        >>> case = judge_composite(3, bands=("B04",))
        >>> case.pixels.shape, case.valid.shape, case.truth.shape
        ((6, 1, 240, 240), (6, 240, 240), (6, 1, 240, 240))
    """
    world, grid = World(judge_spec(seed)), judge_grid()
    scenes = judge_scenes(seed, (month,))
    seen = [world.observe(scene, grid, bands) for scene in scenes]
    clear = [world.observe(scene, grid, bands, clouds=False).pixels for scene in scenes]
    truth = [world.truth_reflectance(grid, scene.time, bands) for scene in scenes]
    return CompositeCase(
        grid=grid,
        bands=bands,
        scenes=scenes,
        pixels=np.stack([observation.pixels for observation in seen]),
        scl=np.stack([observation.scl for observation in seen]),
        cloudfree=np.stack(clear),
        truth=np.stack(truth),
        noise=np.array([world.spec.noise[BANDS.index(band)] for band in bands], dtype=np.float32),
    )


def sorted_median(pixels: NDArray[np.uint16], valid: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Median over time of the valid observations, by sorting: slow and simple, for comparison.

    Args:
        pixels: (time, band, y, x).
        valid: (time, y, x).

    Returns:
        (band, y, x); 0 where nothing is valid.
    """
    count = valid.sum(axis=0)
    ordered = np.sort(np.where(valid[:, None], pixels, np.uint16(65_535)), axis=0)
    low = np.maximum((count - 1) // 2, 0)[None, None]
    high = np.maximum(count // 2, 0)[None, None]
    shape = (1, *pixels.shape[1:])
    high = np.minimum(high, pixels.shape[0] - 1)
    first = np.take_along_axis(ordered, np.broadcast_to(low, shape), axis=0)[0].astype(np.uint32)
    second = np.take_along_axis(ordered, np.broadcast_to(high, shape), axis=0)[0].astype(np.uint32)
    return np.where(count > 0, (first + second) // 2, NODATA).astype(np.uint16)


def composite_error(
    case: CompositeCase, composite: NDArray[np.uint16], truth: NDArray[np.uint16] | NDArray[np.float32]
) -> Error:
    """Measure the errors of a composite.

    Args:
        case: the input of the composite.
        composite: (band, y, x); 0 is nodata.
        truth: (band, y, x) perfect composite: `case.perfect(valid)`.
    """
    held = composite != NODATA
    difference = (
        np.where(held, composite.astype(np.float64) - truth.astype(np.float64), 0.0) / case.noise[:, None, None]
    )
    count = held.sum(axis=(1, 2))
    absolute = np.abs(difference).sum(axis=(1, 2)) / count
    square = np.sqrt((difference**2).sum(axis=(1, 2)) / count)
    bias = difference.sum(axis=(1, 2)) / count
    return Error(
        absolute=float(absolute.mean()), square=float(square.mean()), bias=float(bias[np.argmax(np.abs(bias))])
    )
