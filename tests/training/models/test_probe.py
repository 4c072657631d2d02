"""The linear probe against scikit-learn, and its targets."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from landloom.errors import InvalidInputError
from landloom.training.models.probe import PENALTIES, LinearProbe


def rows(count: int = 90, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(3, 2, (count, 5)).astype(np.float32)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_logistic_regression(classes: int) -> None:
    made = rows()
    label = np.clip((made[:, 0] + made[:, 1] / 2 - 3).astype(np.int64), 0, classes - 1)
    probe = LinearProbe.fit(made, label, np.ones(len(made)), classes=classes + 2)
    scaler = StandardScaler().fit(made.astype(np.float64))
    told = [
        LogisticRegression(C=one, max_iter=1_000, tol=1e-3)
        .fit(scaler.transform(made), label)
        .predict_proba(scaler.transform(made))
        for one in PENALTIES
    ]
    found = probe.predict(made)
    assert found.shape == (90, classes + 2)
    assert not found[:, classes:].any()
    assert min(np.abs(found[:, :classes] - one).max() for one in told) < 1e-3


def test_shares_are_classes_with_weights() -> None:
    made = rows()
    shares = np.zeros((90, 2))
    shares[:, 1] = 1 / (1 + np.exp(-(made[:, 2] - 3)))
    shares[:, 0] = 1 - shares[:, 1]
    found = LinearProbe.fit(made, shares, np.ones(90), classes=2).predict(made)
    assert np.abs(found - shares).max() < 0.15


def test_numbers_are_learnt_by_ridge_regression() -> None:
    made = rows()
    value = (2 * made[:, 1] - made[:, 3]).astype(np.float32)
    weight = np.linspace(0.1, 1, 90)
    probe = LinearProbe.fit(made, value, weight, classes=0)
    scaled = StandardScaler().fit_transform(made.astype(np.float64))
    told = [Ridge(alpha=1 / one).fit(scaled, value, sample_weight=weight).predict(scaled) for one in PENALTIES]
    assert min(np.abs(probe.predict(made) - one).max() for one in told) < 1e-4


def test_too_little_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="got 3 labelled rows of 2 classes, expected 4 rows and 2 classes"):
        LinearProbe.fit(rows(3), np.array([0, 1, 0]), np.ones(3), classes=2)
    with pytest.raises(InvalidInputError, match="got 90 labelled rows of 1 classes"):
        LinearProbe.fit(rows(), np.zeros(90, np.int64), np.ones(90), classes=2)
