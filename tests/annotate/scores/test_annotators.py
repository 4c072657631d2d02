from __future__ import annotations

import numpy as np
import pytest
from tests.annotate.made import answers, campaign, task

from landloom.annotate.scores.annotators import score_annotators


def test_scores_by_hand() -> None:
    tasks = [
        task("right", [1, 1, 2, 2], [1, 2, 0, 2], guess=[1, 2, 2, 1], reference=[1, 1, 2, 2]),
        task("planted", [3, 3, 2, 2], [1, 1, 2, 2], guess=[3, 3, 2, 2], original=[1, 1, 2, 2]),
        task("blind", [1, 2, 2, 2], [1, 1, 2, 2], original=[1, 2, 2, 2], reference=[1, 1, 2, 2]),
    ]
    first, second = score_annotators(tasks, [1, 2, 3])
    assert (first.annotator, first.tasks, first.pixels, second.pixels) == (1, 3, 12, 11)
    assert first.by_task == {"right": 1.0, "blind": 0.75}
    assert (first.accuracy.right, first.accuracy.pixels, first.accuracy.tasks) == (7, 8, 2)
    assert second.by_task == {"right": 2 / 3, "blind": 1.0}
    assert first.confusion.tolist() == [[3, 1, 0], [0, 4, 0], [0, 0, 0]]
    assert first.by_class([1, 2, 3]) == {1: 0.75, 2: 1.0}
    assert (first.edited.right, first.edited.pixels) == (2, 8)
    assert (first.planted.right, first.planted.pixels) == (2, 2)
    assert (second.planted.right, second.planted.pixels) == (0, 2)
    assert (first.copied.right, first.copied.pixels) == (0, 2)
    assert (second.copied.right, second.copied.pixels) == (1, 2)
    assert (first.unseen.right, first.unseen.pixels) == (1, 1)
    assert first.copy_rate == 0.5
    assert second.document()["copy_rate"] == 0.25


def test_copy_rates_order_annotators_as_they_copy() -> None:
    scores = score_annotators(answers(campaign(copying=(0.1, 0.5, 0.9))), range(1, 8))
    rates = [one.copy_rate for one in scores]
    assert rates == sorted(rates)
    assert rates[2] == pytest.approx(0.9, abs=0.1)
    edits = [one.edited.value for one in scores]
    assert edits == sorted(edits, reverse=True)


def test_nobody_has_no_rate() -> None:
    (one,) = score_annotators([task("a", [1, 0])], [1])
    assert np.isnan(one.copy_rate)
    assert one.document()["copy_rate"] is None
    assert one.document()["accuracy"]["value"] is None
