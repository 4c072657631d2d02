"""Change between two label versions of a corpus: valid, seen by queries, kept by builds."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest
import rasterio
from tests.projects import digest_of

from landloom.corpus.audit.validate import validate
from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.info import ProductInfo
from landloom.errors import InvalidInputError, NotFoundError
from landloom.formats.geotiff import encode_geotiff
from landloom.model.product import Product
from landloom.model.recipe import Terms
from landloom.model.sensor import Band
from landloom.pipelines.build import build
from landloom.publication.label_change import add_label_change
from landloom.publication.label_masks import add_mask_change
from landloom.publication.labels import AddedLabels, add_labels
from landloom.publication.raster_labels import AddedRasters, add_rasters, next_version
from landloom.query.corpus import Corpus
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

TERMS = Terms(licence="CC-BY-4.0", attribution="The label makers")


@pytest.fixture
def corpus(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> Path:
    """A copy with two versions of a land cover, of which the second has no fields any more."""
    shutil.copytree(tiny_corpus, tmp_path / "corpus")
    with rasterio.open(tiny / "archive" / "landcover_3035.tif") as file:
        classes, profile = file.read(1), file.profile
    kinds = np.select([classes == 0, classes < 200, classes < 300, classes < 400, classes < 500], [0, 2, 6, 5, 7], 1)
    for number, kept in enumerate((kinds, np.where(kinds == 6, 7, kinds))):
        path = tmp_path / f"cover-{number}.tif"
        with rasterio.open(path, "w", **(profile | {"dtype": "uint8", "nodata": 0})) as file:
            file.write(kept.astype(np.uint8), 1)
        add_labels(tmp_path / "corpus", AddedLabels(file=str(path), name="cover", taxonomy="landcovernet", terms=TERMS))
    return tmp_path / "corpus"


def test_change_is_a_label_product(corpus: Path, run: Callable[..., Ran]) -> None:
    done = run("labels", "change", str(corpus), "--before", "labels_cover", "--after", "labels_cover_v2")
    assert done.code == 0, done.err
    assert "added labels_change" in done.out
    assert validate(open_store(str(corpus))) == []
    opened = Corpus.open(corpus)
    selection = opened.query()
    changed = opened.query(where="change_changed > 0")
    assert 0 < len(changed) <= len(selection)
    lineage = orjson.loads((corpus / "resources" / f"{opened.name}_labels_change_lineage.json").read_bytes())
    (moved,) = lineage["corpus"]["transitions"]
    assert (moved["from"], moved["to"]) == ("6", "7")
    assert set(lineage["samples"]) == set(selection.ids)
    again = add_label_change(corpus, "labels_cover", "labels_cover_v2")
    assert (again.added, again.product) == (False, "labels_change")
    back = add_label_change(corpus, "labels_cover_v2", "labels_cover")
    assert (back.added, back.product) == (True, "labels_change_v2")
    assert validate(open_store(str(corpus))) == []


def test_what_cannot_be_compared_is_refused(corpus: Path) -> None:
    with pytest.raises(NotFoundError, match="labels_other"):
        add_label_change(corpus, "labels_cover", "labels_other")
    with pytest.raises(InvalidInputError, match="two versions"):
        add_label_change(corpus, "labels_cover", "labels_cover")
    with pytest.raises(InvalidInputError, match="one taxonomy"):
        add_label_change(corpus, "labels", "labels_cover")


def test_maps_are_compared_pixel_by_pixel(tiny_corpus: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    folder = shutil.copytree(tiny_corpus, tmp_path / "corpus")
    there = FinishedCorpus.open(str(folder))
    samples = [one for own in there.tiles.values() for one in own]
    maps = np.random.default_rng(0).choice([0, 1, 2], (2, len(samples), 60, 60), p=[0.1, 0.6, 0.3]).astype(np.uint8)
    rows: list[dict[str, str | int]] = [
        {"value": name, "code": code, "role": "class"} for name, code in (("wet", 1), ("dry", 2))
    ]
    for number in range(2):
        version = next_version(FinishedCorpus.open(str(folder)).info, "ground")
        bands = (Band(name="class", description="class", resolution=10),)
        row = Product(
            key=version.key(),
            folder=None,
            collection=version.collection,
            prefix="ground",
            title="Ground",
            kind="raster-labels",
            bands=bands,
            dtype="uint8",
            resolution=10,
            nodata=0,
        )
        item = ProductInfo(product=row, terms=TERMS, label_version=str(version.number))
        made = {
            str(one.id): {row.key: encode_geotiff(maps[number, n][None], one.grid(10), nodata=0, bands=["class"])}
            for n, one in enumerate(samples[: len(samples) - number])
        }
        add_rasters(
            folder,
            AddedRasters(version=version, products=(item,), rasters=made, mappings={row.key: rows}, lineage=b"{}"),
        )
    done = run("labels", "change", str(folder), "--before", "ground", "--after", "ground_v2", "--json")
    assert done.code == 0, done.err
    told = orjson.loads(done.out)
    both = maps[:, :-1]
    moved = ((both[0] != both[1]) & (both > 0).all(axis=0)).mean()
    assert told["product"] == "label_change"
    assert told["change"]["shares"]["changed"] == pytest.approx(moved)
    lineage = orjson.loads((folder / "resources" / f"{there.info.name}_label_change_lineage.json").read_bytes())
    assert lineage["without both"] == [str(samples[-1].id)]
    assert validate(open_store(str(folder))) == []
    cube = Corpus.open(folder).query().cube(str(samples[0].id), product="label_change")
    np.testing.assert_array_equal(cube.values[0, 1:], maps[:, 0])
    again = run("labels", "change", str(folder), "--before", "ground", "--after", "ground_v2")
    assert "has this already: label_change" in again.out
    with pytest.raises(InvalidInputError, match="no map of classes"):
        add_mask_change(folder, "ground", "s2")


def test_a_build_keeps_it(tiny: Path, corpus: Path) -> None:
    add_label_change(corpus, "labels_cover", "labels_cover_v2")
    before = digest_of(corpus)
    done = build(tiny, out=corpus)
    assert any("labels_change was added" in note for note in done.notes)
    assert digest_of(corpus) == before
