"""How well dated breaks agree with dated truth, and maps of change with labelled ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE: Final = 15.0
"""Days within which a break's date counts as right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakScores:
    """Breaks against the truth; those of several parts can be added.

    Example:
        >>> one = BreakScores(hits=8, missed=2, false=2, stable=100, disturbed=1)
        >>> round(one.f1, 3), round(one.false_share, 3), (one + one).hits
        (0.8, 0.01, 16)
    """

    hits: int
    """Events with a break within the tolerance."""
    missed: int
    """Events without."""
    false: int
    """Breaks that belong to no event; of two near one event the second too."""
    stable: int
    """Pixels without an event."""
    disturbed: int
    """Those among them with a break."""

    @property
    def precision(self) -> float:
        """Share of the breaks that belong to an event; not a number without breaks."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else float("nan")

    @property
    def recall(self) -> float:
        """Share of the events that were found; not a number without events."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of the two; not a number without events and breaks."""
        total = 2 * self.hits + self.missed + self.false
        return 2 * self.hits / total if total else float("nan")

    @property
    def false_share(self) -> float:
        """Share of the stable pixels with a break; not a number without stable pixels."""
        return self.disturbed / self.stable if self.stable else float("nan")

    def __add__(self, other: Self) -> Self:
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in BreakScores.__slots__})


def score_breaks(
    date: NDArray[np.floating],
    event: NDArray[np.floating],
    period: tuple[float, float],
    tolerance: float = TOLERANCE,
) -> tuple[BreakScores, NDArray[np.int64]]:
    """Compare the breaks of pixels with at most one true event each.

    Args:
        date: (break, …) days; not a number where there is none.
        event: (…) day of the event; not a number on stable pixels.
        period: first day, and the day after the last: breaks outside of it are not judged, except near an event.
        tolerance: days.

    Returns:
        The scores, and (…) the index of the break that belongs to the event, -1 where there is none.

    Raises:
        InvalidValueError: inconsistent shapes.

    Example:
        >>> found = np.array([[100.0, 40.0, np.nan], [200.0, np.nan, np.nan]])
        >>> scores, which = score_breaks(found, np.array([210.0, np.nan, 90.0]), (0.0, 365.0))
        >>> (scores.hits, scores.missed, scores.false, scores.disturbed), which.tolist()
        ((1, 1, 2, 1), [1, -1, -1])
    """
    if date.ndim < 2 or date.shape[1:] != event.shape:
        raise InvalidValueError(f"got dates of {date.shape} and events of {event.shape}, expected (break, …) and (…)")
    away = np.abs(date - event[None])
    near = away <= tolerance
    judged = ((date >= period[0]) & (date < period[1])) | near
    which = np.argmin(np.where(near, away, np.inf), axis=0)
    hit = near.any(axis=0)
    happened = np.isfinite(event)
    scores = BreakScores(
        hits=int(hit.sum()),
        missed=int((happened & ~hit).sum()),
        false=int(judged.sum() - hit.sum()),
        stable=int((~happened).sum()),
        disturbed=int((judged.any(axis=0) & ~happened).sum()),
    )
    return scores, np.where(hit, which, -1).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SemanticChange:
    """Counts from which the semantic change segmentation score follows; those of several parts can be added.

    Toker et al. 2022 (DynamicEarthNet, arXiv:2203.12560): mean of the binary change score, the intersection over union
    of changed pixels, and of the semantic change score, the mean intersection over union on pixels that have truly
    changed, over the classes that they have changed to, as in the authors' program.
    """

    both: int
    """Pixels that changed in truth and in the prediction."""
    either: int
    """Pixels that changed in one or the other."""
    confusion: NDArray[np.int64]
    """(true class, predicted class) of pixels that have truly changed, after the change."""

    @property
    def binary(self) -> float:
        """Binary change score; not a number if nothing changed and nothing was found."""
        return self.both / self.either if self.either else float("nan")

    @property
    def semantic(self) -> float:
        """Semantic change score, over classes that occur in truth; not a number if nothing changed."""
        right, true = np.diag(self.confusion), self.confusion.sum(axis=1)
        total = self.confusion.sum(axis=0) + true - right
        return float(np.mean(right[true > 0] / total[true > 0])) if true.any() else float("nan")

    @property
    def score(self) -> float:
        """Semantic change segmentation score: the mean of the two."""
        return (self.binary + self.semantic) / 2

    def __add__(self, other: Self) -> Self:
        return type(self)(
            both=self.both + other.both,
            either=self.either + other.either,
            confusion=self.confusion + other.confusion,
        )


def semantic_change(truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int) -> SemanticChange:
    """Counts of a series of label maps against the true one; every map is compared with the one before it.

    Args:
        truth: (time, y, x) class of each pixel, 0 to classes - 1; -1 where there is no label, and pixels without one
            before or after a change do not count.
        predicted: (time, y, x) likewise, without -1 where there is truth.
        classes: number of classes.

    Raises:
        InvalidValueError: inconsistent shapes, one map only, or classes out of range.

    Example:
        >>> truth = np.array([[[0, 0, 0]], [[0, 1, 1]]])
        >>> found = semantic_change(truth, np.array([[[0, 0, 0]], [[0, 1, 0]]]), 2)
        >>> found.binary, found.semantic, found.score
        (0.5, 0.5, 0.5)
    """
    if truth.shape != predicted.shape or truth.ndim != 3 or len(truth) < 2:
        raise InvalidValueError(
            f"got labels of {truth.shape} and predictions of {predicted.shape}, expected (time, y, x) of two or more"
        )
    known = (truth[1:] >= 0) & (truth[:-1] >= 0)
    for name, maps in (("labels", truth), ("predictions", predicted)):
        used = np.concatenate([maps[1:][known], maps[:-1][known]])
        if used.size and not (used.min() >= 0 and used.max() < classes):
            raise InvalidValueError(f"got {name} from {used.min()} to {used.max()}, expected 0 to {classes - 1}")
    changed = known & (truth[1:] != truth[:-1])
    found = known & (predicted[1:] != predicted[:-1])
    pairs = truth[1:][changed].astype(np.int64) * classes + predicted[1:][changed]
    return SemanticChange(
        both=int((changed & found).sum()),
        either=int((changed | found).sum()),
        confusion=np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).astype(np.int64),
    )
