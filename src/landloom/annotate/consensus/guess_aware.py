"""The default consensus: annotators who saw a guess may merely have copied it.

P(t | l, g) ∝ π(t) · P(g|t) · Πₐ [rₐ · 1(lₐ = g) + (1 − rₐ) · Cₐ(t, lₐ)], with the guess g, the label lₐ of annotator a,
the annotator's copy rate rₐ, and the confusion Cₐ of what the annotator really looked at. Where no guess was shown
nothing is copied. All is fitted on reference tasks, whose true class t is known, and on blind tasks, whose is not; then
it is refined for some rounds on all tasks, where those without a reference weigh as much as those with one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.annotate.consensus.evidence import Known, one_coin_tables
from landloom.annotate.scores.intervals import design_effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.annotate.answers.patterns import Patterns
    from landloom.annotate.consensus.evidence import TaskCounts

STRENGTH: Final = 4.0
"""Independent pixels that the one-coin model is worth in every row of a confusion matrix."""
AVERAGE: Final = 50.0
"""Independent pixels that the other annotators together are worth for one of whom too little is known."""
ROUNDS: Final = 200
"""Most rounds of expectation and maximisation."""
REFINED: Final = 12
"""Rounds on all tasks after that."""
TOLERANCE: Final = 1e-4
"""Change of copy rates and confusions at which they end."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GuessModel:
    """Fitted rates."""

    prior: NDArray[np.float64]
    """(class,) how frequent each true class is."""
    guess: NDArray[np.float64] | None
    """(true class, guess) rates; None if the guess says nothing by itself."""
    copying: NDArray[np.float64]
    """(annotator,) copy rates."""
    confusion: NDArray[np.float64]
    """(annotator, true class, label) rates of what is not copied."""
    rounds: int

    @staticmethod
    def fit(
        patterns: Patterns,
        counts: TaskCounts,
        known: Known,
        *,
        copied: bool = True,
        average: NDArray[np.bool_] | None = None,
    ) -> GuessModel:
        """Fit on reference tasks, and on blind tasks without a reference.

        Args:
            patterns: of all tasks.
            counts: the reference tasks to fit on.
            known: accuracy on the same tasks.
            copied: whether annotators may copy; without, the guess is not used at all.
            average: (annotator,) who is shrunk towards all others together, because too little is known; None for
                nobody.
        """
        classes = len(patterns.classes)
        mass = counts.table(len(patterns.count), classes)
        open_pixels = np.where(patterns.voters > 0, patterns.count - patterns.known.sum(axis=1), 0).astype(np.float64)
        blind = np.where((patterns.shown < 0) & (patterns.guess >= 0), open_pixels, 0.0)
        rates, effect = _guess_rates(patterns, counts) if copied else (None, 1.0)
        model = GuessModel(
            prior=_shares(mass.sum(axis=0) / float(np.median(known.effect)), 1.0),
            guess=rates,
            copying=np.full(len(known.accuracy), 0.2 if copied else 0.0),
            confusion=one_coin_tables(known.accuracy, classes),
            rounds=0,
        )
        seats = _Seats(patterns, mass, blind, known.effect, average)
        for _ in range(ROUNDS):
            before, model = model, model.renewed(seats)
            if model.differs(before) < TOLERANCE:
                break
        if rates is not None:
            weight = min(float(mass.sum()) / max(float(open_pixels.sum()), 1.0), 1.0)
            seats = _Seats(patterns, mass, open_pixels * weight, known.effect, average)
            for _ in range(REFINED):
                model = model.renewed(seats, effect)
        return model

    def differs(self, other: GuessModel) -> float:
        """Largest difference of copy rates and confusions."""
        return max(
            float(np.abs(self.copying - other.copying).max()), float(np.abs(self.confusion - other.confusion).max())
        )

    def posterior(self, patterns: Patterns) -> NDArray[np.float64]:
        """(pattern, class) probabilities."""
        rows = np.arange(len(patterns.count))
        seats = [_seat(patterns, rows, seat) for seat in range(patterns.labels.shape[1])]
        return self._posterior(patterns.guess, seats, [seat.rates(self) for seat in seats])

    def _posterior(
        self, guess: NDArray[np.int16], seats: Sequence[_Seat], rates: Sequence[NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """(row, class) probabilities of rows with these guesses and labels."""
        found = np.tile(self.prior, (len(guess), 1))
        if self.guess is not None:
            there = guess >= 0
            found[there] *= self.guess.T[guess[there]]
        ones = np.ones((found.shape[1], 1))
        for seat, own in zip(seats, rates, strict=True):
            found[seat.rows] *= own
            found /= found @ ones  # so that many annotators do not underflow
        return found

    def renewed(self, seats: _Seats, effect: float | None = None) -> GuessModel:
        """One round; with pixels worth an independent one, of the guess and of class frequencies too."""
        rates = [part.rates(self) for part in seats.parts]
        mass = seats.fixed
        if seats.free.any():
            mass = mass + self._posterior(seats.guess, seats.parts, rates) * seats.free
        people, classes = self.confusion.shape[:2]
        sums, copied, seen = np.zeros((people * classes, classes)), np.zeros(people), np.zeros(people)
        ones = np.ones(classes)
        for part, own in zip(seats.parts, rates, strict=True):
            weighted = mass[part.rows] / seats.effect[part.who, None]
            share = np.where(part.labels == part.shown, self.copying[part.who], 0.0)[:, None] / own
            sums += part.table @ (weighted * (1 - share))
            copied += np.bincount(part.who, weights=(weighted * share) @ ones, minlength=people)
            seen += np.bincount(part.who, weights=(weighted @ ones) * (part.shown >= 0), minlength=people)
        table = sums.reshape(people, classes, classes).transpose(0, 2, 1).copy()
        if seats.average is not None and seats.average.any():
            _shrink(seats.average, table, copied, seen)
        right = np.trace(table, axis1=1, axis2=2) + STRENGTH / 2
        table += STRENGTH * one_coin_tables(right / (table.sum(axis=(1, 2)) + STRENGTH), classes)
        copying = (copied + 1) / (seen + 2) if self.copying.any() else self.copying
        confusion = table / table.sum(axis=2, keepdims=True)
        model = replace(self, copying=copying, confusion=confusion, rounds=self.rounds + 1)
        if effect is None:
            return model
        there = seats.guess >= 0
        pairs = _by_pairs(seats.guess[there], mass[there] / effect)
        return replace(model, guess=_shrunk(pairs), prior=_shares(mass.sum(axis=0) / effect, 1.0))

    def document(self, annotators: tuple[int | str, ...]) -> dict[str, Any]:
        """As JSON values."""
        return {
            "classes": self.prior.round(6).tolist(),
            "guess": None if self.guess is None else self.guess.round(6).tolist(),
            "copy_rate": dict(zip(map(str, annotators), self.copying.round(6).tolist(), strict=True)),
            "confusion": dict(zip(map(str, annotators), self.confusion.round(6).tolist(), strict=True)),
            "iterations": self.rounds,
        }


def _shrink(
    average: NDArray[np.bool_], sums: NDArray[np.float64], copied: NDArray[np.float64], seen: NDArray[np.float64]
) -> None:
    """Add the shares of the other annotators to those of whom too little is known."""
    for counts, whole in ((sums, sums.sum(axis=(1, 2))), (copied, seen.copy()), (seen, seen.copy())):
        pooled = counts[~average].sum(axis=0) / max(float(whole[~average].sum()), 1e-9)
        counts[average] += AVERAGE * pooled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seat:
    """One label of every row that has one there."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int16]
    who: NDArray[np.int16]
    shown: NDArray[np.int16]
    table: Any
    """(annotator × label, row) sparse table of ones."""

    def rates(self, model: GuessModel) -> NDArray[np.float64]:
        """(row, true class) how probable each label is."""
        looked = model.confusion[self.who, :, self.labels]
        copying = np.where(self.shown >= 0, model.copying[self.who], 0.0)
        looked *= (1 - copying)[:, None]
        looked += np.where(self.labels == self.shown, copying, 0.0)[:, None]
        return np.asarray(looked)


class _Seats:
    """The patterns that a model is fitted on."""

    def __init__(
        self,
        patterns: Patterns,
        fixed: NDArray[np.float64],
        free: NDArray[np.float64],
        effect: NDArray[np.float64],
        average: NDArray[np.bool_] | None,
    ) -> None:
        rows = np.flatnonzero((fixed.sum(axis=1) > 0) | (free > 0))
        self.fixed, self.free, self.guess = fixed[rows], free[rows, None], patterns.guess[rows]
        self.effect, self.average = effect, average
        self.parts = [_seat(patterns, rows, seat) for seat in range(patterns.labels.shape[1])]


def _seat(patterns: Patterns, rows: NDArray[np.int64], seat: int) -> _Seat:
    from scipy.sparse import csr_array

    labels, who = patterns.labels[rows, seat], patterns.who[rows, seat]
    own = np.flatnonzero(labels >= 0)
    labels, who, size = labels[own], who[own], len(patterns.classes)
    places = (who.astype(np.int64) * size + labels, np.arange(len(own)))
    shape = (len(patterns.annotators) * size, len(own))
    table = csr_array((np.ones(len(own)), places), shape=shape)
    return _Seat(rows=own, labels=labels, who=who, shown=patterns.shown[rows][own], table=table)


def _guess_rates(patterns: Patterns, counts: TaskCounts) -> tuple[NDArray[np.float64] | None, float]:
    """(true class, guess) rates on reference tasks, and pixels worth an independent one; None without any guess."""
    guess = patterns.guess[counts.patterns]
    there = np.flatnonzero(guess >= 0)
    if not there.size:
        return None, 1.0
    whole = np.bincount(counts.tasks[there], weights=counts.count[there], minlength=1)
    hits = there[guess[there] == counts.truth[there]]
    right = np.bincount(counts.tasks[hits], weights=counts.count[hits], minlength=len(whole))
    effect, size = design_effect(right[whole > 0], whole[whole > 0]), len(patterns.classes)
    mass = np.zeros((len(there), size))
    mass[np.arange(len(there)), counts.truth[there]] = counts.count[there] / effect
    return _shrunk(_by_pairs(guess[there], mass)), effect


def _by_pairs(guess: NDArray[np.int16], mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """(class, guess) pixels of rows with (row, class) pixels and a guess each."""
    size = mass.shape[1]
    return np.stack([np.bincount(guess, weights=mass[:, at], minlength=size) for at in range(size)])


def _shrunk(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rates of a table of counts, shrunk towards one-coin."""
    accuracy = (np.trace(table) + STRENGTH / 2) / (table.sum() + STRENGTH)
    table = table + STRENGTH * one_coin_tables(np.array([accuracy]), len(table))[0]
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def _shares(sums: NDArray[np.float64], prior: float) -> NDArray[np.float64]:
    smoothed = sums + prior / len(sums)
    return np.asarray(smoothed / smoothed.sum())
