"""Quality of a consensus on reference tasks: accuracy, calibration error, Brier score, reliability curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.annotate.consensus.evidence import LEAST
from landloom.annotate.scores.intervals import Share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.annotate.consensus.evidence import TaskCounts

BINS: Final = 15
"""Bins of the confidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Pixels whose confidence lies in one bin."""

    low: float
    high: float
    confidence: float
    """Mean of the bin."""
    right: Share
    """Pixels of the bin with the class of the reference."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        bounds = {"low": self.low, "high": self.high, "confidence": self.confidence}
        return {"bin": [bounds["low"], bounds["high"]], "confidence": self.confidence, "right": self.right.document()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quality:
    """Agreement of probabilities with references."""

    accuracy: Share
    """Pixels with the class of the reference."""
    ece: float
    """Expected calibration error: mean distance of confidence and accuracy over the bins, weighted by pixels."""
    brier: float
    """Mean squared error of all probabilities, summed over classes (Brier 1950)."""
    log_loss: float
    """Mean negative logarithm of the probability of the reference's class."""
    reliability: tuple[Reliability, ...]
    """Bins with pixels, ascending."""
    confusion: NDArray[np.int64]
    """(reference class, label) pixels."""

    @classmethod
    def of(cls, rows: NDArray[np.float64], labels: NDArray[np.int16], counts: TaskCounts) -> Self:
        """Compare probabilities with references.

        Args:
            rows: (row, class) probabilities for the rows of `counts`.
            labels: (row,) class chosen, -1 for none.
            counts: pixels of reference tasks.
        """
        labelled = labels >= 0
        rows, labels, counts = rows[labelled], labels[labelled], counts.rows(labelled)
        weight, total = counts.count, max(float(counts.count.sum()), 1.0)
        hit = labels == counts.truth
        confidence = rows[np.arange(len(rows)), labels]
        truth = rows[np.arange(len(rows)), counts.truth]
        bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
        curve = [_bin(at, bins == at, confidence, hit, counts) for at in np.unique(bins).tolist()]
        gaps = sum(one.right.pixels * abs(one.confidence - one.right.value) for one in curve)
        size = rows.shape[1]
        pairs = np.bincount(counts.truth * size + labels, weights=weight, minlength=size * size)
        return cls(
            accuracy=_share(hit, np.ones(len(hit), np.bool_), counts),
            ece=gaps / total,
            brier=float((weight * ((rows**2).sum(axis=1) - 2 * truth + 1)).sum() / total),
            log_loss=float(-(weight * np.log(np.maximum(truth, LEAST))).sum() / total),
            reliability=tuple(curve),
            confusion=pairs.reshape(size, size).astype(np.int64),
        )

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "accuracy": self.accuracy.document(),
            "ece": self.ece,
            "brier": self.brier,
            "log_loss": self.log_loss,
            "reliability": [one.document() for one in self.reliability],
            "confusion": self.confusion.tolist(),
        }


def _bin(
    at: int, own: NDArray[np.bool_], confidence: NDArray[np.float64], hit: NDArray[np.bool_], counts: TaskCounts
) -> Reliability:
    mean = float((counts.count * confidence)[own].sum() / counts.count[own].sum())
    return Reliability(low=at / BINS, high=(at + 1) / BINS, confidence=mean, right=_share(hit, own, counts))


def _share(hit: NDArray[np.bool_], own: NDArray[np.bool_], counts: TaskCounts) -> Share:
    number = int(counts.tasks.max(initial=-1)) + 1
    whole = np.bincount(counts.tasks[own], weights=counts.count[own], minlength=number)
    right = np.bincount(counts.tasks[own & hit], weights=counts.count[own & hit], minlength=number)
    return Share.of(right, whole)
