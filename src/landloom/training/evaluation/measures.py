"""The scores: functions of sums over rows, for one set of rows or for many resamples at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.labels.confusion import (
    balanced_accuracy,
    f1,
    macro_f1,
    overall_accuracy,
    producers_accuracy,
    users_accuracy,
    weighted_f1,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from landloom.training.evaluation.sums import Sums

    Measure = Callable[[Sums], NDArray[np.float64]]


def calibration_error(sums: Sums) -> NDArray[np.float64]:
    """(…,) expected calibration error (Guo et al. 2017, On calibration of modern neural networks).

    It is the mean distance of confidence and accuracy over bins of the confidence, weighted by their rows.
    """
    return _per_weight(np.abs(sums.confidence - sums.right).sum(axis=-1), sums)


def brier(sums: Sums) -> NDArray[np.float64]:
    """(…,) mean squared error of all probabilities, summed over classes (Brier 1950): 0 to 2."""
    return _per_weight(sums.squares, sums)


def misplaced_share(sums: Sums) -> NDArray[np.float64]:
    """(…,) mean share of a sample's area that the predicted fractions give to a wrong class; NaN without fractions."""
    if sums.misplaced is None:
        return np.full(sums.squares.shape, np.nan)
    return _per_weight(sums.misplaced, sums)


OVERALL: Final[Mapping[str, Measure]] = {
    "accuracy": lambda sums: overall_accuracy(sums.table),
    "balanced_accuracy": lambda sums: balanced_accuracy(sums.table),
    "macro_f1": lambda sums: macro_f1(sums.table),
    "weighted_f1": lambda sums: weighted_f1(sums.table),
    "ece": calibration_error,
    "brier": brier,
    "misplaced_share": misplaced_share,
}
"""Name → measure of (…,) values."""
BY_CLASS: Final[Mapping[str, Measure]] = {
    "users": lambda sums: users_accuracy(sums.table),
    "producers": lambda sums: producers_accuracy(sums.table),
    "f1": lambda sums: f1(sums.table),
}
"""Name → measure of (…, class) values."""
TITLES: Final[Mapping[str, str]] = {
    "accuracy": "overall accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "ece": "ECE",
    "brier": "Brier score",
    "misplaced_share": "misplaced share",
    "users": "user's accuracy",
    "producers": "producer's accuracy",
    "f1": "F1",
}
"""Name of a measure → how pages call it."""
SMALLER: Final = frozenset({"ece", "brier", "misplaced_share"})
"""Measures of which less is better."""


def _per_weight(values: NDArray[np.float64], sums: Sums) -> NDArray[np.float64]:
    weight = sums.confident.sum(axis=-1)
    found: NDArray[np.float64] = np.divide(values, weight, out=np.full(weight.shape, np.nan), where=weight > 0)
    return found
