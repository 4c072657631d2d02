"""The series of one pixel: what chips hold, in reflectance, and the scenes that quality layers and lineage name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.corpus.lineage import read_lineage
from landloom.errors import InvalidInputError, NotFoundError
from landloom.formats.geotiff import decode_geotiff
from landloom.query.corpus import Corpus
from landloom.query.pixel_series import SampleSeries, series_of, spectral

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def corpus(fused: Path) -> Corpus:
    return Corpus.open(fused / "corpus")


@pytest.fixture(scope="module")
def whole(corpus: Corpus) -> SampleSeries:
    return SampleSeries.read(corpus, corpus.query().ids[0])


def test_values_uncertainty_and_quality_are_those_of_the_chips(fused: Path, whole: SampleSeries) -> None:
    found = whole.pixel(12, 40)
    assert (found.product, found.unit, found.bands) == ("pfsr", "reflectance", ("blue", "green", "red", "nir"))
    (folder,) = (fused / "corpus").glob(f"imagery/*/*/{found.sample}")
    for place, step in enumerate(found.steps):
        series = decode_geotiff((folder / "PF-SR" / f"{step}.tif").read_bytes())[0][:, 12, 40]
        layers = decode_geotiff((folder / "PF-QA" / f"{step}.tif").read_bytes())[0][:, 12, 40].astype(float)
        layers[layers == 65_535] = np.nan
        np.testing.assert_allclose(found.values[place], series / 10_000)
        assert found.sigma is not None
        np.testing.assert_allclose(found.sigma[place], layers[5:] / 10_000)
        quality = [found.quality[name][place] for name in ("synthetic", "days", "cloud", "traceability", "references")]
        np.testing.assert_array_equal(quality, layers[:5])
    assert found.observed.tolist() == (found.quality["synthetic"] == 0).tolist()


def test_timesteps_with_a_real_observation_lead_to_its_scene(fused: Path, whole: SampleSeries) -> None:
    """The closest observation is as many days away as the layer says; with 0 % synthetic it is of the timestep."""
    found = whole.pixel(30, 30)
    (path,) = (fused / "corpus").glob(f"lineage/*/{found.sample.split('_')[1]}/PF-SR.json")
    known = {one.id for step in read_lineage(path.read_bytes())[2].timesteps for one in step.scenes}
    assert found.observed.any()
    for place, time in enumerate(found.times):
        behind = found.overpass(place)
        assert behind is not None
        assert set(behind.scenes) <= known
        away = abs((behind.time - time).total_seconds()) / 86_400
        assert abs(away - found.quality["days"][place]) <= 0.5
        assert not found.observed[place] or away <= 2.5


def test_the_place_is_the_pixel_on_the_ground(whole: SampleSeries) -> None:
    place = whole.pixel(0, 59).place
    assert (place.east, place.north) == (whole.grid.east, whole.grid.north)
    assert place.shape == (1, 1)


@pytest.mark.parametrize("pixel", [(-1, 0), (0, 60), (60, 0)])
def test_a_pixel_outside_is_refused(whole: SampleSeries, pixel: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match="expected 0,0 to 59,59"):
        whole.pixel(*pixel)


def test_products_that_are_no_series_are_refused(corpus: Corpus) -> None:
    sample = corpus.query().ids[0]
    assert series_of(corpus.info) == ["pfsr"]
    for key in ("pfqa", "labels"):
        with pytest.raises(InvalidInputError, match="expected one of pfsr"):
            SampleSeries.read(corpus, sample, key)
    with pytest.raises(NotFoundError):
        SampleSeries.read(corpus, sample, "other")


def test_composites_have_their_counts_alone(tiny_corpus: Path) -> None:
    corpus = Corpus.open(tiny_corpus)
    whole = SampleSeries.read(corpus, corpus.query().ids[0])
    found = whole.pixel(0, 0)
    assert (found.product, found.sigma, list(found.quality), dict(found.overpasses)) == ("s2", None, ["count"], {})
    assert found.observed.tolist() == np.isfinite(found.values).any(axis=1).tolist()
    assert found.overpass(0) is None
    assert spectral(whole.item, whole.bands) == list(whole.bands)


def test_the_document_has_no_nan(whole: SampleSeries) -> None:
    document = whole.pixel(5, 5).document()
    assert all(None in layer or min(layer) >= 0 for layer in document["quality"].values())
    assert len(document["times"]) == len(document["values"]["nir"]) == len(document["sigma"]["nir"]) == 13
