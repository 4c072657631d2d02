"""Dated series: the target lies on the first observation after each change."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.training.change.series import DatedSeries


def drawn(seed: int, rows: int = 60, times: int = 30) -> DatedSeries:
    rng = np.random.default_rng(seed)
    event = np.stack(
        [rng.uniform(-20, 200, rows), np.where(rng.random(rows) < 0.5, rng.uniform(200, 320, rows), np.nan)]
    )
    return DatedSeries(
        image=rng.random((rows, times, 2), np.float32),
        dates=np.tile(np.arange(0, 10 * times, 10), (rows, 1)),
        valid=rng.random((rows, times)) < 0.5,
        event=event.T,
    )


def test_targets_lie_on_the_first_observation_after_a_change() -> None:
    series = drawn(0)
    for row in range(len(series)):
        wanted = np.zeros(series.valid.shape[1], np.float32)
        days = series.dates[row][series.valid[row]]
        for event in series.event[row]:
            later = days[days >= event]
            if len(later) and (days < event).any():
                wanted[np.searchsorted(series.dates[row], later[0])] = 1
        assert np.array_equal(series.changed[row], wanted)


def test_several_are_joined_with_padding() -> None:
    one, other = drawn(0, rows=3), drawn(1, rows=2, times=20)
    both = DatedSeries.joined([one, other])
    assert (len(both), both.valid.shape) == (5, (5, 30))
    assert not both.valid[3:, 20:].any()
    assert np.array_equal(both.changed[3:, :20], other.changed)
    assert np.array_equal(both.rows(np.array([1])).image, one.image[[1]])
    with pytest.raises(InvalidInputError, match="expected one at least"):
        DatedSeries.joined([])
    with pytest.raises(InvalidValueError, match="expected those of 2 rows"):
        DatedSeries(image=one.image, dates=one.dates, valid=one.valid[:2], event=one.event)
