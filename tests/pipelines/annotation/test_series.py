"""Series of chips, from every form of series that a corpus can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.imagery.valid import data_valid
from landloom.pipelines.annotation.series import SeriesSource
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chips import World


def test_a_chip_has_its_own_dates_and_all_bands(world: World, source: SeriesSource) -> None:
    for chip, own in world.series.items():
        series = source.read(chip)
        assert list(series.times) == world.dates[chip]
        assert source.scenes(chip) == len(series.times) == 4
        np.testing.assert_array_equal(series.reflectance, own)
        np.testing.assert_array_equal(series.valid, data_valid(own).all(axis=1) & (world.scl[chip] == 4))
    assert [band.name for band in source.bands] == ["B02", "B04", "B08"]


def test_what_is_no_series_is_refused(corpus: Corpus, source: SeriesSource) -> None:
    with pytest.raises(InvalidInputError, match="got product 'scl', expected a series of images"):
        SeriesSource(corpus=corpus, key="scl").read("32UPA_00")
    with pytest.raises(NotFoundError, match="no product 's2'"):
        SeriesSource(corpus=corpus, key="s2").read("32UPA_00")
    with pytest.raises(NotFoundError, match="no sample '32UPA_07'"):
        source.grid("32UPA_07")


@pytest.mark.slow
def test_composites_and_native_bands(tiny_corpus: Path, series: Path) -> None:
    """Months of a regular axis; native bands of 10, 20 and 60 m in one array, repeated exactly."""
    months = Corpus.open(tiny_corpus)
    chip = months.query().ids[0]
    own = SeriesSource(corpus=months)
    read = own.read(chip)
    assert read.reflectance.shape == (2, 12, 60, 60)
    np.testing.assert_array_equal(read.reflectance, months.query().cube(chip, "s2"))
    assert read.valid.any()
    native = Corpus.open(series / "corpus")
    chip = native.query().ids[0]
    own = SeriesSource(corpus=native)
    read = own.read(chip)
    assert [one.key for one in own.products] == ["s2_10m", "s2_20m", "s2_60m"]
    assert read.reflectance.shape[1:] == (12, 24, 24)
    assert read.valid.any()
    coarse = native.query().cube(chip, "s2_60m", observed_only=True)
    np.testing.assert_array_equal(read.reflectance[:, -coarse.shape[1] :, ::6, ::6], coarse)
    usable = native.query().cube(chip, "s2_valid", observed_only=True).to_numpy()[:, 0] > 0
    assert not (read.valid & ~usable).any()
