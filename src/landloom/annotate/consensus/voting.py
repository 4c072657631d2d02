"""Votes: the published weighted average of LandCoverNet, and the majority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.annotate.consensus.evidence import Fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.annotate.answers.patterns import Patterns
    from landloom.annotate.consensus.evidence import Known

_EQUAL: Final = 1e-9
"""Probabilities that differ by less are tied."""


def published(patterns: Patterns, known: Known | None) -> Fit:
    """Equation 1 of LandCoverNet: P(j) = Σᵢ P(wᵢ) · P(j|wᵢ).

    P(wᵢ) is the accuracy of annotator i on reference tasks, divided by the sum over the annotators of the pixel;
    P(j|wᵢ) is 1 for the class that the annotator chose.

    Args:
        patterns: the answers.
        known: accuracy on reference tasks; None for equal weights.
    """
    notes: tuple[str, ...] = ()
    weights = np.ones(len(patterns.annotators))
    if known is None:
        notes = ("no reference tasks: all annotators have equal weights",)
    else:
        weights = known.accuracy
        without = known.without(patterns.annotators)
        if without:
            names = ", ".join(map(str, without))
            notes = (f"annotators without reference tasks have the accuracy of all together: {names}",)
        if not weights.all():
            weights = np.maximum(weights, 1e-6)
    votes = patterns.votes(weights)
    posterior = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-300)
    given = dict(zip(map(str, patterns.annotators), (weights / weights.sum()).round(6).tolist(), strict=True))
    return Fit(posterior=posterior, notes=notes, parameters={"weights": given})


def majority(patterns: Patterns) -> Fit:
    """Share of the votes for each class."""
    votes = patterns.votes()
    return Fit(posterior=votes / np.maximum(votes.sum(axis=1, keepdims=True), 1))


def chosen(posterior: NDArray[np.float64], guess: NDArray[np.int16]) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """The most probable class of each pattern; of tied ones the guess if it is among them, else the lowest code.

    Args:
        posterior: (pattern, class).
        guess: (pattern,) class of the model's guess, -1 for none.

    Returns:
        (pattern,) class, -1 where nothing was labelled; (pattern,) whether it was a tie.
    """
    best = posterior.max(axis=1)
    tied = posterior >= best[:, None] - _EQUAL
    label = np.argmax(tied, axis=1).astype(np.int16)
    rows = np.arange(len(label))
    guessed = (guess >= 0) & tied[rows, np.maximum(guess, 0)]
    label[guessed] = guess[guessed]
    label[best <= 0] = -1
    return label, (tied.sum(axis=1) > 1) & (best > 0)
