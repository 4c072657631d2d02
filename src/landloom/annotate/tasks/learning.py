"""What the experts' answers say about the guess and about the annotators of a campaign, for the order of its tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.consensus.evidence import Known, TaskCounts
from landloom.annotate.consensus.methods import FITS, METHODS
from landloom.annotate.tasks.calibration import LEVELS, ErrorCurve
from landloom.annotate.tasks.gain import GainModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from landloom.annotate.answers.values import TaskAnswers

EVERY: Final = 30
"""Submissions between two renewals of the order, at least."""
SHARE: Final = 0.05
"""The same as a share of all submissions: a large campaign is renewed less often."""
SEVERAL: Final = 2
"""Answers from which a task says how often the guess of its chip is wrong."""
EXPECTED: Final = 300.0
"""Wrong pixels that the whole campaign is worth beside those of a chip."""
_SMOOTH: Final = 16.0
"""Pixels that every confusion of the guess is worth before any is seen, together."""


def learned(
    answers: Sequence[TaskAnswers], doubts: Sequence[NDArray[np.uint8] | None], classes: Sequence[int]
) -> GainModel:
    """Fit the model of gains on tasks that experts labelled.

    The error of the guess at each doubt is measured on them, with or without answers of annotators. Skill and copy
    rate of an average annotator, and what the consensus makes of the guess, are those of the guess-aware
    consensus; as long as nobody answered such a task, they are assumed.

    Args:
        answers: the tasks; those without a reference are passed over.
        doubts: (pixel,) stored doubt of the guess of each task; None without any.
        classes: codes of the classes.
    """
    codes = tuple(sorted(classes))
    tasks = [(one, doubt) for one, doubt in zip(answers, doubts, strict=True) if one.reference is not None]
    model = GainModel.assumed(codes, _curve(tasks))
    seen = _confusions([one for one, _ in tasks], codes)
    if seen.sum():
        own = np.eye(len(codes), dtype=np.bool_)
        model = replace(model, instead=_rows(np.where(own, 0.0, seen + _SMOOTH / max(len(codes) - 1, 1))))
    labelled = dict(enumerate(one for one, _ in tasks if len(one.annotators)))
    patterns = Patterns.of(list(labelled.values()), codes)
    references = {at: one.reference for at, one in labelled.items() if one.reference is not None}
    counts = TaskCounts.of(patterns, references)
    known = Known.of(patterns, counts) if labelled else None
    if known is None:
        return model
    return _with_annotators(model, FITS[METHODS[0]](patterns, counts, known, known).parameters)


def _curve(tasks: Sequence[tuple[TaskAnswers, NDArray[np.uint8] | None]]) -> ErrorCurve:
    pixels, wrong = [], []
    for one, doubt in tasks:
        guess, reference = one.model_guess, one.reference
        if doubt is None or guess is None or reference is None:
            continue
        there = (guess > 0) & (reference > 0)
        pixels.append(np.bincount(doubt[there], minlength=LEVELS))
        wrong.append(np.bincount(doubt[there & (guess != reference)], minlength=LEVELS))
    return ErrorCurve.fit(pixels, wrong) if pixels else ErrorCurve.stated()


def _confusions(tasks: Sequence[TaskAnswers], codes: Sequence[int]) -> NDArray[np.float64]:
    """(guess, true class) pixels."""
    place = np.full(256, -1)
    place[list(codes)] = np.arange(len(codes))
    table = np.zeros((len(codes), len(codes)))
    for one in tasks:
        if one.model_guess is not None and one.reference is not None:
            guess, truth = place[one.model_guess], place[one.reference]
            there = (guess >= 0) & (truth >= 0)
            np.add.at(table, (guess[there], truth[there]), 1)
    return table


def _with_annotators(model: GainModel, fitted: Any) -> GainModel:
    """The model with the rates of a fitted guess-aware consensus; without a fit of the guess it says nothing there."""
    prior = np.array(fitted["classes"])
    guess = np.ones((len(prior), len(prior))) if fitted["guess"] is None else np.array(fitted["guess"])
    return replace(
        model,
        evidence=(prior[:, None] * guess).T,
        copying=float(np.mean(list(fitted["copy_rate"].values()))),
        confusion=np.mean(list(fitted["confusion"].values()), axis=0),
    )


def _rows(table: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(table / np.maximum(table.sum(axis=1, keepdims=True), 1e-300))


def chip_factors(chips: ArrayLike, expected: ArrayLike, wrong: ArrayLike) -> dict[int, float]:
    """How much more often the guess is wrong on each chip than elsewhere at the same doubt.

    Errors of a guess come by region: where it confuses two kinds of fields, it does so on the whole chip.

    Args:
        chips: (task,) numbers of the chips of tasks that an expert or several annotators answered.
        expected: (task,) wrong pixels by the doubt of the guess.
        wrong: (task,) wrong pixels by these answers.

    Returns:
        Chip → factor, near 1 while little is known.

    Example:
        >>> {chip: round(factor, 2) for chip, factor in chip_factors([1, 2], [300, 300], [100, 500]).items()}
        {1: 0.67, 2: 1.33}
    """
    names, inverse = np.unique(np.asarray(chips, np.int64), return_inverse=True)
    before = np.bincount(inverse, weights=np.asarray(expected, np.float64), minlength=len(names))
    after = np.bincount(inverse, weights=np.asarray(wrong, np.float64), minlength=len(names))
    overall = after.sum() / before.sum() if before.sum() > 0 and after.sum() > 0 else 1.0
    factors = (after / overall + EXPECTED) / (before + EXPECTED)
    return dict(zip(names.tolist(), factors.tolist(), strict=True))


def is_due(sequence: int, ordered: int) -> bool:
    """Whether the order of a campaign is to be renewed from what was learned meanwhile.

    Args:
        sequence: submissions so far.
        ordered: submissions at the last renewal.

    Example:
        >>> is_due(29, 0), is_due(30, 0), is_due(1_030, 1_000), is_due(1_050, 1_000)
        (False, True, False, True)
    """
    return sequence - ordered >= max(EVERY, SHARE * ordered)
