"""A small corpus with known numbers, for all tests of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.corpora import write_corpus

from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from tests.corpora import Made


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Twelve samples of three months, in both layouts; not to be changed."""
    return write_corpus(tmp_path_factory.mktemp("made") / "corpus")


@pytest.fixture(scope="session")
def corpus(made: Made) -> Corpus:
    """The corpus, open."""
    return Corpus.open(made.folder, cache=made.folder.parent / "cache")


@pytest.fixture(scope="session")
def chips(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The same numbers in chips alone."""
    found = write_corpus(tmp_path_factory.mktemp("chips") / "corpus", layouts=("chips",))
    return Corpus.open(found.folder, cache=found.folder.parent / "cache")
