"""Unique response patterns: pixels with the same annotators, guess and labels are treated as one.

A campaign of millions of pixels has a few hundred or thousand patterns, and every method of consensus gives all pixels
of a pattern the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.answers.values import TaskAnswers

NONE: Final = -1
"""Class position of "no label", and position of "no annotator"."""
_DENSE: Final = 2**18
"""Largest number of possible patterns that are counted in a table instead of sorted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patterns:
    """Response patterns of a set of tasks, the pixels of each, and the references known of them.

    Classes and annotators are given by their position in `classes` and `annotators`; -1 means none. n is the number of
    patterns, m the largest number of annotators of a task, k the number of classes.
    """

    classes: tuple[int, ...]
    """Codes of the classes, ascending."""
    annotators: tuple[int | str, ...]
    """All annotators."""
    who: NDArray[np.int16]
    """(n, m) annotator, in the order of the task."""
    labels: NDArray[np.int16]
    """(n, m) class that the annotator chose."""
    shown: NDArray[np.int16]
    """(n,) class of the guess that annotators saw."""
    guess: NDArray[np.int16]
    """(n,) class of the model's guess, whether or not annotators saw it."""
    count: NDArray[np.int64]
    """(n,) pixels."""
    known: NDArray[np.int64]
    """(n, k) pixels whose reference is the class."""
    index: NDArray[np.int32]
    """(pixel,) pattern of every pixel, task after task."""
    starts: NDArray[np.int64]
    """(task + 1,) first pixel of each task, and the end."""

    @classmethod
    def of(cls, answers: Sequence[TaskAnswers], classes: Iterable[int]) -> Self:
        """Collapse the pixels of tasks.

        Args:
            answers: the tasks.
            classes: codes of the classes, 1 to 255.

        Raises:
            InvalidInputError: a label, guess or reference is not a code of the classes; the task is named.
        """
        codes = tuple(sorted(set(classes)))
        if not codes or not 1 <= codes[0] <= codes[-1] <= 255:
            raise InvalidValueError(f"got classes {codes}, expected one or more codes of 1 to 255")
        annotators = tuple(sorted({one for task in answers for one in task.annotators}, key=_natural))
        starts = np.concatenate([[0], np.cumsum([task.pixels for task in answers])]).astype(np.int64)
        build = _Builder(codes, annotators, starts)
        groups: dict[tuple[object, ...], list[int]] = {}
        for at, task in enumerate(answers):
            key = (task.annotators, task.guess is None, task.original is None)
            groups.setdefault(key, []).append(at)
        for rows in groups.values():
            build.add([answers[at] for at in rows], rows)
        return cls(**build.fields())

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return len(self.starts) - 1

    def of_task(self, task: int) -> NDArray[np.int32]:
        """(pixel,) patterns of a task's pixels."""
        return self.index[self.starts[task] : self.starts[task + 1]]

    @property
    def voters(self) -> NDArray[np.int64]:
        """(n,) labels of each pattern."""
        return np.asarray((self.labels >= 0).sum(axis=1))

    def votes(self, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """(n, k) labels for each class, weighted by annotator.

        Args:
            weights: (annotator,) by default 1.
        """
        own = np.ones(len(self.annotators)) if weights is None else weights
        table = np.zeros((len(self.count), len(self.classes)))
        for seat in range(self.labels.shape[1]):
            rows = np.flatnonzero(self.labels[:, seat] >= 0)
            table[rows, self.labels[rows, seat]] += own[self.who[rows, seat]]
        return table


class _Builder:
    """Collects the patterns of groups of tasks that have the same annotators and the same kinds of guesses."""

    def __init__(self, codes: tuple[int, ...], annotators: tuple[int | str, ...], starts: NDArray[np.int64]) -> None:
        self._codes, self._annotators, self._starts = codes, annotators, starts
        self._digit = np.full(256, 255, np.uint8)
        self._digit[0] = 0
        self._digit[list(codes)] = np.arange(1, len(codes) + 1)
        self._place = {one: at for at, one in enumerate(annotators)}
        self._index = np.zeros(int(starts[-1]), np.int32)
        self._parts: list[tuple[NDArray[np.int16], ...]] = []
        self._counts: list[NDArray[np.int64]] = []
        self._known: list[NDArray[np.int64]] = []
        self._rows = 0

    def add(self, tasks: list[TaskAnswers], rows: list[int]) -> None:
        """Add tasks; `rows` are their positions among all tasks."""
        first, base = tasks[0], len(self._codes) + 1
        labels = np.concatenate([task.labels for task in tasks], axis=1) if len(tasks) > 1 else first.labels
        columns = [*labels]
        columns += [
            np.concatenate([getattr(task, name) for task in tasks])
            for name in ("guess", "original")
            if getattr(first, name) is not None
        ]
        for column in columns:
            if column.size and self._digit[column].max() == 255:
                self._complain(tasks)
        table, inverse, count = _collapsed([self._digit[column] for column in columns], base)
        self._keep(table, count, first)
        self._known.append(self._references(tasks, inverse, len(table)))
        inverse += self._rows
        self._rows += len(table)
        at = 0
        for row, task in zip(rows, tasks, strict=True):
            self._index[self._starts[row] : self._starts[row + 1]] = inverse[at : at + task.pixels]
            at += task.pixels

    def _keep(self, table: NDArray[np.int16], count: NDArray[np.int64], first: TaskAnswers) -> None:
        seats = len(first.annotators)
        none = np.full(len(table), NONE, np.int16)
        shown = none if first.guess is None else table[:, seats]
        guess = shown if first.original is None else table[:, -1]
        places = np.array([self._place[one] for one in first.annotators], np.int16)
        who = np.broadcast_to(places, (len(table), seats))
        self._parts.append((who, table[:, :seats], shown, guess))
        self._counts.append(count)

    def _references(self, tasks: list[TaskAnswers], inverse: NDArray[np.int32], size: int) -> NDArray[np.int64]:
        known, base, at = np.zeros((size, len(self._codes)), np.int64), len(self._codes) + 1, 0
        for task in tasks:
            if task.reference is not None:
                digits = self._digit[task.reference]
                if digits.size and digits.max() == 255:
                    self._complain([task])
                pairs = inverse[at : at + task.pixels].astype(np.int64) * base + digits
                table = np.bincount(pairs, minlength=size * base).reshape(size, base)
                known += table[:, 1:]
            at += task.pixels
        return known

    def _complain(self, tasks: list[TaskAnswers]) -> None:
        for task in tasks:
            for name in ("labels", "guess", "original", "reference"):
                raster = getattr(task, name)
                if raster is None:
                    continue
                wrong = np.unique(raster[self._digit[raster] == 255])
                if wrong.size:
                    raise InvalidInputError(
                        f"{task.task}: got {name} {wrong.tolist()}, expected 0 or one of {list(self._codes)}"
                    )

    def fields(self) -> dict[str, Any]:
        """Of all patterns, by name."""
        seats = max((part[1].shape[1] for part in self._parts), default=0)
        who, labels = (
            np.concatenate([_padded(part[side], seats) for part in self._parts] or [np.zeros((0, 0), np.int16)])
            for side in (0, 1)
        )
        shown, guess = (
            np.concatenate([part[side] for part in self._parts] or [np.zeros(0, np.int16)]) for side in (2, 3)
        )
        return {
            "classes": self._codes,
            "annotators": self._annotators,
            "who": who,
            "labels": labels,
            "shown": shown,
            "guess": guess,
            "count": np.concatenate(self._counts or [np.zeros(0, np.int64)]),
            "known": np.concatenate(self._known or [np.zeros((0, len(self._codes)), np.int64)]),
            "index": self._index,
            "starts": self._starts,
        }


def _natural(annotator: int | str) -> tuple[int, str]:
    return (-1, annotator) if isinstance(annotator, str) else (annotator, "")


def _padded(table: NDArray[np.int16], seats: int) -> NDArray[np.int16]:
    return np.pad(table, ((0, 0), (0, seats - table.shape[1])), constant_values=NONE)


def _collapsed(
    columns: Sequence[NDArray[np.uint8]], base: int
) -> tuple[NDArray[np.int16], NDArray[np.int32], NDArray[np.int64]]:
    """Unique rows of columns of digits below `base`, less 1; the row of every pixel; pixels of each row."""
    possible = base ** len(columns)
    if possible >= 2**62:
        rows, inverse, count = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True, return_counts=True)
        return rows.astype(np.int16) - 1, inverse.reshape(-1).astype(np.int32), count.astype(np.int64)
    packed: NDArray[Any] = np.zeros(len(columns[0]), np.int32 if possible < 2**31 else np.int64)
    for column in columns:
        packed *= base
        packed += column
    unique, places, counts = _unique(packed, possible)
    table = np.empty((len(unique), len(columns)), np.int16)
    for at in reversed(range(len(columns))):
        table[:, at] = unique % base - 1
        unique = unique // base
    return table, places, counts


def _unique(packed: NDArray[Any], possible: int) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Ascending unique values, the position of every value among them, and how often each occurs."""
    if possible <= max(_DENSE, packed.size):
        counts = np.bincount(packed, minlength=0)
        unique = np.flatnonzero(counts)
        place = np.zeros(len(counts), np.int32)
        place[unique] = np.arange(len(unique), dtype=np.int32)
        return unique, place[packed], counts[unique]
    values, inverse, count = np.unique(packed, return_inverse=True, return_counts=True)
    return values.astype(np.int64), inverse.astype(np.int32), count
