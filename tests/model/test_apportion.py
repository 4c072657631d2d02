from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidValueError
from landloom.model.apportion import MILLION, apportion


def test_the_largest_remainders_get_what_is_left() -> None:
    assert apportion([41, 29, 17, 13], 10).tolist() == [4, 3, 2, 1]
    assert apportion([47_000, 16_000, 15_900, 12_000, 6_000, 3_100], 10).tolist() == [5, 2, 1, 1, 1, 0]


def test_ties_go_to_the_lower_index() -> None:
    assert apportion([1, 1, 1], 2).tolist() == [1, 1, 0]
    assert apportion([1] * 7).tolist() == [142_858] + [142_857] * 6


def test_a_whole_share_loses_nothing_to_floating_point() -> None:
    for parts in range(1, 200):
        row = apportion(np.full(parts, 0.1) * 3)
        assert row.sum() == MILLION
        assert row.max() - row.min() <= 1
    assert apportion([0.1 + 0.2, 0.7]).tolist() == [300_000, 700_000]
    assert apportion([0.0, 1e-300]).tolist() == [0, MILLION]


def test_rows_are_apportioned_one_by_one() -> None:
    weights = np.random.default_rng(1).random((4, 3, 5))
    found = apportion(weights)
    assert found.shape == weights.shape
    assert found.dtype == np.int64
    assert found[2, 1].tolist() == apportion(weights[2, 1]).tolist()


@pytest.mark.parametrize("weights", [[0, 0], [-1, 2], [np.nan, 1], [np.inf, 1]])
def test_impossible_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(InvalidValueError, match="expected positive sums"):
        apportion(weights)
