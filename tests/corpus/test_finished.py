"""A corpus opened again holds what it was written from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.corpus.conftest import make_info, write_world

from landloom.corpus.finished import DATA, FinishedCorpus, samples_of, tile_content
from landloom.corpus.layout import CORPUS, INDEX
from landloom.errors import CorpusError
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus.conftest import World


def test_samples_and_what_exists_come_back(world: World) -> None:
    there = FinishedCorpus.open(world.store.uri)
    wanted = {str(content.tile): content for content in world.contents}
    assert set(there.tiles) == {name.replace("/", "_") for name in wanted}
    exists = there.exists()
    for content in world.contents:
        tile = content.samples[0].tile
        order = sorted(range(len(content.samples)), key=lambda place: str(content.samples[place].id))
        assert [sample.id for sample in there.tiles[tile]] == [content.samples[place].id for place in order]
        assert [sample.bounds for sample in there.tiles[tile]] == [content.samples[place].bounds for place in order]
        for key, mask in content.exists.items():
            assert (exists[tile][key] == mask[order]).all()
    assert set(there.exists(["s2"])[next(iter(there.tiles))]) == {"s2"}
    assert len(samples_of(there.info, there.table)) == sum(len(content.samples) for content in world.contents)


def test_a_tile_is_described_by_its_data_files(world: World) -> None:
    there = FinishedCorpus.open(world.store.uri)
    for tile, samples in there.tiles.items():
        data = there.data(tile)
        assert all(entry.path.startswith(DATA) for entry in data)
        assert {entry.path for entry in data} == {e.path for e in there.entries(tile) if e.path.startswith(DATA)}
        content = tile_content(there.info, tile, samples, there.exists()[tile], data, there.store.get)
        assert content.lineage == ("s2",)
        assert set(content.files) == {entry.path for entry in data}
        assert np.isfinite(content.outlines()).all()


def test_tables_of_no_tile_are_those_that_do_not_follow_from_the_index(world: World) -> None:
    there = FinishedCorpus.open(world.store.uri)
    assert there.tables() == ()
    assert any(entry.path.startswith("resources/") for entry in there.entries(""))
    assert there.json_items


def test_what_is_no_finished_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is not a finished corpus"):
        FinishedCorpus.open(str(tmp_path))
    store = LocalStore(tmp_path / "corpus")
    write_world(store, make_info())
    store.put(INDEX, b"no Parquet")
    with pytest.raises(CorpusError, match="cannot be read"):
        FinishedCorpus.open(store.uri)
    store.delete(CORPUS)
    with pytest.raises(CorpusError, match="is not a finished corpus"):
        FinishedCorpus.open(store.uri)
