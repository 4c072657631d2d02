"""Change between two maps of classes in a corpus: counted, masked, valid."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest

from landloom.corpus.audit.validate import validate
from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.info import ProductInfo
from landloom.errors import InvalidInputError
from landloom.formats.geotiff import encode_geotiff
from landloom.model.product import Product
from landloom.model.recipe import Terms
from landloom.model.sensor import Band
from landloom.publication.label_masks import add_mask_change
from landloom.publication.raster_labels import AddedRasters, add_rasters, next_version
from landloom.query.corpus import Corpus
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.conftest import Ran

    from landloom.model.sample import Sample

ROWS: list[dict[str, str | int]] = [
    {"value": name, "code": code, "role": "class"} for name, code in (("wet", 1), ("dry", 2))
]


def add_map(folder: Path, samples: Sequence[Sample], classes: np.ndarray) -> None:
    """A version of a map of some samples."""
    version = next_version(FinishedCorpus.open(str(folder)).info, "ground")
    row = Product(
        key=version.key(),
        folder=None,
        collection=version.collection,
        prefix="ground",
        title="Ground",
        kind="raster-labels",
        bands=(Band(name="class", description="class", resolution=10),),
        dtype="uint8",
        resolution=10,
        nodata=0,
    )
    terms = Terms(licence="CC-BY-4.0", attribution="The label makers")
    item = ProductInfo(product=row, terms=terms, label_version=str(version.number))
    made = {
        str(one.id): {row.key: encode_geotiff(own[None], one.grid(10), nodata=0, bands=["class"])}
        for one, own in zip(samples, classes, strict=False)
    }
    rasters = AddedRasters(version=version, products=(item,), rasters=made, mappings={row.key: ROWS}, lineage=b"{}")
    add_rasters(folder, rasters)


def test_maps_are_compared_pixel_by_pixel(tiny_corpus: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    folder = shutil.copytree(tiny_corpus, tmp_path / "corpus")
    there = FinishedCorpus.open(str(folder))
    samples = [one for own in there.tiles.values() for one in own]
    maps = np.random.default_rng(0).choice([0, 1, 2], (2, len(samples), 60, 60), p=[0.1, 0.6, 0.3]).astype(np.uint8)
    add_map(folder, samples, maps[0])
    add_map(folder, samples[:-1], maps[1])
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
