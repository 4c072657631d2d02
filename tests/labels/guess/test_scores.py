"""Accuracies against scikit-learn, and importances summed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, precision_score, recall_score

from landloom.labels.guess.scores import Importances, Scores


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_scores_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, predicted = rng.integers(1, 5, (2, 40), dtype=np.uint8)
    scores = Scores.of(reference, predicted)
    names = list(scores.classes)
    np.testing.assert_array_equal(scores.matrix, confusion_matrix(reference, predicted, labels=names))
    assert scores.accuracy == pytest.approx(accuracy_score(reference, predicted))
    recall = recall_score(reference, predicted, labels=names, average=None, zero_division=0)
    precision = precision_score(reference, predicted, labels=names, average=None, zero_division=0)
    for code, own_recall, own_precision in zip(names, recall, precision, strict=True):
        assert scores.producers.get(code, 0) == pytest.approx(own_recall)
        assert scores.users.get(code, 0) == pytest.approx(own_precision)
    parts = [Scores.of(reference[:13], predicted[:13]), Scores.of(reference[13:], predicted[13:])]
    whole = Scores.total(parts)
    np.testing.assert_array_equal(whole.matrix, scores.matrix)
    np.testing.assert_array_equal(Scores.parse(scores.document()).matrix, scores.matrix)


def test_pixels_without_a_reference_do_not_count() -> None:
    scores = Scores.of(np.array([0, 5, 5], np.uint8), np.array([6, 5, 0], np.uint8))
    assert (scores.pixels, scores.accuracy, scores.classes) == (2, 0.5, (0, 5))


def test_importances_are_summed_by_band_and_month() -> None:
    from landloom.model.time import parse_instant

    times = [parse_instant(day) for day in ("2018-03-02", "2018-01-05", "2018-03-30")]
    values = np.arange(6.0) / 15
    found = Importances.of(values, ["B02", "B03"], times)
    assert found.bands == pytest.approx({"B02": 6 / 15, "B03": 9 / 15})
    assert found.months == pytest.approx({"2018-01": 5 / 15, "2018-03": 10 / 15})
    assert list(found.months) == ["2018-01", "2018-03"]
