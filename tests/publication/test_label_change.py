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
from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.recipe import Terms
from landloom.pipelines.build import build
from landloom.publication.label_change import add_label_change
from landloom.publication.labels import AddedLabels, add_labels
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


def test_a_build_keeps_it(tiny: Path, corpus: Path) -> None:
    add_label_change(corpus, "labels_cover", "labels_cover_v2")
    before = digest_of(corpus)
    done = build(tiny, out=corpus)
    assert any("labels_change was added" in note for note in done.notes)
    assert digest_of(corpus) == before
