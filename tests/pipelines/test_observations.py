"""Observations read again: those of the archive's files, at the pixel, with the recipe's mask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaml
from tests.cases.archives import write_recipe

from landloom.errors import InvalidInputError
from landloom.pipelines.observations import read_observations
from landloom.query.corpus import Corpus
from landloom.query.pixel_series import SampleSeries

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.query.pixel_series import PixelSeries


@pytest.fixture(scope="module")
def series(fused: Path) -> PixelSeries:
    corpus = Corpus.open(fused / "corpus")
    return SampleSeries.read(corpus, corpus.query().ids[0]).pixel(30, 30)


def test_they_are_the_scenes_behind_the_series(fused: Path, series: PixelSeries) -> None:
    """Every date that the quality layers name is read again, clear, and close to the series."""
    seen = read_observations(fused, series)
    read = {"+".join(sorted(scenes.split("+"))): place for place, scenes in enumerate(seen.scenes)}
    assert list(seen.times) == sorted(seen.times)
    assert not seen.second.any()
    for one in series.overpasses.values():
        place = next(place for scenes, place in read.items() if set(one.scenes) & set(scenes.split("+")))
        assert seen.clear[place]
    assert series.sigma is not None
    at = [int(np.argmin([abs((time - own).total_seconds()) for time in series.times])) for own in seen.times]
    away = np.abs(seen.values - series.values[at])[seen.clear]
    assert np.nanmedian(away) < 0.01


def test_a_recipe_of_another_place_or_without_the_series_is_refused(
    fused: Path, series: PixelSeries, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match="expected one that the recipe makes: s2"):
        read_observations(write_recipe(tmp_path, fused / "archive/catalog.json"), series)
    with pytest.raises(InvalidInputError, match="expected a fused one"):
        read_observations(tmp_path, replace(series, product="s2"))
    document = yaml.safe_load((fused / "landloom.yaml").read_text(encoding="utf-8"))
    document["period"] = {"start": "2017-06-01", "end": "2017-08-01"}
    document["archive"]["href"] = str(fused / "archive/catalog.json")
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="no scene of"):
        read_observations(tmp_path, series)
