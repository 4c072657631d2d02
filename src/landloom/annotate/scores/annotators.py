"""Scores of each annotator: accuracy on reference tasks, confusion, edits, and how often a wrong guess was accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.annotate.scores.intervals import Share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.answers.values import TaskAnswers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnnotatorScore:
    """What is known about an annotator."""

    annotator: int | str
    """Who."""
    tasks: int
    """Tasks labelled."""
    pixels: int
    """Pixels labelled."""
    accuracy: Share
    """Pixels labelled as the expert did, of reference tasks."""
    by_task: dict[str, float]
    """Reference task → share of its pixels labelled as the expert did."""
    confusion: NDArray[np.int64]
    """(reference class, label) pixels, classes in ascending order of code."""
    edited: Share
    """Pixels labelled otherwise than the guess shown."""
    planted: Share
    """Planted errors that were accepted."""
    copied: Share
    """Wrong guesses of reference tasks that were accepted; planted errors are not among them."""
    unseen: Share
    """Wrong guesses of blind reference tasks that were labelled all the same: what chance alone makes."""

    @property
    def copy_rate(self) -> float:
        """Share of wrong guesses that were accepted: planted ones and those of reference tasks; NaN without any."""
        whole = self.planted.pixels + self.copied.pixels
        return (self.planted.right + self.copied.right) / whole if whole else float("nan")

    def by_class(self, classes: Sequence[int]) -> dict[int, float]:
        """Code of a class → accuracy on its reference pixels; classes without any are absent."""
        sums = self.confusion.sum(axis=1)
        return {code: float(self.confusion[at, at] / sums[at]) for at, code in enumerate(sorted(classes)) if sums[at]}

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        rate = self.copy_rate
        return {
            "annotator": self.annotator,
            "tasks": self.tasks,
            "pixels": self.pixels,
            "accuracy": self.accuracy.document(),
            "by_task": self.by_task,
            "confusion": self.confusion.tolist(),
            "edited": self.edited.document(),
            "planted_accepted": self.planted.document(),
            "wrong_guess_accepted": self.copied.document(),
            "wrong_guess_unseen": self.unseen.document(),
            "copy_rate": None if rate != rate else rate,  # noqa: PLR0124 - NaN
        }


def score_annotators(answers: Iterable[TaskAnswers], classes: Iterable[int]) -> list[AnnotatorScore]:
    """Scores of every annotator, in order of their first task.

    Pixels without a label of the annotator, and those without a reference or guess, do not count.

    Args:
        answers: the tasks.
        classes: codes of the classes.
    """
    codes = sorted(set(classes))
    tallies: dict[int | str, _Tally] = {}
    for task in answers:
        for annotator, labels in zip(task.annotators, task.labels, strict=True):
            tallies.setdefault(annotator, _Tally(codes)).add(task, labels)
    return [tally.score(annotator) for annotator, tally in tallies.items()]


class _Tally:
    """Pixels of an annotator, task by task."""

    def __init__(self, codes: Sequence[int]) -> None:
        self._codes = codes
        self._table = np.zeros((256, 256), np.int64)
        self._by_task: dict[str, float] = {}
        self._pixels: list[int] = []
        self._shares: dict[str, list[tuple[int, int]]] = {
            name: [] for name in ("accuracy", "edited", "planted", "copied", "unseen")
        }

    def add(self, task: TaskAnswers, labels: NDArray[np.uint8]) -> None:
        """Count a task."""
        there = labels != 0
        self._pixels.append(int(np.count_nonzero(there)))
        if task.reference is not None:
            both = there & (task.reference != 0)
            pairs = task.reference[both].astype(np.int64) * 256 + labels[both]
            self._table += np.bincount(pairs, minlength=65_536).reshape(256, 256)
            right, whole = int(np.count_nonzero((labels == task.reference) & both)), int(np.count_nonzero(both))
            self._shares["accuracy"].append((right, whole))
            if whole:
                self._by_task[task.task] = right / whole
        for name, counts in _of_guess(task, labels, there):
            self._shares[name].append(counts)

    def score(self, annotator: int | str) -> AnnotatorScore:
        """The result."""
        shares = {
            name: Share.of([part for part, _ in rows], [whole for _, whole in rows])
            for name, rows in self._shares.items()
        }
        return AnnotatorScore(
            annotator=annotator,
            tasks=len(self._pixels),
            pixels=sum(self._pixels),
            by_task=self._by_task,
            confusion=self._table[np.ix_(self._codes, self._codes)],
            **shares,
        )


def _of_guess(
    task: TaskAnswers, labels: NDArray[np.uint8], there: NDArray[np.bool_]
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Names of shares with their pixels that count and pixels compared."""
    if task.guess is not None:
        shown = there & (task.guess != 0)
        yield "edited", (_count(shown & (labels != task.guess)), _count(shown))
    if task.planted is not None:
        altered = there & task.planted
        yield "planted", (_count(altered & (labels == task.guess)), _count(altered))
    guess = task.model_guess
    if task.reference is None or guess is None:
        return
    wrong = there & (task.reference != 0) & (guess != 0) & (guess != task.reference)
    if task.planted is not None:
        wrong &= ~task.planted
    name = "unseen" if task.guess is None else "copied"
    yield name, (_count(wrong & (labels == guess)), _count(wrong))


def _count(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))
