"""Simulated worlds as teachers: their harvests and clearings have dates that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.model.sensor import REFLECTANCE_SCALE, SENTINEL2
from landloom.simulate.judge.change import changing_year
from landloom.simulate.judge.composites import JUDGE_SEEDS, judge_grid
from landloom.simulate.spec import BANDS
from landloom.training.change.series import DatedSeries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.model.grid import Grid
    from landloom.model.sensor import Band

SEEDS: Final = (3, 11, 17, 23, 37, 41, 43, 47, 53, 59, 61, 67)
"""Seeds of the worlds that are learnt from; none is one of the judge's."""
STOPPED_BY: Final = 71
"""Seed of the world by whose loss training stops."""
HELD_OUT: Final = 73
"""Seed of the world that a head is scored on."""
WORLD: Final = "world"
"""Name of the split of the world that is held out."""


def simulated_bands(bands: Sequence[Band]) -> tuple[str, ...]:
    """The bands of the simulated sensor, Sentinel-2, that stand for those of a product.

    Args:
        bands: of the product.

    Raises:
        InvalidInputError: one that has no such band.

    Example:
        >>> from landloom.model.product import product
        >>> simulated_bands(product("pfsr").bands)
        ('B02', 'B03', 'B04', 'B08')
    """
    common = {SENTINEL2[name].common_name: name for name in reversed(BANDS)}
    found = []
    for band in bands:
        name = band.name if band.name in BANDS else common.get(band.common_name or band.name.lower())
        if name is None:
            raise InvalidInputError(f"got band {band.name}, expected one of Sentinel-2's: worlds have no other")
        found.append(name)
    return tuple(found)


def world_series(seed: int, bands: Sequence[str], pixels: int, grid: Grid | None = None) -> DatedSeries:
    """Series of pixels of the judge's land under another seed, in a year with dated changes.

    Args:
        seed: of the world; not one that the judge uses.
        bands: of the simulated sensor.
        pixels: that are drawn at random, at most.
        grid: a window of the place; all of it by default.

    Raises:
        InvalidInputError: one of the judge's seeds.
    """
    if seed in JUDGE_SEEDS:
        raise InvalidInputError(f"got the seed {seed} of the judge, expected another: a head is judged on it")
    year = changing_year(seed, grid or judge_grid(), tuple(bands))
    places = np.arange(year.event.size)
    if len(places) > pixels:
        places = np.sort(np.random.default_rng(seed).choice(places, pixels, replace=False))
    image = year.pixels.reshape(*year.pixels.shape[:2], -1)[:, :, places]
    return DatedSeries(
        image=np.ascontiguousarray(np.moveaxis(image, -1, 0)).astype(np.float32) / np.float32(REFLECTANCE_SCALE),
        dates=np.tile(year.days.astype(np.int64), (len(places), 1)),
        valid=np.ascontiguousarray(year.clear.reshape(len(year.clear), -1)[:, places].T),
        event=year.event.ravel()[places, None],
    )
