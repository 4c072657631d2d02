"""Raster labels added to a built corpus of windows: valid, kept by builds, though not of the recipe."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.projects import digest_of

from landloom.corpus.audit.validate import validate
from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.info import ProductInfo
from landloom.errors import CorpusError, InvalidValueError
from landloom.formats.geotiff import encode_geotiff
from landloom.model.product import Product
from landloom.model.recipe import Terms
from landloom.model.sensor import Band
from landloom.pipelines.build import build
from landloom.publication.raster_labels import (
    FOLDER,
    AddedRasters,
    add_rasters,
    next_version,
    raster_versions,
    same_lineage,
)
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def corpus(tiny_corpus: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    shutil.copytree(tiny_corpus, tmp_path / "corpus")
    return tmp_path / "corpus"


def rasters(corpus: Path, *, samples: int | None = None, value: int = 1) -> AddedRasters:
    """One layer for some samples of a corpus."""
    there = FinishedCorpus.open(str(corpus))
    version = next_version(there.info, "votes")
    bands = (Band(name="class", description="class", resolution=10),)
    row = Product(
        key=version.key(),
        folder=None,
        collection=version.collection,
        prefix="votes",
        title="Votes",
        kind="raster-labels",
        bands=bands,
        dtype="uint8",
        resolution=10,
    )
    item = ProductInfo(
        product=row, terms=Terms(licence="CC0-1.0", attribution="nobody"), label_version=str(version.number)
    )
    chosen = [one for own in there.tiles.values() for one in own][:samples]
    made = {}
    for one in chosen:
        grid = one.grid(10)
        array = np.full((1, *grid.shape), value, np.uint8)
        made[str(one.id)] = {row.key: encode_geotiff(array, grid, nodata=0, bands=["class"])}
    rows: list[dict[str, str | int]] = [{"value": "water", "code": 1, "role": "class"}]
    return AddedRasters(
        version=version, products=(item,), rasters=made, mappings={row.key: rows}, lineage=f'{{"v": {value}}}'.encode()
    )


def test_a_build_keeps_them_and_makes_the_same_bytes(tiny: Path, corpus: Path) -> None:
    add_rasters(corpus, rasters(corpus, samples=2))
    add_rasters(corpus, rasters(corpus, value=2))
    assert validate(open_store(str(corpus))) == []
    info = FinishedCorpus.open(str(corpus)).info
    assert [one.key() for one in raster_versions(info, "votes")] == ["votes", "votes_v2"]
    assert info.class_mappings["votes_v2"] == [{"value": "water", "code": 1, "role": "class"}]
    before = digest_of(corpus)
    done = build(tiny, out=corpus)
    assert [line for line in done.notes if "votes" in line] == [
        "votes was added to the corpus before: kept",
        "votes_v2 was added to the corpus before: kept",
    ]
    assert digest_of(corpus) == before
    assert validate(open_store(str(corpus))) == []


def test_lost_copies_end_a_build(tiny: Path, corpus: Path) -> None:
    add_rasters(corpus, rasters(corpus, samples=1))
    (corpus / FOLDER / "0001" / "mappings.json").unlink()
    with pytest.raises(Exception, match="cannot be read"):
        build(tiny, out=corpus)


def test_the_newest_lineage_is_compared(corpus: Path) -> None:
    assert same_lineage(corpus, "votes", b"{}") is None
    made = rasters(corpus, samples=1)
    add_rasters(corpus, made)
    assert same_lineage(corpus, "votes", made.lineage) == made.version
    assert same_lineage(corpus, "votes", b"{}") is None


def test_what_does_not_fit_is_refused(corpus: Path, tmp_path: Path) -> None:
    made = rasters(corpus, samples=1)
    with pytest.raises(CorpusError, match="not a finished corpus"):
        add_rasters(tmp_path, made)
    with pytest.raises(InvalidValueError, match="no sample of"):
        add_rasters(
            corpus,
            AddedRasters(
                version=made.version,
                products=made.products,
                rasters={"33N_16E-243N_29_01x": next(iter(made.rasters.values()))},
                mappings={},
                lineage=b"{}",
            ),
        )
    add_rasters(corpus, made)
    with pytest.raises(CorpusError, match="got version 1, expected 2"):
        add_rasters(corpus, made)
    with pytest.raises(InvalidValueError, match="some products only"):
        AddedRasters(version=made.version, products=made.products, rasters={"a": {}}, mappings={}, lineage=b"")
