"""What the report measures, against the files themselves, in both layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio

import landloom
from landloom.imagery.masks.looks import looks_like_cloud
from landloom.publication.layouts import export
from landloom.publication.quality.measure import bands_by_colour, measurable, measure
from landloom.query.example import example_corpus

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def truth(tiny_corpus: Path) -> dict[tuple[str, str], tuple[float, float]]:
    """Sample and timestep → share of valid pixels, and of those that look like cloud, from the files by rasterio."""
    names = {"blue": "B02", "green": "B03", "red": "B04", "nir": "B08", "swir16": "B11"}
    found = {}
    for path in sorted(tiny_corpus.glob("imagery/*/*/*/S2-SR/*.tif")):
        with rasterio.open(path) as opened:
            bands = {key: opened.read(opened.descriptions.index(name) + 1) for key, name in names.items()}
        valid = np.logical_and.reduce([band > 0 for band in bands.values()])
        cloudy = looks_like_cloud({key: band / 10_000 for key, band in bands.items()}) & valid
        found[path.parent.parent.name, path.stem] = (valid.mean(), cloudy.sum() / max(valid.sum(), 1))
    assert found
    return found


@pytest.mark.parametrize("layout", ["chips", "cubes"])
def test_shares_are_those_of_the_files(
    layout: str, tiny_corpus: Path, tmp_path: Path, truth: dict[tuple[str, str], tuple[float, float]]
) -> None:
    folder = tiny_corpus
    if layout == "cubes":
        folder = tmp_path / "cubes"
        export(str(tiny_corpus), folder, ("cubes",))
    corpus = landloom.open(folder)
    quality = measure(corpus, "s2")
    assert quality is not None
    assert bands_by_colour(corpus.sidecar.info, quality.product)["swir16"] == "B11"
    assert (quality.samples, quality.of) == (len(corpus.query()), len(corpus.query()))
    measured = {(chip.sample, chip.timestep): (chip.valid, chip.cloudy) for chip in quality.chips}
    assert measured.keys() >= truth.keys()
    for key, shares in measured.items():
        assert shares == pytest.approx(truth.get(key, (0.0, 0.0)), abs=1e-6), key


def test_observations_are_counted_pixel_by_pixel(tiny_corpus: Path) -> None:
    quality = measure(landloom.open(tiny_corpus), "s2")
    assert quality is not None
    tally = np.zeros(256, np.int64)
    for path in sorted(tiny_corpus.glob("imagery/*/*/*/S2-COUNT/*.tif")):
        with rasterio.open(path) as opened:
            tally += np.bincount(opened.read(1).ravel(), minlength=256)
    assert tally.sum() > 0
    assert quality.observations[1:] == tuple(tally[1 : len(quality.observations)].tolist())
    assert tally[len(quality.observations) :].sum() == 0


def test_fewer_samples_are_spread_over_the_index(tiny_corpus: Path) -> None:
    corpus = landloom.open(tiny_corpus)
    whole = corpus.query().ids
    quality = measure(corpus, "s2", most=2)
    assert quality is not None
    assert quality.samples <= 2 < len(whole)
    assert list(dict.fromkeys(chip.sample for chip in quality.chips)) == list(whole[:: -(-len(whole) // 2)])


def test_every_reflectance_is_measured_and_nothing_else() -> None:
    assert measurable(example_corpus().info) == ("pfsr", "s2")
