"""Months and labels on the judge: what the choice of the month sees, and the arithmetic, on few cells."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from landloom.pipelines.judge_training import (
    WAYS,
    annotated,
    gain,
    judge_training,
    learnt,
    monthly,
    series_gain,
    told,
    training_table,
)
from landloom.simulate.judge.series import SeriesCase, judge_series


@pytest.fixture(scope="module")
def case() -> SeriesCase:
    return judge_series(3, {"train": 8, "test": 3}, per_cell=16)


def test_the_month_is_chosen_without_the_test(case: SeriesCase) -> None:
    judged = judge_training(case, 3)
    test = case.groups["test"]
    other = replace(test, pixels=test.pixels[::-1].copy(), classes=np.roll(test.classes, 5))
    again = judge_training(replace(case, groups={**case.groups, "test": other}), 3)
    assert judged.chosen == again.chosen
    assert judged.right["series"].sum() != again.right["series"].sum()
    assert judged.chosen[judged.month - 1] == max(judged.chosen)
    assert judged.rows.tolist() == [16.0] * 3
    assert set(judged.right) == set(WAYS)
    assert gain([judged], "series", "month").value == pytest.approx(
        judged.accuracy("series") - judged.accuracy("month")
    )
    assert series_gain([judged]).value == pytest.approx(judged.seen_accuracy("series") - judged.seen_accuracy("month"))
    assert len(training_table([judged])) == len(WAYS)
    assert "48 test pixels in 3 cells" in told([judged])
    assert json.dumps(judged.document(), allow_nan=False)


def test_months_are_medians_of_clear_views(case: SeriesCase) -> None:
    group, found = case.groups["train"], monthly(case, case.groups["train"])
    month = case.days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    for row, at in ((0, 3), (50, 6), (127, 9)):
        seen = group.pixels[row, group.valid[row] & (month == at)]
        assert found.valid[row, at] == bool(len(seen))
        if len(seen):
            median = np.floor(np.median(seen, axis=0)) / 10_000
            assert found.values[row, at] == pytest.approx(median, abs=1e-6)
    assert found.rows(4).shape == (128, 6)
    assert np.array_equal(found.rows(4), found.rows()[:, 24:30], equal_nan=True)


def test_labels_belong_to_their_pixels(case: SeriesCase) -> None:
    labels, truth = annotated(case, 3), monthly(case, case.groups["train"]).classes
    for given in labels.given.values():
        right = (given == truth)[labels.used].mean()
        moved = (np.roll(given, 16) == truth)[labels.used].mean()
        assert right > 0.55
        assert right > moved + 0.3
    assert ((labels.confidence > 0) & (labels.confidence <= 1)).all()
    assert 0.2 < labels.used.mean() < 0.8


def test_equal_weights_give_equal_forests(case: SeriesCase) -> None:
    train, test = (monthly(case, case.groups[name]) for name in ("train", "test"))
    plain = learnt(train.rows(), train.classes, test.rows(), 3)
    assert (plain == learnt(train.rows(), train.classes, test.rows(), 3, np.ones(128))).all()
    assert (plain == learnt(train.rows(), train.classes, test.rows(), 3, np.full(128, 0.5))).all()
    few = np.where(np.arange(128) < 16, 1.0, 1e-9)
    assert (plain != learnt(train.rows(), train.classes, test.rows(), 3, few)).any()
