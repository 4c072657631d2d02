"""What the manager's page shows, computed from the ledger and kept for some seconds."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.ledger import progress
from landloom.annotate.ledger.answers import answered_tasks, expert_agreement
from landloom.annotate.scores.agreement import Agreement
from landloom.annotate.scores.annotators import score_annotators
from landloom.errors import NotFoundError
from landloom.pipelines.annotation.answers import task_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from landloom.annotate.answers.values import TaskAnswers
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.progress import ChipProgress, SubmissionRow
    from landloom.annotate.ledger.values import ExpertAgreement
    from landloom.annotate.scores.annotators import AnnotatorScore
    from landloom.annotate.tasks.values import Campaign, TaskWindow

T = TypeVar("T")
_KEPT: Final = 3.0
"""Seconds for which a result is kept at least."""
_SHARE: Final = 20.0
"""A result is kept for so many times as long as it took, so that looking costs a twentieth of a core at most."""


@dataclass(slots=True)
class Kept:
    """Results that are computed anew when they are old."""

    clock: Callable[[], float] = time.monotonic
    _results: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)

    def get(self, key: str, compute: Callable[[], T]) -> T:
        """A result; several who ask at once wait for one computation."""
        with self._locks.setdefault(key, threading.Lock()):
            until, value = self._results.get(key, (-1.0, None))
            if self.clock() >= until:
                began = self.clock()
                value = compute()
                now = self.clock()
                self._results[key] = now + max(_KEPT, _SHARE * (now - began)), value
            result: T = value
            return result


class Summaries:
    """Summaries of one campaign; people are named by their login names.

    Args:
        ledger: an open one.
        campaign: the campaign.
    """

    def __init__(self, ledger: Ledger, campaign: Campaign) -> None:
        self.ledger, self.campaign = ledger, campaign
        self._kept = Kept()

    def chips(self) -> tuple[ChipProgress, ...]:
        """Progress of each chip."""
        return self._kept.get("chips", lambda: progress.chips(self.ledger, self.campaign.name))

    def work(self) -> Work:
        """Sums over all submissions."""
        return self._kept.get("work", lambda: Work.of(progress.submissions(self.ledger, self.campaign.name)))

    def people(self) -> tuple[progress.AnnotatorRow, ...]:
        """Everybody who annotates."""
        return self._kept.get("people", lambda: progress.annotators(self.ledger, self.campaign.name))

    def scores(self) -> dict[str, AnnotatorScore]:
        """Name → score, of all that was submitted, whether or not it counts."""
        return self._kept.get("scores", self._scores)

    def _scores(self) -> dict[str, AnnotatorScore]:
        rows = answered_tasks(self.ledger, self.campaign.name, counted=False)
        found = score_annotators(map(task_answers, rows), self.campaign.codes)
        names = self.names()
        return {names.get(str(score.annotator), str(score.annotator)): score for score in found}

    def names(self) -> dict[str, str]:
        """Pseudonym → login name."""
        return {row.pseudonym: row.name for row in self.people()}

    def confusion(self, name: str | None) -> NDArray[np.int64]:
        """(reference class, label) pixels of one annotator, or of all; classes in ascending order of code.

        Raises:
            NotFoundError: nobody of this name has annotated.
        """
        scores = self.scores()
        if name is not None and name not in scores:
            raise NotFoundError("no such annotator")
        side = len(self.campaign.codes)
        chosen = scores.values() if name is None else [scores[name]]
        return sum((score.confusion for score in chosen), start=np.zeros((side, side), np.int64))

    def agreement(self) -> Agreement:
        """Agreement of all whose answers count."""
        return self._kept.get("agreement", self._agreement)

    def _agreement(self) -> Agreement:
        answers = [task_answers(task) for task in answered_tasks(self.ledger, self.campaign.name)]
        return Agreement.of(Patterns.of(answers, self.campaign.codes))

    def experts(self) -> ExpertAgreement:
        """How far two experts agree who answered the same references."""
        return self._kept.get("experts", lambda: expert_agreement(self.ledger, self.campaign.name))

    def disagreement(self) -> dict[str, list[tuple[TaskWindow, str, float]]]:
        """Chip → its tasks with two answers or more: place, id, and share of pixels on which answers differ."""
        return self._kept.get("disagreement", self._disagreement)

    def _disagreement(self) -> dict[str, list[tuple[TaskWindow, str, float]]]:
        found: dict[str, list[tuple[TaskWindow, str, float]]] = {}
        for task in answered_tasks(self.ledger, self.campaign.name):
            if len(task.answers) > 1:
                share = float(disputed_pixels(task_answers(task)).mean())
                found.setdefault(task.window.chip, []).append((task.window, task.id, share))
        return found


def disputed_pixels(answers: TaskAnswers) -> NDArray[np.bool_]:
    """(pixel,) where answers differ."""
    return np.asarray((answers.labels != answers.labels[:1]).any(axis=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Sums over submissions."""

    submissions: int
    flagged: int
    seconds: float
    median_seconds: float | None
    days: dict[str, tuple[int, float]]
    """UTC date → submissions and active seconds."""
    classes: dict[int, tuple[int, int, float]]
    """Class code → pixels, pixels changed, and seconds: those of a submission are shared out by pixels."""
    people: dict[str, tuple[int, int, int, float, float]]
    """Name → submissions, pixels, pixels changed, seconds, median seconds."""

    @classmethod
    def of(cls, rows: Iterable[SubmissionRow]) -> Work:
        """Add up."""
        days: dict[str, list[float]] = {}
        classes: dict[int, list[float]] = {}
        seconds: dict[str, list[float]] = {}
        pixels: Counter[str] = Counter()
        changed: Counter[str] = Counter()
        flagged = 0
        for row in rows:
            day = days.setdefault(row.recorded.date().isoformat(), [0, 0.0])
            day[0] += 1
            day[1] += row.seconds
            seconds.setdefault(row.name, []).append(row.seconds)
            pixels[row.name] += row.pixels
            changed[row.name] += row.changed
            flagged += row.flagged
            for code, (own, edited) in row.counts.items():
                sums = classes.setdefault(code, [0, 0, 0.0])
                sums[0] += own
                sums[1] += edited
                sums[2] += row.seconds * own / max(row.pixels, 1)
        every = [second for own in seconds.values() for second in own]
        return cls(
            submissions=len(every),
            flagged=flagged,
            seconds=sum(every),
            median_seconds=median(every) if every else None,
            days={day: (int(count), spent) for day, (count, spent) in sorted(days.items())},
            classes={code: (int(own), int(edited), spent) for code, (own, edited, spent) in sorted(classes.items())},
            people={
                name: (len(own), pixels[name], changed[name], sum(own), median(own)) for name, own in seconds.items()
            },
        )
