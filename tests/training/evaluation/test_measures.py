"""Calibration against torchmetrics, and Brier score and fractions against their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.training.evaluation.cases import CLASSES, drawn

from landloom.training.evaluation.measures import BY_CLASS, OVERALL, TITLES, brier, calibration_error, misplaced_share
from landloom.training.evaluation.sums import BINS, Sums


@pytest.mark.parametrize("skill", [0.2, 1.5, 4.0])
def test_calibration_error_is_that_of_torchmetrics(skill: float) -> None:
    torch: Any = pytest.importorskip("torch")
    functional: Any = pytest.importorskip("torchmetrics.functional.classification")
    made = drawn(skill=skill)
    rows, truth = torch.from_numpy(made.probabilities.copy()), torch.from_numpy(made.truth)
    known = functional.multiclass_calibration_error(rows, truth, len(CLASSES), n_bins=BINS, norm="l1")
    assert calibration_error(Sums.by_block(made).total) == pytest.approx(float(known), abs=1e-6)


def test_brier_score_is_the_mean_squared_error() -> None:
    made = drawn()
    hot = np.eye(len(CLASSES))[made.truth]
    known = ((made.probabilities - hot) ** 2).sum(axis=1).mean()
    assert brier(Sums.by_block(made).total) == pytest.approx(known)


def test_misplaced_share_is_the_area_in_wrong_classes() -> None:
    made = drawn(2, shares=[[0.5, 0.3, 0.2], [0, 1, 0]])
    assert made.shares is not None
    known = np.abs(made.probabilities - made.shares).sum(axis=1).mean() / 2
    assert misplaced_share(Sums.by_block(made).total) == pytest.approx(known)
    assert np.isnan(misplaced_share(Sums.by_block(drawn(2)).total))


def test_every_measure_has_a_title_and_measures_resamples() -> None:
    sums = Sums.by_block(drawn(90))
    times = np.random.default_rng(0).integers(0, 3, (7, len(sums.squares))).astype(np.float64)
    for name, measure in {**OVERALL, **BY_CLASS}.items():
        assert name in TITLES
        values = measure(sums.combined(times))
        for place in range(7):
            single = measure(sums.combined(times[place]))
            assert values[place] == pytest.approx(single, nan_ok=True)
