"""Scores of numbers: those of scikit-learn, whether pixels are single or summed, and intervals over blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from landloom.errors import InvalidDocumentError, InvalidInputError
from landloom.training.evaluation.values import Values


@given(st.integers(0, 10_000), st.floats(-1e4, 1e4))
def test_scores_are_those_of_scikit_learn_however_pixels_are_grouped(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    truth = level + rng.normal(0, 2, (5, 3, 4)).astype(np.float32)
    predicted = truth + rng.normal(0.5, 1, truth.shape).astype(np.float32)
    truth[rng.random(truth.shape) < 0.2] = np.nan
    predicted[rng.random(truth.shape) < 0.1] = np.nan
    both = ~np.isnan(truth) & ~np.isnan(predicted)
    rows = [Values.of_pixels(str(n), truth[n], predicted[n], n // 2) for n in range(5)]
    made = Values.joined([row for row in rows if row is not None])
    true, found = truth[both].astype(float), predicted[both].astype(float)
    expected = {
        "mae": metrics.mean_absolute_error(true, found),
        "rmse": metrics.root_mean_squared_error(true, found),
        "bias": (found - true).mean(),
        "r2": metrics.r2_score(true, found),
    }
    scores = made.scores(resamples=10)
    assert {name: one.value for name, one in scores.items()} == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert made.document()["numbers"] == both.sum()


def test_intervals_cover_what_blocks_differ_by() -> None:
    rng = np.random.default_rng(0)
    block = np.repeat(np.arange(30), 10)
    truth = rng.normal(0, 1, 300)
    made = Values.of([str(n) for n in range(300)], truth, truth + np.repeat(rng.normal(0, 1, 30), 10), block)
    bias = made.scores()["bias"]
    # the bias of a block is a draw of its own: 300 rows are worth 30
    assert (bias.high - bias.low) / 3.92 == pytest.approx(30**-0.5, rel=0.3)
    assert "notes" not in made.document()
    few = Values.of(["a", "b"], truth[:2], truth[:2], np.array([0, 1])).document()
    assert few["notes"] == ["2 blocks: intervals by bootstrap are too narrow with fewer than 20"]


def test_numbers_that_do_not_vary_have_no_r2() -> None:
    made = Values.of(["a", "b"], np.full(2, 1e6 + 0.1), np.array([1e6, 1e6]), np.array([0, 1]))
    assert made.document()["scores"]["r2"]["value"] is None
    assert made.scores()["bias"].value == pytest.approx(-0.1)


def test_files_are_read_back() -> None:
    made = Values.of(["a", "b"], np.array([1.0, 2.0]), np.array([1.5, 2.0]), np.array([4, 7]), unit="t/ha")
    again = Values.decoded(made.encoded(), "values")
    assert (again.id, again.unit, again.block.tolist()) == (("a", "b"), "t/ha", [4, 7])
    assert again.document() == made.document()
    with pytest.raises(InvalidDocumentError, match="is no file of values"):
        Values.decoded(b"nothing", "values")
    with pytest.raises(InvalidInputError, match="got no number to compare"):
        Values.joined([])
    assert Values.of_pixels("a", np.full((2, 2), np.nan), np.zeros((2, 2)), 0) is None
