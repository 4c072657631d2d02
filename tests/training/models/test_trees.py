"""Trees: weights as repetitions, shares as parts of samples, missing values, files that hold nothing else."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import skops.io

from landloom.errors import InvalidInputError
from landloom.training.models.trees import BOOSTING, FOREST, Trees, features

DRAW = np.random.default_rng(4)
VALUES = DRAW.normal(size=(120, 5, 2)).astype(np.float32)
LABEL = (VALUES[:, 1, 0] > 0).astype(np.int64) * 2
VALID = DRAW.random((120, 5)) > 0.2
ROWS = features(VALUES, VALID)
OPTIONS: dict[str, Any] = {"trees": 15}


def fit(name: str, target: Any = LABEL, weight: Any = None, classes: int = 3, rows: Any = ROWS) -> Trees:
    weights = np.ones(len(rows)) if weight is None else weight
    return Trees.fit(name, rows, target, weights, classes=classes, seed=2, options=OPTIONS)


@pytest.mark.parametrize("name", [FOREST, BOOSTING])
def test_they_learn_and_are_the_same_after_a_file(name: str) -> None:
    trees = fit(name)
    found = trees.predict(ROWS)
    seen = VALID[:, 1]
    assert (found.argmax(axis=1) == LABEL)[seen].mean() > 0.95
    assert (found[:, 1] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    again = Trees.decoded(trees.encoded())
    assert np.array_equal(again.predict(ROWS), found)
    assert np.array_equal(fit(name).predict(ROWS), found)


@pytest.mark.parametrize("name", [FOREST, BOOSTING])
def test_values_are_regressed(name: str) -> None:
    target = VALUES[:, 1, 0].astype(np.float32)
    found = fit(name, target, classes=0, rows=features(VALUES, np.ones_like(VALID))).predict(ROWS)
    assert found.shape == (120,)
    assert np.corrcoef(found[VALID[:, 1]], target[VALID[:, 1]])[0, 1] > 0.8


def test_whole_shares_are_classes_and_none_is_left_out() -> None:
    shares = np.eye(3, dtype=np.float32)[LABEL]
    assert np.array_equal(fit(BOOSTING, shares).predict(ROWS), fit(BOOSTING).predict(ROWS))
    shares[:60] = 0
    half = np.where(np.arange(120) < 60, -1, LABEL)
    assert np.array_equal(fit(BOOSTING, shares).predict(ROWS), fit(BOOSTING, half).predict(ROWS))
    weight = (np.arange(120) >= 60).astype(np.float32)
    assert np.array_equal(fit(BOOSTING, LABEL, weight).predict(ROWS), fit(BOOSTING, half).predict(ROWS))


def test_shares_come_back_where_nothing_tells_samples_apart() -> None:
    rows = np.zeros((50, 3), np.float32)
    shares = np.tile(np.array([[0.5, 0.3, 0.2]], np.float32), (50, 1))
    np.testing.assert_allclose(fit(BOOSTING, shares, rows=rows).predict(rows[:1]), shares[:1], atol=0.02)
    np.testing.assert_allclose(fit(FOREST, shares, rows=rows).predict(rows[:1]), shares[:1], atol=0.05)


def test_what_is_not_valid_is_missing() -> None:
    found = features(VALUES, VALID).reshape(VALUES.shape)
    assert np.isnan(found[~VALID]).all()
    assert np.array_equal(found[VALID], VALUES[VALID])


@pytest.mark.parametrize("name", [FOREST, BOOSTING])
def test_what_training_never_saw_does_not_matter(name: str) -> None:
    there = VALID.copy()
    there[:, 3] = False
    trees = fit(name, rows=features(VALUES, there))
    assert np.array_equal(trees.predict(features(VALUES, VALID)), trees.predict(features(VALUES, there)))
    with pytest.raises(InvalidInputError, match="without a single value"):
        fit(name, rows=np.full_like(ROWS, np.nan))


def test_what_cannot_be_learnt_is_said() -> None:
    with pytest.raises(InvalidInputError, match="rows of class 0 alone"):
        fit(FOREST, np.zeros(120, np.int64))
    with pytest.raises(InvalidInputError, match="no row with a target"):
        fit(FOREST, np.full(120, -1))
    with pytest.raises(InvalidInputError, match="forest: got the option 'rate', expected some of trees"):
        Trees.fit(FOREST, ROWS, LABEL, np.ones(120), classes=3, seed=0, options={"rate": 0.1})


def test_files_with_other_types_are_refused() -> None:
    buffer = io.BytesIO()
    skops.io.dump({"estimator": io.StringIO}, buffer)
    with pytest.raises(InvalidInputError, match="types that it does not need"):
        Trees.decoded(buffer.getvalue())
    with pytest.raises(InvalidInputError, match="expected a file of trees"):
        Trees.decoded(skops.io.dumps({"known": [1]}))
    with pytest.raises(InvalidInputError, match="got a file of list"):
        Trees.decoded(skops.io.dumps([1]))
