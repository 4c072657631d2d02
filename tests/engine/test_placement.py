"""Placed samples: grouped by tile, and given splits of whole tiles."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.projects import project_of

from landloom.engine.placement import Placement, split_samples
from landloom.model.ids import SampleId, TileId
from landloom.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable

TILES = [TileId.parse(f"33N_{column}E-{row}N") for column in range(14, 18) for row in (241, 242, 243)]


def some_samples(seed: int) -> tuple[Sample, ...]:
    """Of all tiles, some of each, in id order."""
    rng = random.Random(seed)  # noqa: S311 - samples, not secrets
    found = [cell for tile in TILES for cell in rng.sample(tile.samples(), rng.randint(1, 12))]
    return tuple(Sample.of_utm24(cell) for cell in sorted(found, key=str))


def cells(samples: Iterable[Sample]) -> list[SampleId]:
    """Their ids, which can be ordered."""
    return [one.id for one in samples if isinstance(one.id, SampleId)]


@given(st.integers(0, 2**16))
def test_tiles_hold_every_sample_once_in_order(seed: int) -> None:
    samples = some_samples(seed)
    tiles = Placement(samples=samples).tiles
    assert list(tiles) == sorted(tiles)
    assert sorted(cells(one for own in tiles.values() for one in own)) == sorted(cells(samples))
    for tile, own in tiles.items():
        assert {one.tile for one in own} == {tile}
        assert cells(own) == sorted(cells(own))


@settings(max_examples=30)
@given(st.integers(0, 2**16), st.integers(0, 99), st.sampled_from([{"train": 0.5, "test": 0.5}, {"all": 1.0}]))
def test_a_tile_is_of_one_split_and_what_is_chosen_follows_from_the_seed(
    seed: int, own_seed: int, shares: dict[str, float]
) -> None:
    samples = some_samples(seed)
    with TemporaryDirectory() as folder:
        project = project_of(Path(folder), splits=shares, seed=own_seed)
    placed = split_samples(project, samples)
    assert [one.id for one in placed] == [one.id for one in samples]
    splits = defaultdict(set)
    for one in placed:
        splits[one.tile].add(one.split)
    assert all(len(own) == 1 for own in splits.values())
    assert {one.split for one in placed} == set(shares)
    assert split_samples(project, samples) == placed


def test_without_splits_samples_stay_as_they_are(tmp_path: Path) -> None:
    samples = some_samples(1)
    assert split_samples(project_of(tmp_path, splits={}), samples) is samples
