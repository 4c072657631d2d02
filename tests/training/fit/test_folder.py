"""The folder of a model: what is in it, what it is not mistaken for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from landloom.errors import CorpusError, InvalidDocumentError, InvalidInputError
from landloom.training.fit.folder import CARD, MODEL, ModelClass, ModelDescription, ModelFolder

if TYPE_CHECKING:
    from pathlib import Path

MADE = ModelDescription(
    task="lulc",
    model="ltae",
    options={"heads": 4},
    settings={"epochs": 3},
    product="s2",
    bands=("B04", "B08"),
    timesteps=12,
    axis=None,
    target={"kind": "fractions", "product": "labels"},
    taxonomy={"name": "clc", "prefix": "clc", "nodata": "999"},
    classes=(ModelClass(key="clc_111", code=111, name="Continuous urban fabric"),),
    mean=(0.1, 0.2),
    deviation=(0.01, 0.02),
    corpus={"name": "made", "version": "1.0", "digest": "aa", "samples": "bb", "data": "cc"},
    split_set={"name": "blocks", "digest": "ee", "proof": {}, "train": ["train"], "val": None},
    statistics="ff",
    seed=1,
    software="landloom 0",
)


def test_a_description_comes_back() -> None:
    assert ModelDescription.decoded(MADE.encoded(), "x") == MADE
    assert (MADE.learner, MADE.file) == ("network", "weights.pt")
    for content in (b"", b"[]", b"{}", MADE.encoded().replace(b'"format": 1', b'"format": 2')):
        with pytest.raises(InvalidDocumentError):
            ModelDescription.decoded(content, "model.json")


def test_the_same_model_goes_on_and_another_is_refused(tmp_path: Path) -> None:
    folder = ModelFolder(tmp_path / "model")
    folder.begin(MADE)
    assert not folder.is_finished
    folder.begin(replace(MADE, software="landloom 1", corpus={**MADE.corpus, "digest": "labels were added"}))
    for changed, told in (
        (replace(MADE, seed=2), r"another seed \(1, not 2\)"),
        (replace(MADE, corpus={**MADE.corpus, "data": "dd"}), r"another corpus: data \(cc, not dd\)"),
        (replace(MADE, settings={"epochs": 4}), r"another settings: epochs \(3, not 4\)"),
    ):
        with pytest.raises(CorpusError, match=told):
            folder.begin(changed)
    folder.put(CARD, b"")
    assert ModelFolder.open(folder.path).is_finished


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=f"is no model: there is no {MODEL}"):
        ModelFolder.open(tmp_path)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(CorpusError, match="has files of something else"):
        ModelFolder(tmp_path).begin(MADE)
    folder = ModelFolder(tmp_path / "model")
    folder.begin(MADE)
    with pytest.raises(CorpusError, match="was not trained to the end"):
        folder.read("weights.pt")
    with pytest.raises(InvalidInputError, match="got split 'test', expected one with predictions: none"):
        folder.predictions("test")
