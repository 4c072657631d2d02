"""Calibrated confidence: a temperature, fitted to predictions of reference tasks that the model has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.annotate.consensus.evidence import LEAST, normalised

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from landloom.annotate.consensus.evidence import TaskCounts

FOLDS: Final = 5
"""Parts of the reference tasks; each is predicted by a model fitted on the others."""
_HOTTEST: Final = 3.0
"""Bounds of the logarithm of a temperature."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossFit:
    """Predictions of reference tasks by models fitted on other reference tasks."""

    rows: NDArray[np.float64]
    """(row, class) probabilities for the rows of the reference tasks, not calibrated."""
    calibrated: NDArray[np.float64]
    """The same, each fold by the temperature of the others."""
    temperature: float
    """Fitted on all folds."""


def cross_fit(counts: TaskCounts, predict: Callable[[TaskCounts], NDArray[np.float64]], *, calibrate: bool) -> CrossFit:
    """Predict each fold of the reference tasks by a model fitted on the other folds.

    Args:
        counts: at least two reference tasks.
        predict: fits on some reference tasks and returns (pattern, class) probabilities.
        calibrate: whether to fit temperatures; without, they are 1.
    """
    folds = min(FOLDS, counts.number)
    fold = np.arange(counts.number) % folds
    rows = np.zeros((len(counts.count), 0))
    for part in range(folds):
        own = fold[counts.tasks] == part
        found = predict(counts.only(fold != part))[counts.patterns[own]]
        if not rows.size:
            rows = np.zeros((len(counts.count), found.shape[1]))
        rows[own] = found
    if not calibrate:
        return CrossFit(rows=rows, calibrated=rows, temperature=1.0)
    calibrated = np.empty_like(rows)
    for part in range(folds):
        own = fold[counts.tasks] == part
        calibrated[own] = tempered(rows[own], temperature(rows[~own], counts.rows(~own)))
    return CrossFit(rows=rows, calibrated=calibrated, temperature=temperature(rows, counts))


def temperature(rows: NDArray[np.float64], counts: TaskCounts) -> float:
    """The temperature that makes the references most probable (Guo et al. 2017, arXiv:1706.04599).

    Args:
        rows: (row, class) probabilities for the rows of `counts`.
        counts: pixels of reference tasks.
    """
    from scipy.optimize import minimize_scalar

    kept = rows.sum(axis=1) > 0
    if not kept.any():
        return 1.0
    logs, truth, count = np.log(np.maximum(rows[kept], LEAST)), counts.truth[kept], counts.count[kept]

    def loss(heat: float) -> float:
        found = normalised(logs / exp(heat))[np.arange(len(truth)), truth]
        return float(-(count * np.log(np.maximum(found, LEAST))).sum())

    return exp(float(minimize_scalar(loss, bounds=(-_HOTTEST, _HOTTEST), method="bounded").x))


def tempered(rows: NDArray[np.float64], heat: float) -> NDArray[np.float64]:
    """Probabilities made flatter (temperatures over 1) or sharper; rows of zeros stay.

    Example:
        >>> tempered(np.array([[0.9, 0.1]]), 2.0).round(2).tolist()
        [[0.75, 0.25]]
    """
    if heat == 1.0:
        return rows
    return np.asarray(normalised(np.log(np.maximum(rows, LEAST)) / heat) * (rows.sum(axis=1, keepdims=True) > 0))
