"""One small corpus for all tests of annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.chips import World, write_world

from landloom.pipelines.annotation.series import SeriesSource
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two chips of 60 × 60 pixels in each of two granules, with a guess; not to be changed."""
    return write_world(tmp_path_factory.mktemp("chips") / "corpus")


@pytest.fixture
def corpus(world: World, tmp_path: Path) -> Corpus:
    """The opened corpus."""
    return Corpus.open(world.folder, cache=tmp_path / "cache")


@pytest.fixture
def source(corpus: Corpus) -> SeriesSource:
    """Its first series."""
    return SeriesSource(corpus=corpus)
