"""What the methods of consensus share: response patterns as sparse tables, and accuracy known from reference tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.annotate.scores.intervals import design_effect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.answers.patterns import Patterns

LEAST: Final = 1e-10
"""Least probability; crowd-kit has the same."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """Result of a method."""

    posterior: NDArray[np.float64]
    """(pattern, class) probabilities; rows sum to 1, and to 0 where there is no label."""
    notes: tuple[str, ...] = ()
    """What a reader has to know: missing references, a simpler model in use."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Fitted values, as JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskCounts:
    """Pixels of reference tasks by pattern and true class, task by task: what models are fitted and checked on."""

    tasks: NDArray[np.int64]
    """(row,) position of the task among the reference tasks, ascending."""
    patterns: NDArray[np.int64]
    """(row,) pattern."""
    truth: NDArray[np.int64]
    """(row,) true class."""
    count: NDArray[np.float64]
    """(row,) pixels."""
    number: int
    """Reference tasks, those without rows included."""

    @classmethod
    def of(cls, patterns: Patterns, references: Mapping[int, NDArray[np.uint8]]) -> Self:
        """Count the pixels of reference tasks.

        Args:
            patterns: of all tasks.
            references: position of each reference task → (pixel,) codes of its expert answer.
        """
        size, digit = len(patterns.classes), np.full(256, -1, np.int64)
        digit[list(patterns.classes)] = np.arange(size)
        parts: list[tuple[NDArray[np.int64], ...]] = []
        for at, (task, reference) in enumerate(references.items()):
            truth = digit[reference]
            packed = patterns.of_task(task)[truth >= 0].astype(np.int64) * size + truth[truth >= 0]
            rows, count = np.unique(packed, return_counts=True)
            parts.append((np.full(len(rows), at), rows // size, rows % size, count))
        empty = np.zeros(0, np.int64)
        tasks, which, truth, count = (
            np.concatenate([part[side] for part in parts] or [empty]).astype(np.int64) for side in range(4)
        )
        number = len(references)
        return cls(tasks=tasks, patterns=which, truth=truth, count=count.astype(np.float64), number=number)

    def only(self, chosen: NDArray[np.bool_]) -> TaskCounts:
        """Some of the reference tasks, which keep their positions: (task,) True to keep."""
        return self.rows(chosen[self.tasks])

    def rows(self, chosen: NDArray[np.bool_]) -> TaskCounts:
        """Some of the rows: (row,) True to keep."""
        return TaskCounts(
            tasks=self.tasks[chosen],
            patterns=self.patterns[chosen],
            truth=self.truth[chosen],
            count=self.count[chosen],
            number=self.number,
        )

    def table(self, patterns: int, classes: int) -> NDArray[np.float64]:
        """(pattern, class) pixels."""
        packed = self.patterns * classes + self.truth
        sums = np.bincount(packed, weights=self.count, minlength=patterns * classes)
        return np.asarray(sums, np.float64).reshape(patterns, classes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What reference tasks say about each annotator."""

    accuracy: NDArray[np.float64]
    """(annotator,) share of reference pixels labelled right; that of all annotators together where one has none."""
    tasks: NDArray[np.int64]
    """(annotator,) reference tasks."""
    effect: NDArray[np.float64]
    """(annotator,) pixels that are worth one independent pixel."""

    @classmethod
    def of(cls, patterns: Patterns, counts: TaskCounts) -> Self | None:
        """Measure all annotators; None if no reference pixel was labelled."""
        people = len(patterns.annotators)
        right, whole = np.zeros((people, counts.number)), np.zeros((people, counts.number))
        for seat in range(patterns.labels.shape[1]):
            labels, who = patterns.labels[counts.patterns, seat], patterns.who[counts.patterns, seat]
            rows = np.flatnonzero(labels >= 0)
            np.add.at(whole, (who[rows], counts.tasks[rows]), counts.count[rows])
            hits = rows[labels[rows] == counts.truth[rows]]
            np.add.at(right, (who[hits], counts.tasks[hits]), counts.count[hits])
        if not whole.sum():
            return None
        pooled = float(right.sum() / whole.sum())
        sums = whole.sum(axis=1)
        accuracy = np.where(sums > 0, right.sum(axis=1) / np.maximum(sums, 1), pooled)
        effect = [design_effect(part[of > 0], of[of > 0]) for part, of in zip(right, whole, strict=True)]
        return cls(accuracy=accuracy, tasks=(whole > 0).sum(axis=1), effect=np.array(effect))

    def without(self, annotators: Sequence[int | str]) -> list[int | str]:
        """Annotators without any reference task."""
        return [one for one, tasks in zip(annotators, self.tasks.tolist(), strict=True) if not tasks]


def indicator(patterns: Patterns) -> Any:
    """(pattern, annotator × class) sparse table of ones: what each pattern's annotators chose."""
    from scipy.sparse import csr_array

    rows, seats = np.nonzero(patterns.labels >= 0)
    columns = patterns.who[rows, seats].astype(np.int64) * len(patterns.classes) + patterns.labels[rows, seats]
    shape = (len(patterns.count), len(patterns.annotators) * len(patterns.classes))
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def normalised(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of logarithms as probabilities that sum to 1."""
    shifted = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shifted / (shifted @ np.ones((logs.shape[1], 1))))  # faster than a sum of short rows


def log_rows(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of (annotator, true class, label) rates as (annotator × label, true class), for `indicator`."""
    return np.log(np.maximum(tables, 1e-300)).transpose(0, 2, 1).reshape(-1, tables.shape[1])


def one_coin_tables(accuracy: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """(annotator, true class, label) rates of annotators whose errors fall on all other classes alike."""
    right = np.clip(accuracy, LEAST, 1 - LEAST)
    wrong = (1 - right) / max(classes - 1, 1)
    return np.where(np.eye(classes, dtype=np.bool_), right[:, None, None], wrong[:, None, None])
