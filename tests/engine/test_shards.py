"""Shards part tiles once and for all, and keep units together that need each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.tasks import unit

from landloom.engine.place import Place
from landloom.engine.shards import Shard, begun_shards, forget_shards
from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from pathlib import Path


@given(tiles=st.sets(st.text(max_size=9), max_size=40), count=st.integers(1, 60))
def test_every_tile_belongs_to_one_shard(tiles: set[str], count: int) -> None:
    parts = [{tile for tile in tiles if Shard(count, number).has(tile)} for number in range(1, count + 1)]
    assert sum(map(len, parts)) == len(tiles)
    assert set().union(*parts) == tiles


@pytest.mark.parametrize("text", ["", "3", "0/5", "6/5", "1/0", "-1/5", "a/b", "1/5/2", "1 / 5", "1.0/5"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="expected one such as 3/50"):
        Shard.parse(text)


def test_units_that_need_those_of_others_are_left_to_the_end() -> None:
    shard = Shard(2, 1)
    mine, other = sorted((f"tile {n}" for n in range(9)), key=shard.has, reverse=True)[::8]
    assert (shard.has(mine), shard.has(other)) == (True, False)
    first, foreign = unit("s2", tile=mine), unit("s2", tile=other)
    needs = replace(unit("guess", tile=mine), needs=(first.id,))
    mixed = replace(unit("fused", tile=mine), needs=(first.id, foreign.id))
    after = replace(unit("report", tile=mine), needs=(mixed.id,))
    units = [first, foreign, needs, mixed, after]
    assert shard.share(units, set()) == [first, needs]
    assert shard.share([first, needs, mixed, after], {foreign.id}) == [first, needs, mixed, after]
    assert shard.share([needs], {first.id}) == [needs]
    assert Shard(2, 2).share(units, set()) == [foreign]


def test_shards_are_known_by_their_journals(tmp_path: Path) -> None:
    assert begun_shards(tmp_path) == []
    for shard in (Shard(50, 12), Shard(50, 3)):
        shard.journal(tmp_path).parent.mkdir(parents=True, exist_ok=True)
        shard.journal(tmp_path).touch()
    (shard.journal(tmp_path).parent / "notes.sqlite").touch()
    assert begun_shards(tmp_path) == [Shard(50, 3), Shard(50, 12)]
    forget_shards(Place.of(tmp_path))
    assert begun_shards(tmp_path) == []
