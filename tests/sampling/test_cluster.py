"""Tiles that a draw is gathered in: as many as asked, with every quota and every class, or a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.errors import InvalidInputError
from landloom.sampling.achieved import country_shares
from landloom.sampling.cluster import choose_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.sampling.candidates import Candidates

QUOTAS = np.array([2, 120, 150, 140, 60], np.int64)


def chosen(world: Candidates, wanted: NDArray[np.int64], count: int, seed: int) -> NDArray[np.bool_]:
    free = np.ones(len(world), bool)
    return choose_tiles(world, free, wanted, country_shares(world), count, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("count", [12, 20, 30])
def test_quotas_and_classes_fit_into_the_tiles(world: Candidates, count: int, seed: int) -> None:
    held = chosen(world, QUOTAS, count, seed)
    tiles = world.tile_index()
    assert len(np.unique(tiles[held])) == count
    assert all(held[tiles == tile].all() for tile in np.unique(tiles[held]))
    assert (np.bincount(world.country[held], minlength=5) >= QUOTAS).all()
    fractions = world.labelled()
    assert ((fractions[held].sum(axis=0) > 0) == (fractions.sum(axis=0) > 0)).all()
    assert (held == chosen(world, QUOTAS, count, seed)).all()


@pytest.mark.parametrize("count", [0, 10_000])
def test_numbers_of_tiles_that_cannot_be_are_refused(world: Candidates, count: int) -> None:
    with pytest.raises(InvalidInputError, match=f"got {count} tiles, expected 1 to"):
        chosen(world, QUOTAS, count, 1)


def test_too_few_tiles_for_every_country_say_how_many_are_needed(world: Candidates) -> None:
    with pytest.raises(InvalidInputError, match="expected at least"):
        chosen(world, QUOTAS, 1, 1)
