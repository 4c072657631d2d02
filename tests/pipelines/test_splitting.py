"""Split sets are kept, validated and published."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from landloom.corpus.audit.validate import audit
from landloom.errors import CorpusError, ForeignCorpusError
from landloom.pipelines.splitting import split_corpus
from landloom.publication.publish import publish
from landloom.store.local import LocalStore
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from pathlib import Path


HALVES = SplitSettings(by="random", shares={"train": 0.5, "test": 0.5}, gap=0)


@pytest.fixture
def folder(tiny_corpus: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_corpus, tmp_path / "corpus")


def test_the_same_is_kept_and_another_is_refused(folder: Path) -> None:
    first = split_corpus(str(folder), "halves", HALVES, figure=False)
    again = split_corpus(str(folder), "halves", HALVES, figure=False)
    assert (first.changed, again.changed, first.digest) == (True, False, again.digest)
    other = SplitSettings(by="random", shares={"train": 0.5, "test": 0.5}, gap=0, seed=1)
    with pytest.raises(CorpusError, match="has another split set 'halves' already"):
        split_corpus(str(folder), "halves", other)
    assert split_corpus(str(folder), "halves", other, replace=True, figure=False).digest != first.digest


def test_it_is_part_of_what_is_validated_and_published(folder: Path, tmp_path: Path) -> None:
    split_corpus(str(folder), "halves", HALVES)
    store = LocalStore(folder)
    found = audit(store)
    assert found.problems == ()
    assert not [note for note in found.notes if "splits" in note]
    target = f"file://{tmp_path}/published"
    publish(str(folder), target, "https://example.org/tiny")
    published = tmp_path / "published/splits/halves.parquet"
    assert published.read_bytes() == store.get("splits/halves.parquet")
    split_corpus(str(folder), "halves", SplitSettings(by="random", shares={"a": 0.5, "b": 0.5}, gap=0), replace=True)
    with pytest.raises(ForeignCorpusError, match=r"splits/halves.*give this one another name"):
        publish(str(folder), target, "https://example.org/tiny")
