"""Dawid and Skene's model of annotators (1979, doi:10.2307/2346806), and its simpler kind with one coin for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.annotate.consensus.evidence import LEAST, Fit, indicator, log_rows, normalised, one_coin_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.annotate.answers.patterns import Patterns
    from landloom.annotate.consensus.evidence import Known

ITERATIONS: Final = 100
"""Most rounds of expectation and maximisation."""
TOLERANCE: Final = 1e-5
"""Growth of the bound per label at which they end; crowd-kit has the same."""


def dawid_skene(patterns: Patterns, known: NDArray[np.float64] | None = None) -> Fit:
    """A confusion matrix for each annotator, and class frequencies, by expectation maximisation from majority votes.

    Posteriors equal crowd-kit's `DawidSkene`, with its number of rounds and tolerance. Pixels with a reference have
    that class in every round; the posterior of their pattern is that of pixels without one.

    Args:
        patterns: the answers.
        known: (pattern, class) pixels whose class is known; by default none.
    """
    merged, place = _merged(patterns)
    count = np.bincount(place, weights=patterns.count, minlength=merged.shape[0])
    classes, people = len(patterns.classes), len(patterns.annotators)
    fixed = np.zeros((merged.shape[0], classes))
    if known is not None:
        np.add.at(fixed, place, known)
    free = count - fixed.sum(axis=1)
    votes = np.asarray(merged.sum(axis=1)).reshape(-1, 1)
    labelled = votes[:, 0] > 0
    free, fixed = free * labelled, fixed * labelled[:, None]
    post = _by_class(merged, people, classes) / np.maximum(votes, 1)
    total, labels = float(free.sum() + fixed.sum()), float(((free + fixed.sum(axis=1)) * votes[:, 0]).sum())
    mass, before, rounds = post * free[:, None] + fixed, -np.inf, 0
    priors, errors = mass.sum(axis=0) / max(total, 1), _errors(merged, mass, people)
    seen = (post.sum(axis=0) + fixed.sum(axis=0)) > 0
    for rounds in range(1, ITERATIONS + 1):  # noqa: B007 - reported
        logs = np.where(seen, np.log(np.maximum(priors, LEAST)), -np.inf)
        post = normalised(logs + merged @ log_rows(errors))
        mass = post * free[:, None] + fixed
        priors, errors = mass.sum(axis=0) / max(total, 1), _errors(merged, mass, people)
        bound = _bound(post, mass, free, merged @ log_rows(errors) + votes * np.log(np.maximum(priors, LEAST)))
        if bound / max(labels, 1) - before < TOLERANCE:
            break
        before = bound / max(labels, 1)
    found = {"iterations": rounds, "classes": priors.round(6).tolist(), "confusion": errors.round(6).tolist()}
    return Fit(posterior=(post * labelled[:, None])[place], parameters=found)


def one_coin(patterns: Patterns, known: Known | None) -> Fit:
    """One accuracy for each annotator, errors on all other classes alike, every class as probable as another.

    Args:
        patterns: the answers.
        known: accuracy on reference tasks; None to estimate it by expectation maximisation.
    """
    table, classes = indicator(patterns), len(patterns.classes)
    labelled = patterns.voters > 0
    count = patterns.count * labelled
    post = patterns.votes() / np.maximum(patterns.voters, 1)[:, None]
    notes: tuple[str, ...] = ()
    accuracy, rounds = np.zeros(len(patterns.annotators)), 0
    if known is not None:
        accuracy = known.accuracy
        post = normalised(table @ log_rows(one_coin_tables(accuracy, classes)))
    else:
        notes = ("no reference tasks: accuracy of annotators is estimated from their agreement",)
        given = _per_annotator(table.T @ count.astype(np.float64), classes)
        for rounds in range(1, ITERATIONS + 1):  # noqa: B007 - reported
            right = (table.multiply(_spread(post, len(patterns.annotators)))).T @ count.astype(np.float64)
            renewed = _per_annotator(right, classes) / np.maximum(given, 1)
            post = normalised(table @ log_rows(one_coin_tables(renewed, classes)))
            if np.abs(renewed - accuracy).max(initial=0) < TOLERANCE:
                break
            accuracy = renewed
    found = {"accuracy": dict(zip(map(str, patterns.annotators), accuracy.round(6).tolist(), strict=True))}
    return Fit(
        posterior=post * labelled[:, None], notes=notes, parameters=found | ({"iterations": rounds} if rounds else {})
    )


def _merged(patterns: Patterns) -> tuple[Any, NDArray[np.int64]]:
    """Unique rows of the sparse table without guesses, and the place of every pattern among them."""
    both = np.concatenate([patterns.who, patterns.labels], axis=1)
    seats = patterns.who.shape[1]
    unseen = both[:, seats:] < 0
    both[:, :seats][unseen] = -1
    _, first, place = np.unique(both, axis=0, return_index=True, return_inverse=True)
    return indicator(patterns)[first], place.reshape(-1)


def _by_class(table: Any, people: int, classes: int) -> NDArray[np.float64]:
    """(row, class) votes of a sparse (row, annotator × class) table."""
    return np.asarray(table @ np.tile(np.eye(classes), (people, 1)))


def _spread(post: NDArray[np.float64], people: int) -> NDArray[np.float64]:
    return np.asarray(np.tile(post, (1, people)))


def _per_annotator(values: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    return np.asarray(np.asarray(values).reshape(-1, classes).sum(axis=1))


def _errors(table: Any, mass: NDArray[np.float64], people: int) -> NDArray[np.float64]:
    """(annotator, true class, label) rates from the pixels of each row and true class."""
    classes = mass.shape[1]
    sums = np.asarray(table.T @ mass).reshape(people, classes, classes)
    used = sums.sum(axis=2, keepdims=True) > 0
    sums = np.where(used, np.maximum(sums, LEAST), 0.0)
    return np.asarray((sums / np.maximum(sums.sum(axis=1, keepdims=True), 1e-300)).transpose(0, 2, 1))


def _bound(
    post: NDArray[np.float64], mass: NDArray[np.float64], free: NDArray[np.float64], logs: NDArray[np.float64]
) -> float:
    """The evidence lower bound; like crowd-kit's it counts the class frequencies once for each label."""
    clipped = np.maximum(post, LEAST)
    return float((mass * logs).sum() - (free[:, None] * np.log(clipped) * clipped).sum())
