"""Scores of breaks and of maps of change, against plain counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score

from landloom.errors import InvalidValueError
from landloom.imagery.change.scores import score_breaks, semantic_change


def test_breaks_are_counted_once() -> None:
    date = np.array([[100.0, 100.0, np.nan, 380.0, 20.0], [110.0, 300.0, np.nan, np.nan, np.nan]])
    event = np.array([104.0, 280.0, 200.0, 370.0, np.nan])
    scores, which = score_breaks(date, event, (0.0, 365.0))
    assert (scores.hits, scores.missed, scores.false) == (2, 2, 4)
    assert (scores.stable, scores.disturbed) == (1, 1)
    assert which.tolist() == [0, -1, -1, 0, -1]


@given(st.integers(0, 1_000))
def test_parts_add_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    date = np.where(rng.random((3, 40)) < 0.4, rng.uniform(-50, 400, (3, 40)), np.nan)
    event = np.where(rng.random(40) < 0.5, rng.uniform(0, 365, 40), np.nan)
    whole, _ = score_breaks(date, event, (0.0, 365.0))
    left, right = (score_breaks(date[:, part], event[part], (0.0, 365.0))[0] for part in (np.s_[:17], np.s_[17:]))
    assert left + right == whole
    assert whole.hits + whole.missed == np.isfinite(event).sum()


@given(st.integers(0, 1_000))
def test_semantic_change_is_a_mean_of_jaccard_scores(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted = rng.integers(0, 4, (2, 5, 6, 6))
    found = semantic_change(truth, predicted, 4)
    changed = truth[1:] != truth[:-1]
    binary = jaccard_score(changed.ravel(), (predicted[1:] != predicted[:-1]).ravel())
    there = np.unique(truth[1:][changed])
    classes = jaccard_score(truth[1:][changed], predicted[1:][changed], average="macro", labels=there)
    assert found.binary == pytest.approx(binary)
    assert found.semantic == pytest.approx(classes)
    assert found.score == pytest.approx((binary + classes) / 2)


def test_semantic_change_by_hand() -> None:
    """Toker et al. 2022: five pixels, three of which change, to the classes 1, 1 and 2.

    Found as changed are the second to the fourth: BC = 2 / 4. Where there is change, the classes found are 1, 0 and 1:
    IoU of 1 is 1 / 3, of 2 is 0 / 1, and 0 does not count, as no pixel has changed to it: SC = 1 / 6.
    """
    truth = np.array([[[0, 0, 0, 2, 1]], [[0, 1, 1, 2, 2]]])
    predicted = np.array([[[0, 0, 1, 0, 1]], [[0, 1, 0, 2, 1]]])
    found = semantic_change(truth, predicted, 3)
    assert (found.both, found.either) == (2, 4)
    assert found.confusion.tolist() == [[0, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert found.binary == 0.5
    assert found.semantic == pytest.approx(1 / 6)
    assert found.score == pytest.approx((1 / 2 + 1 / 6) / 2)


def test_pixels_without_a_label_do_not_count() -> None:
    truth = np.array([[[0, 0, -1]], [[1, -1, 1]]])
    found = semantic_change(truth, np.array([[[0, 1, 0]], [[1, 0, 1]]]), 2)
    assert (found.both, found.either, int(found.confusion.sum())) == (1, 1, 1)
    assert found.score == 1.0


def test_the_truth_scores_one_and_no_change_nothing() -> None:
    truth = np.random.default_rng(0).integers(0, 3, (3, 8, 8))
    assert semantic_change(truth, truth, 3).score == 1.0
    still = np.broadcast_to(truth[:1], truth.shape)
    assert semantic_change(truth, still, 3).binary == 0.0
    assert np.isnan(semantic_change(still, still, 3).score)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="dates"):
        score_breaks(np.zeros((2, 3)), np.zeros(4), (0.0, 1.0))
    with pytest.raises(InvalidValueError, match="two or more"):
        semantic_change(np.zeros((1, 2, 2), int), np.zeros((1, 2, 2), int), 2)
    with pytest.raises(InvalidValueError, match="0 to 1"):
        semantic_change(np.zeros((2, 2, 2), int), np.full((2, 2, 2), 5), 2)
