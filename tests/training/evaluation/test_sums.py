"""Sums by block: together they are the sums of the rows."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.evaluation.cases import drawn

from landloom.labels.confusion import confusion
from landloom.training.evaluation.sums import Sums


def test_sums_of_blocks_are_those_of_their_rows() -> None:
    made = drawn(300, weight=np.arange(300) % 4 + 1.0)
    sums = Sums.by_block(made)
    assert np.array_equal(sums.total.table, confusion(made.truth, made.predicted, 3, made.weight))
    for place, block in enumerate(np.unique(made.block).tolist()):
        own = Sums.by_block(made.rows(made.block == block))
        for name in ("table", "confident", "confidence", "right", "squares"):
            assert getattr(sums, name)[place] == pytest.approx(getattr(own, name)[0])


def test_blocks_may_be_named_in_any_order() -> None:
    made = drawn(100, blocks=5)
    sums, other = Sums.by_block(made), Sums.by_block(made, [4, 9, 0, 3, 1, 2])
    assert np.array_equal(other.table[[2, 4, 5, 3, 0]], sums.table)
    assert not other.table[1].any()


def test_resamples_count_blocks_as_often_as_they_are_drawn() -> None:
    made = drawn(120, blocks=4)
    times = np.array([[2.0, 0, 1, 1], [0, 0, 4, 0]])
    found = Sums.by_block(made).combined(times)
    rows = [np.concatenate([np.flatnonzero(made.block == b) for b in own]) for own in ([0, 0, 2, 3], [2, 2, 2, 2])]
    for place, chosen in enumerate(rows):
        assert found.table[place] == pytest.approx(Sums.by_block(made.rows(chosen)).total.table)
        assert found.squares[place] == pytest.approx(Sums.by_block(made.rows(chosen)).total.squares)
