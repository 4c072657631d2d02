"""Worlds as teachers: bands of other sensors, dates that are known, and never a seed of the judge."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidInputError
from landloom.model.product import product
from landloom.model.sensor import Band
from landloom.simulate.judge.composites import JUDGE_SEEDS, judge_grid
from landloom.training.change.worlds import HELD_OUT, SEEDS, STOPPED_BY, simulated_bands, world_series


def test_no_seed_is_one_of_the_judge() -> None:
    assert not {*SEEDS, STOPPED_BY, HELD_OUT} & set(JUDGE_SEEDS)
    assert len({*SEEDS, STOPPED_BY, HELD_OUT}) == len(SEEDS) + 2
    with pytest.raises(InvalidInputError, match=f"got the seed {JUDGE_SEEDS[0]} of the judge"):
        world_series(JUDGE_SEEDS[0], ("B04",), 10)


def test_bands_are_those_of_the_simulated_sensor() -> None:
    assert simulated_bands(product("s2").bands[:3]) == ("B02", "B03", "B04")
    assert simulated_bands([Band(name="NIR", description="", resolution=3)]) == ("B08",)
    with pytest.raises(InvalidInputError, match="got band thermal"):
        simulated_bands([Band(name="thermal", description="", resolution=30)])


def test_greenness_falls_at_the_dates() -> None:
    series = world_series(3, ("B04", "B08"), 200, judge_grid().window(180, 60, 40, 40))
    assert (len(series), series.image.shape[1:]) == (200, (73, 2))
    changed = series.changed
    assert 0.2 < (changed.sum(axis=1) > 0).mean() < 0.9
    red, nir = np.moveaxis(np.where(series.valid[..., None], series.image, np.nan), -1, 0)
    index = (nir - red) / (nir + red)
    rows, times = np.nonzero(changed)
    before = [np.nanmedian(index[row, max(time - 6, 0) : time]) for row, time in zip(rows, times, strict=True)]
    after = [np.nanmedian(index[row, time : time + 3]) for row, time in zip(rows, times, strict=True)]
    assert np.nanmedian(np.array(before) - np.array(after)) > 0.2
