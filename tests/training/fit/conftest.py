"""The corpus of known numbers with a split set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.corpora import write_corpus

from landloom.pipelines.splitting import split_corpus
from landloom.query.corpus import Corpus
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Twelve samples, half of them to train on; not to be changed."""
    folder: Path = tmp_path_factory.mktemp("halves") / "corpus"
    write_corpus(folder, layouts=("cubes",))
    settings = SplitSettings(by="random", gap=0, shares={"train": 0.5, "test": 0.5})
    split_corpus(str(folder), "halves", settings, figure=False)
    return Corpus.open(folder, cache=folder.parent / "cache")
