"""Measures of confusion matrices against scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.labels.confusion import (
    balanced_accuracy,
    confusion,
    f1,
    macro_f1,
    overall_accuracy,
    producers_accuracy,
    users_accuracy,
    weighted_f1,
)

metrics: Any = pytest.importorskip("sklearn.metrics")


@given(st.integers(0, 2**32 - 1), st.integers(2, 7), st.integers(1, 60))
def test_measures_are_those_of_scikit_learn(seed: int, size: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    truth, found = random.integers(0, size, (2, rows))
    weight = random.uniform(0.1, 4, rows)
    table = confusion(truth, found, size, weight)
    known: dict[str, Any] = {"sample_weight": weight, "zero_division": 0}
    present = sorted({*truth.tolist(), *found.tolist()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that are only predicted
        assert table == pytest.approx(metrics.confusion_matrix(truth, found, labels=range(size), sample_weight=weight))
        assert overall_accuracy(table) == pytest.approx(metrics.accuracy_score(truth, found, sample_weight=weight))
        balanced = metrics.balanced_accuracy_score(truth, found, sample_weight=weight)
        assert balanced_accuracy(table) == pytest.approx(balanced)
        assert macro_f1(table) == pytest.approx(metrics.f1_score(truth, found, average="macro", **known))
        assert weighted_f1(table) == pytest.approx(metrics.f1_score(truth, found, average="weighted", **known))
        precision, recall, own, _ = metrics.precision_recall_fscore_support(truth, found, labels=range(size), **known)
    assert np.nan_to_num(users_accuracy(table)) == pytest.approx(precision)
    assert np.nan_to_num(producers_accuracy(table)) == pytest.approx(recall)
    assert np.nan_to_num(f1(table)) == pytest.approx(own)
    assert np.isfinite(f1(table)).nonzero()[0].tolist() == present


def test_tables_of_groups_are_measured_at_once() -> None:
    random = np.random.default_rng(5)
    truth, found, group = random.integers(0, 4, (3, 200))
    tables = confusion(truth, found, 4, group=group)
    for number, table in enumerate(tables):
        own = confusion(truth[group == number], found[group == number], 4)
        assert np.array_equal(table, own)
        for measure in (overall_accuracy, producers_accuracy, users_accuracy, f1, macro_f1, weighted_f1):
            assert measure(tables)[number] == pytest.approx(measure(own))


def test_nothing_has_no_accuracy() -> None:
    table = confusion(np.zeros(0, np.int64), np.zeros(0, np.int64), 3)
    assert np.isnan(overall_accuracy(table))
    assert np.isnan(balanced_accuracy(table))
    assert np.isnan(f1(table)).all()
