"""Blocks of held-out samples: those of the split set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.pipelines.splitting import split_corpus
from landloom.training.fit.held_out import sample_blocks
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.query.corpus import Corpus


def test_blocks_are_those_of_the_split_set(halves: Corpus) -> None:
    assert halves.folder is not None
    folder: Path = halves.folder
    shares = {"train": 0.5, "test": 0.5}
    split_corpus(str(folder), "tiles", SplitSettings(by="tile", gap=0, shares=shares), figure=False, replace=True)
    assert len(set(sample_blocks(halves, "tiles").tolist())) == 2
    small = SplitSettings(by="blocks", gap=0, block_size=700, shares=shares)
    split_corpus(str(folder), "small", small, figure=False, replace=True)
    assert len(set(sample_blocks(halves, "small").tolist())) == 12
