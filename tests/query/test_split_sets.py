"""Split sets in queries."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from landloom.errors import NotFoundError
from landloom.pipelines.splitting import split_corpus
from landloom.query.corpus import Corpus
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from pathlib import Path


HALVES = SplitSettings(by="random", shares={"train": 0.5, "test": 0.5}, gap=0)


@pytest.fixture
def folder(tiny_corpus: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_corpus, tmp_path / "corpus")


def test_a_split_set_takes_the_place_of_the_recipes_splits(folder: Path) -> None:
    done = split_corpus(str(folder), "halves", HALVES)
    assert (folder / "splits/halves.png").read_bytes()[:4] == b"\x89PNG"
    corpus = Corpus.open(folder)
    train, test = (corpus.query(split_set="halves", split=name) for name in ("train", "test"))
    assert len(train) + len(test) == len(corpus) == done.samples
    assert corpus.query(split_set="halves", where="split = 'train'").ids == train.ids
    assert corpus.query(split_set="halves").counts("split") == {"train": len(train), "test": len(test)}
    table = pq.read_table(folder / "splits/halves.parquet").to_pandas()
    assert tuple(table.id[table.split == "train"]) == train.ids
    with pytest.raises(NotFoundError, match=r"halfs.*halves"):
        corpus.query(split_set="halfs")
    with pytest.raises(NotFoundError, match="val"):
        corpus.query(split_set="halves", split="val")
