"""One label for every pixel from the answers of several annotators, with a calibrated confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.consensus.calibration import cross_fit, tempered
from landloom.annotate.consensus.evidence import Known, TaskCounts
from landloom.annotate.consensus.methods import FITS, METHODS, VERSION, VOTES
from landloom.annotate.consensus.quality import Quality
from landloom.annotate.consensus.result import Consensus
from landloom.annotate.consensus.voting import chosen, published
from landloom.errors import NotFoundError, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.answers.values import TaskAnswers
    from landloom.annotate.consensus.methods import Fitting

CALIBRATED: Final = 5
"""Reference tasks from which confidence is calibrated."""


def consensus(answers: Sequence[TaskAnswers], classes: Iterable[int], method: str = METHODS[0]) -> Consensus:
    """Derive one label for every pixel of a campaign.

    Args:
        answers: the tasks; those with a reference say how good annotators are.
        classes: codes of the classes.
        method: one of `METHODS`.

    Raises:
        NotFoundError: no such method.
        InvalidInputError: a label is not one of the classes.

    Example:
        >>> from landloom.annotate.answers.values import TaskAnswers
        >>> labels = np.array([[1, 1], [1, 2], [2, 3]], np.uint8)
        >>> found = consensus([TaskAnswers(task="a", annotators=(1, 2, 3), labels=labels)], [1, 2, 3], "published")
        >>> found.labels(0).tolist(), found.ties, found.notes
        ([1, 1], 1, ('no reference tasks: all annotators have equal weights',))
    """
    if method not in METHODS:
        raise NotFoundError.of("method of consensus", method, METHODS)
    patterns = Patterns.of(answers, classes)
    references = {at: task.reference for at, task in enumerate(answers) if task.reference is not None}
    counts = TaskCounts.of(patterns, references)
    known, fit = Known.of(patterns, counts), FITS[method]
    made, plain = fit(patterns, counts, known, known), published(patterns, known)
    label, tied = chosen(made.posterior, patterns.guess)
    published_label, published_tied = chosen(plain.posterior, patterns.guess)
    heat, notes, quality = _checked(patterns, counts, fit, calibrate=method not in VOTES)
    _, _, published_quality = _checked(patterns, counts, FITS["published"], calibrate=False)
    calibrated = tempered(made.posterior, heat)
    codes = np.array([*patterns.classes, 0], np.uint8)
    return Consensus(
        method=method,
        version=VERSION,
        tasks=tuple(task.task for task in answers),
        patterns=patterns,
        label=codes[label],
        posterior=made.posterior,
        calibrated=calibrated,
        confidence=_of(calibrated, label),
        published_label=codes[published_label],
        published_score=_of(plain.posterior, published_label),
        ties=int(patterns.count[tied].sum()),
        published_ties=int(patterns.count[published_tied].sum()),
        temperature=heat,
        notes=(*made.notes, *notes, *_unlabelled(patterns)),
        parameters=made.parameters,
        quality=quality,
        published_quality=published_quality,
    )


def _of(table: NDArray[np.float64], label: NDArray[np.int16]) -> NDArray[np.float64]:
    return np.where(label >= 0, table[np.arange(len(label)), label], 0.0)


def _unlabelled(patterns: Patterns) -> tuple[str, ...]:
    without = int(patterns.count[patterns.voters == 0].sum())
    return (f"{counted(without, 'pixel')} without any label: class 0",) if without else ()


def _checked(
    patterns: Patterns, counts: TaskCounts, fit: Fitting, *, calibrate: bool
) -> tuple[float, tuple[str, ...], Quality | None]:
    """The temperature, notes about it, and the quality on reference tasks that the fit has not seen."""
    if counts.number < 2 or not counts.count.sum():
        return 1.0, ("confidence is not calibrated: no reference tasks to do it on",) if calibrate else (), None
    overall = Known.of(patterns, counts)

    def predict(part: TaskCounts) -> NDArray[np.float64]:
        return fit(patterns, part, Known.of(patterns, part), overall).posterior

    enough = counts.number >= CALIBRATED
    crossed = cross_fit(counts, predict, calibrate=calibrate and enough)
    label, _ = chosen(crossed.calibrated, patterns.guess[counts.patterns])
    notes: tuple[str, ...] = ()
    if calibrate and not enough:
        notes = (f"confidence is not calibrated: {counted(counts.number, 'reference task')}, {CALIBRATED} needed",)
    return crossed.temperature, notes, Quality.of(crossed.calibrated, label, counts)
