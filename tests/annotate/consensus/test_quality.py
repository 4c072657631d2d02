from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from landloom.annotate.consensus.evidence import TaskCounts
from landloom.annotate.consensus.quality import Quality


def test_quality_equals_scikit_learn_on_single_pixels() -> None:
    rng = np.random.default_rng(1)
    rows = rng.dirichlet(np.ones(4), 500)
    truth = rng.integers(0, 4, 500)
    counts = TaskCounts(tasks=np.arange(500) // 50, patterns=np.arange(500), truth=truth, count=np.ones(500), number=10)
    label = rows.argmax(axis=1)
    found = Quality.of(rows, label.astype(np.int16), counts)
    assert found.log_loss == pytest.approx(log_loss(truth, rows, labels=range(4)))
    assert found.brier == pytest.approx(brier_score_loss(truth, rows, scale_by_half=False))
    assert found.accuracy.value == (label == truth).mean()
    assert found.confusion.sum() == 500
    assert sum(one.right.pixels for one in found.reliability) == 500


def test_the_calibration_error_by_hand() -> None:
    rows = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]])
    counts = TaskCounts(
        tasks=np.array([0, 1, 1]),
        patterns=np.arange(3),
        truth=np.array([0, 1, 0]),
        count=np.array([3.0, 1.0, 4.0]),
        number=2,
    )
    found = Quality.of(rows, np.zeros(3, np.int16), counts)
    assert found.ece == pytest.approx((4 * abs(0.9 - 0.75) + 4 * abs(0.6 - 1.0)) / 8)
    assert [one.document()["right"]["value"] for one in found.reliability] == [1.0, 0.75]
    assert found.document()["accuracy"]["pixels"] == 8
