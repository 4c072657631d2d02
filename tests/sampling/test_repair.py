from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from landloom.model.ids import TileId
from landloom.sampling.achieved import country_shares
from landloom.sampling.candidates import Candidates
from landloom.sampling.repair import cover

ROWS = 200


def labelled(dense: np.ndarray, countries: list[str] | None = None) -> Candidates:
    cells = Candidates.of_ids(TileId.parse("33N_16E-243N").samples()[: len(dense)], countries)
    return cells.with_fractions(csr_array(dense.astype(np.uint32)))


def test_every_missing_class_is_brought_in_and_none_is_lost() -> None:
    rng = np.random.default_rng(1)
    dense = np.zeros((ROWS, 10))
    dense[np.arange(ROWS), 0] = 1_000_000
    for code in range(1, 10):  # each in one cell only
        dense[150 + code] = 0
        dense[150 + code, code] = 1_000_000
    cells = labelled(dense)
    chosen = np.arange(20)
    found = cover(cells, np.ones(ROWS, bool), chosen, country_shares(cells), rng)
    assert len(set(found.tolist())) == 20
    assert (cells.labelled()[found].sum(axis=0) > 0).all()


def test_country_counts_are_kept_and_the_hopeless_is_left() -> None:
    dense = np.zeros((6, 4))
    dense[[0, 1, 2, 3, 4, 5], [0, 0, 1, 2, 3, 0]] = 1_000_000
    cells = labelled(dense, ["a", "a", "a", "a", "b", "b"])
    found = cover(cells, np.ones(6, bool), np.array([0, 1]), country_shares(cells), np.random.default_rng(1))
    # Two samples of country a and none of b: two of a's three classes, and never b's.
    assert cells.country[found].tolist() == [0, 0]
    assert len(np.unique(cells.labelled()[found].indices)) == 2


def test_groups_are_met_and_the_pool_is_kept() -> None:
    dense = np.zeros((12, 2))
    dense[:, 0] = 1_000_000
    cells = labelled(dense)
    groups = np.repeat(np.arange(4), 3).astype(np.int32)
    pool = np.ones(12, bool)
    pool[groups == 3] = False
    found = cover(cells, pool, np.array([0, 1, 2]), country_shares(cells), np.random.default_rng(1), groups=groups)
    assert sorted(groups[found].tolist()) == [0, 1, 2]


def test_the_swap_that_keeps_shares_best_is_made() -> None:
    dense = np.zeros((8, 3))
    dense[:4, 0] = 1_000_000
    dense[4:7, 1] = 1_000_000
    dense[7] = [0, 900_000, 100_000]  # brings class 2; replacing one of class 1 changes least
    cells = labelled(dense)
    found = cover(
        cells, np.ones(8, bool), np.array([0, 1, 4, 5]), np.array([[0.5, 0.49, 0.01]]), np.random.default_rng(1)
    )
    assert 7 in found
    assert {0, 1} <= set(found.tolist())
