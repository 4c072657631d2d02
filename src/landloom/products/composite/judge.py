"""Composites on the judge: as made by default, and with wider masks and aligned scenes, month by month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.composite import Observation, composite
from landloom.imagery.registration.shifts import Shift, ShiftMeter
from landloom.imagery.resample import interpolated, repeat, to_grid
from landloom.imagery.valid import data_valid, scl_valid
from landloom.model.product import RAPIDAI4EO_BANDS
from landloom.model.sensor import NODATA, SENTINEL2
from landloom.products.composite.section import CompositeProduct
from landloom.simulate.judge.composites import (
    JUDGE_MONTH,
    JUDGE_SEEDS,
    composite_error,
    judge_composite,
    judge_grid,
    judge_scenes,
    judge_spec,
)
from landloom.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.model.grid import Grid
    from landloom.simulate.judge.composites import CompositeCase
    from landloom.simulate.world import SceneSpec

WIDER: Final = 3
"""Dilation of unusable areas, in pixels of the classification, for aligned composites."""
MONTHS: Final = tuple(range(1, 13))
_BAND: Final = "B08"
_WINDOW: Final = 128


def judged_composite(case: CompositeCase, dilate: int) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Composite a case like a build: classes at 20 m, unusable areas dilated, per-pixel medians.

    Args:
        case: the judge's month.
        dilate: dilation in pixels of the classification.

    Returns:
        (band, y, x) composite, and (time, y, x) the observations used.
    """
    usable = repeat(scl_valid(case.scl[:, ::2, ::2], dilate=dilate).astype(np.uint8), 2).astype(np.bool_)
    valid = usable & data_valid(case.pixels).all(axis=1)
    seen = [Observation(bands=bands, valid=one) for bands, one in zip(case.pixels, valid, strict=True)]
    return composite(seen).bands, valid


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRegistration:
    """One seed's year."""

    seed: int
    residual: tuple[float, ...]
    """Pixels of displacement left of each scene that could be measured; all of it where it was not removed."""
    ratio: Mapping[int, float]
    """Month → error of the aligned composite relative to the default one, where both have data."""
    default: Mapping[int, float]
    """Month → error of the default composite, in units of noise."""
    lost: float
    """Share of pixels that the wider masks leave without any observation, mean over months."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "seed": self.seed,
            "residual": {"median": median(self.residual), "largest": max(self.residual), "scenes": len(self.residual)},
            "ratio": dict(self.ratio),
            "default": dict(self.default),
            "july": self.ratio.get(JUDGE_MONTH),
            "lost": self.lost,
        }


def evaluate_registration(
    seeds: Sequence[int] = JUDGE_SEEDS, months: Sequence[int] = MONTHS, listener: Listener | None = None
) -> list[JudgedRegistration]:
    """Judge some seeds.

    Args:
        seeds: of the judge.
        months: 1 to 12, those whose composites are made.
        listener: is told of each seed.
    """
    judged = []
    for seed in seeds:
        judged.append(judge_registration(seed, months))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return judged


def registration_figures(judged: Sequence[JudgedRegistration]) -> tuple[float, float, float]:
    """Residual displacement, and relative error in the median month and in July; medians over seeds."""
    residual = median(median(one.residual) for one in judged)
    july = median(one.ratio[JUDGE_MONTH] for one in judged)
    return residual, median(median(one.ratio.values()) for one in judged), july


def registration_table(judged: Sequence[JudgedRegistration]) -> list[tuple[object, ...]]:
    """Rows of a table: relative error by month, for each seed."""
    return [(one.seed, *(f"{value:.2f}" for value in one.ratio.values())) for one in judged]


def judge_registration(
    seed: int, months: Sequence[int] = MONTHS, bands: tuple[str, ...] = RAPIDAI4EO_BANDS
) -> JudgedRegistration:
    """Measure the year's scenes, and compare composites with and without.

    Args:
        seed: of the judge.
        months: 1 to 12.
        bands: of the composites.
    """
    world, scenes = World(judge_spec(seed)), judge_scenes(seed)
    shifts = {scene.id: one for scene, one in zip(scenes, measured(world, scenes), strict=True)}
    residual = []
    for scene in scenes:
        shift, true = shifts[scene.id], np.array(world.displacement(scene))
        if shift is not None:
            residual.append(float(np.hypot(*(true - _removed(shift) / 10.0))))
    errors = [_errors(judge_composite(seed, month, bands), shifts) for month in months]
    return JudgedRegistration(
        seed=seed,
        residual=tuple(residual),
        ratio={month: after / before for month, (before, after, _) in zip(months, errors, strict=True)},
        default={month: before for month, (before, _, _) in zip(months, errors, strict=True)},
        lost=float(np.mean([lost for _, _, lost in errors])),
    )


def measured(world: World, scenes: Sequence[SceneSpec]) -> tuple[Shift | None, ...]:
    """Displacements of scenes over the judge's place, in four windows of one band."""
    grid = judge_grid()
    seen = [world.observe(scene, grid, (_BAND,)) for scene in scenes]
    meter = ShiftMeter(days=np.array([scene.time.timestamp() / 86_400 for scene in scenes]))
    stack, valid = np.stack([one.pixels[0] for one in seen]), np.stack([_clear(one.scl, WIDER) for one in seen])
    last = grid.width - _WINDOW
    for row in (0, last):
        for column in (0, last):
            part = np.s_[:, row : row + _WINDOW, column : column + _WINDOW]
            meter.add(np.ascontiguousarray(stack[part]), np.ascontiguousarray(valid[part]))
    return meter.shifts()


