"""Confident learning: how often labels are wrong, and which (Northcutt et al. 2021).

Confident learning: estimating uncertainty in dataset labels, doi:10.1613/jair.1.12125, sections 3.1 and 3.2. A sample
counts as of class j where its probability of j is at least the mean probability of j among the samples labelled j; of
several such classes the most probable one. Counting labels against these classes gives the joint distribution of given
and true labels. Probabilities must be of models that were not trained on the sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.labels.confusion import confusion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROUNDING: Final = 1e-6
"""Probabilities that miss a threshold by less reach it: they were computed in single precision."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelNoise:
    """What out-of-sample probabilities say about labels.

    Example:
        >>> given = np.array([0, 0, 0, 1, 1, 1])
        >>> chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])
        >>> found = LabelNoise.of(given, chances)
        >>> found.suspected.tolist(), found.joint.round(2).tolist()
        ([False, False, True, False, False, False], [[0.33, 0.17], [0.0, 0.5]])
    """

    thresholds: NDArray[np.float64]
    """(class,) mean probability of a class among the samples labelled as it; above 1 for a class without any."""
    counts: NDArray[np.float64]
    """(class, class) confident joint: weight by given label and by the class that a row is confidently of."""
    joint: NDArray[np.float64]
    """(class, class) share of all rows by given and true label; rows sum to the shares of the given labels."""
    suspected: NDArray[np.bool_]
    """(row,) labels that are probably wrong."""
    suggested: NDArray[np.int64]
    """(row,) class of largest probability other than the label's."""
    quality: NDArray[np.float64]
    """(row,) probability of the given label: how well it fits, 0 to 1."""
    margin: NDArray[np.float64]
    """(row,) probability of the label − that of the suggested class, from −1 to 1."""

    @classmethod
    def of(
        cls, given: NDArray[np.int64], probabilities: NDArray[Any], weight: NDArray[np.float64] | None = None
    ) -> Self:
        """Estimate the noise of labels.

        As many rows of each pair of given and true label are suspected as the joint distribution says, those of the
        largest margin first ("prune by noise rate"), and none whose label is its most probable class.

        Args:
            given: (row,) class of the label.
            probabilities: (row, class) of models that have not seen the row.
            weight: (row,) what each counts; 1 by default.
        """
        chances = np.asarray(probabilities, np.float64)
        rows, classes = chances.shape
        weights = np.ones(rows) if weight is None else weight
        own = chances[np.arange(rows), given]
        held = np.bincount(given, weights, classes).astype(np.float64)
        sums = np.bincount(given, weights * own, classes)
        thresholds = np.divide(sums, held, out=np.full(classes, 2.0), where=held > 0)
        passing = np.where(chances >= thresholds - _ROUNDING, chances, -1)
        confident = passing.max(axis=1, initial=-1) >= 0
        believed = passing.argmax(axis=1)
        counts = confusion(given[confident], believed[confident], classes, weights[confident])
        joint = _joint(counts, held)
        others = chances.copy()
        others[np.arange(rows), given] = -1
        suggested = others.argmax(axis=1).astype(np.int64)
        margin = own - others.max(axis=1)
        return cls(
            thresholds=thresholds,
            counts=counts,
            joint=joint,
            suspected=_suspected(given, chances, weights, joint * held.sum()) & (margin < 0),
            suggested=suggested,
            quality=own,
            margin=margin,
        )

    @property
    def share(self) -> float:
        """Share of all labels that are wrong, as the joint distribution says."""
        return float(self.joint.sum() - np.trace(self.joint))

    def document(self, classes: Sequence[str]) -> dict[str, Any]:
        """As JSON values."""
        return {
            "classes": list(classes),
            "wrong_share": self.share,
            "joint": self.joint.tolist(),
            "suspected": int(self.suspected.sum()),
        }


def _joint(counts: NDArray[np.float64], held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale the counts so that rows sum to the labels given (equation 3); a class without confident rows is right."""
    sums = counts.sum(axis=1, keepdims=True)
    whole = np.where(sums > 0, counts / np.where(sums > 0, sums, 1), np.eye(len(held)))
    joint: NDArray[np.float64] = whole * (held / max(held.sum(), 1e-300))[:, None]
    return joint


def _suspected(
    given: NDArray[np.int64],
    chances: NDArray[np.float64],
    weights: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Rows to look at: of each label, those that most clearly look like each other class, as many as expected."""
    found = np.zeros(len(given), np.bool_)
    for label in range(len(expected)):
        rows = np.flatnonzero(given == label)
        for other in np.flatnonzero(expected[label] > 0).tolist():
            if other == label:
                continue
            margin = chances[rows, other] - chances[rows, label]
            order = rows[np.argsort(-margin, kind="stable")]
            before = np.cumsum(weights[order]) - weights[order] / 2
            found[order[before < expected[label, other]]] = True
    return found
