"""Label products apart from each other."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio

from landloom.errors import NotFoundError
from landloom.model.recipe import Terms
from landloom.publication.labels import AddedLabels, add_labels
from landloom.query.corpus import Corpus
from landloom.query.label_sets import label_prefix, label_product, label_set

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def corpus(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The tiny corpus, with a raster of one class of the same taxonomy beside its own labels."""
    folder = tmp_path_factory.mktemp("sets")
    shutil.copytree(tiny_corpus, folder / "corpus")
    with rasterio.open(next((tiny_corpus / "imagery").rglob("*.tif"))) as chip:
        west, north, crs = chip.bounds.left - 50_000, chip.bounds.top + 50_000, chip.crs
    profile = {"driver": "GTiff", "width": 100, "height": 100, "count": 1, "dtype": "int16", "crs": crs}
    with rasterio.open(folder / "l", "w", transform=rasterio.Affine(1000, 0, west, 0, -1000, north), **profile) as file:
        file.write(np.full((100, 100), 311, np.int16), 1)
    terms = Terms(licence="CC0-1.0", attribution="n")
    add_labels(folder / "corpus", AddedLabels(file=str(folder / "l"), taxonomy="clc", name="clc-raster", terms=terms))
    return Corpus.open(folder / "corpus")


def test_each_set_has_its_own_columns_at_every_level(corpus: Corpus) -> None:
    info = corpus.sidecar.info
    own, added = info.labels
    assert (label_product(info), label_product(info, "labels_clc_raster")) == (own, added)
    assert (label_prefix(info, own), label_prefix(info, added)) == ("", "labels_clc_raster_")
    assert not set(label_set(corpus.sidecar)) & set(label_set(corpus.sidecar, added.key))
    for name, members in corpus.sidecar.groups.items():
        assert members
        assert {member.startswith("labels_clc_raster_") for member in members} == {
            name.startswith("labels_clc_raster_")
        }
    with pytest.raises(NotFoundError, match="label product"):
        label_set(corpus.sidecar, "none")


def test_no_answer_mixes_two_sets(corpus: Corpus) -> None:
    found = corpus.query()
    for level in (None, 1, 2, 3):
        assert sum(found.histogram(level).values()) == pytest.approx(len(found))
        added = found.histogram(level, labels="labels_clc_raster")
        assert sum(added.values()) == pytest.approx(len(found))
        assert len(added) == 1
    lines = str(found.describe()).splitlines()
    assert [line.partition(":")[0] for line in lines if line.startswith("classes")] == [
        "classes",
        "classes of labels_clc_raster",
    ]
    assert len(corpus.query(where="labels_clc_raster_clc_3 = 1")) == len(found)
    assert 0 < len(corpus.query(where="clc_3 < 1 AND labels_clc_raster_clc_31 = 1")) <= len(found)