def _clear(scl: NDArray[np.uint8], dilate: int) -> NDArray[np.bool_]:
    return repeat(scl_valid(scl[::2, ::2], dilate=dilate).astype(np.uint8), 2).astype(np.bool_)


def _removed(shift: Shift | None) -> NDArray[np.float64]:
    """Metres to the east and south that are removed from a scene."""
    return np.array([shift.east, -shift.north]) if shift is not None and shift.is_worth_it else np.zeros(2)


def _errors(case: CompositeCase, shifts: Mapping[str, Shift | None]) -> tuple[float, float, float]:
    """Errors of the default and the aligned composite where both have data, and the share that only one has."""
    before, used = judged_composite(case, CompositeProduct.model_fields["dilate"].default)
    seen = [_aligned(case, t, shifts[scene.id]) for t, scene in enumerate(case.scenes)]
    after = composite(seen).bands
    both = (before[0] != NODATA) & (after[0] != NODATA)
    lost = float(((before[0] != NODATA) & ~both).mean())
    if not both.any():
        return 1.0, 1.0, lost
    valid = np.stack([one.valid for one in seen])
    pairs = ((before, case.perfect(used)), (after, case.perfect(valid)))
    first, second = (composite_error(case, np.where(both, made, NODATA), truth).absolute for made, truth in pairs)
    return first, second, lost


def _aligned(case: CompositeCase, t: int, shift: Shift | None) -> Observation:
    """A scene as it is read: interpolated once from its native pixels where it is moved."""
    east, south = (float(one) for one in _removed(shift))
    clear = scl_valid(case.scl[t, ::2, ::2], dilate=WIDER).astype(np.uint8)
    valid = to_grid(clear, case.grid.at(20), _beside(case.grid, east, south)).astype(np.bool_)
    bands = np.empty_like(case.pixels[t])
    for number, name in enumerate(case.bands):
        native = case.grid.at(SENTINEL2[name].resolution)
        step = case.grid.width // native.width
        numbers = np.ascontiguousarray(case.pixels[t, number, ::step, ::step])
        bands[number] = repeat(interpolated(numbers, native, _beside(native, east, south)), step)
    return Observation(bands=bands, valid=valid & data_valid(bands).all(axis=0))


def _beside(grid: Grid, east: float, south: float) -> Grid:
    return replace(grid, west=grid.west + east, north=grid.north - south)
