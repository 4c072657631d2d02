"""Change between two years: new land cover stands out, weather and clouds do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.chips import write_world

from landloom.errors import InvalidInputError
from landloom.pipelines.annotation.change import change
from landloom.pipelines.annotation.series import ChipSeries, SeriesSource
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chips import World


def test_changed_land_cover_stands_out(world: World, source: SeriesSource, tmp_path: Path) -> None:
    later = write_world(tmp_path / "corpus", year=2019, chips=1, seed=1)
    after = SeriesSource(corpus=Corpus.open(tmp_path / "corpus", cache=tmp_path / "cache"))
    first, second = source.read("32UPA_00"), after.read("32UPA_00")
    found = change(first, second)
    changed = world.truth["32UPA_00"] != later.truth["32UPA_00"]
    seen = (first.valid & second.valid).any(axis=0)
    assert (seen & changed).any()
    assert found[seen & changed].min() > 0.9
    assert found[seen & ~changed].max() < 0.1
    assert (found[~seen] == 0.5).all()


def test_one_year_and_itself_do_not_differ(source: SeriesSource) -> None:
    series = source.read("32UPA_00")
    seen = series.valid.any(axis=0)
    assert change(series, series)[seen].max() < 0.01


def test_what_is_never_seen_is_undecided(source: SeriesSource) -> None:
    series = source.read("32UPA_00")
    blind = ChipSeries(times=series.times, reflectance=series.reflectance, valid=np.zeros_like(series.valid))
    assert (change(series, blind) == 0.5).all()


def test_other_bands_are_refused(source: SeriesSource) -> None:
    series = source.read("32UPA_00")
    other = ChipSeries(times=series.times, reflectance=series.reflectance[:, :2], valid=series.valid)
    with pytest.raises(InvalidInputError, match=r"got series of \(3, 60, 60\) and \(2, 60, 60\)"):
        change(series, other)
