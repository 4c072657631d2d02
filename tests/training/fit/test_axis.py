"""Time axes: equal dates stay, dates of their own become months."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.training.fit.tables import table

from landloom.errors import InvalidInputError
from landloom.training.fit.axis import TimeAxis
from landloom.training.fit.batches import LabelledSeries


def test_equal_dates_stay_and_padding_does_not_count() -> None:
    whole = table(4)
    axis = TimeAxis.of(whole)
    assert axis == TimeAxis(steps=6, monthly=False) == TimeAxis.parse(axis.document())
    assert np.array_equal(axis.apply(whole).image, whole.image)
    part = replace(whole, image=whole.image[:, :4], dates=whole.dates[:, :4], valid=whole.valid[:, :4])
    padded = whole.dates.copy()
    padded[2:, 4:] = 0
    assert TimeAxis.of(replace(whole, dates=padded)) == axis
    longer = axis.apply(part)
    assert longer.image.shape == (4, 6, 3)
    assert not longer.valid[:, 4:].any()
    with pytest.raises(InvalidInputError, match="got series of 6 timesteps, expected 4"):
        TimeAxis(steps=4, monthly=False).apply(replace(whole, valid=np.ones((4, 6), bool)))


def test_own_dates_become_means_of_months() -> None:
    days = np.array([["2018-02-03", "2018-02-20", "2018-12-30", "2019-01-05"]] * 2, "M8[D]").astype(np.int64)
    days[1] += 5
    own = LabelledSeries(
        id=np.array(["a", "b"]),
        sample=np.arange(2),
        image=np.arange(8, dtype=np.float32).reshape(2, 4, 1),
        dates=days,
        valid=np.array([[True, True, True, True], [True, False, True, True]]),
        target=np.array([0, 1]),
        weight=np.ones(2, np.float32),
    )
    axis = TimeAxis.of(own)
    assert axis == TimeAxis(steps=13, monthly=True)
    found = axis.apply(own)
    assert found.valid.nonzero()[1].tolist() == [1, 11, 12, 1, 12]
    assert found.image[found.valid].ravel().tolist() == [0.5, 2.0, 3.0, 4.0, 6.5]
    assert found.dates[0, 1].astype("M8[D]") == np.datetime64("2018-02-15")
    with pytest.raises(InvalidInputError, match="a: got a series of more than 12 months"):
        TimeAxis(steps=12, monthly=True).apply(own)
