"""The default consensus: annotators who saw a guess may merely have copied it.

P(t | l, g) ∝ π(t) · P(g|t) · Πₐ [rₐ · 1(lₐ = g) + (1 − rₐ) · Cₐ(t, lₐ)], with the guess g, the label lₐ of annotator a,
the annotator's copy rate rₐ, and the confusion Cₐ of what the annotator really looked at. Where no guess was shown
nothing is copied. All is fitted on reference tasks, whose true class t is known, and on blind tasks, whose is not;
then it is refined for some rounds on all tasks, of which those without a reference weigh as much as the others together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from scipy.sparse import csr_array

from landloom.annotate.consensus.evidence import Known, normalised, one_coin_tables
from landloom.annotate.scores.intervals import design_effect

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.annotate.answers.patterns import Patterns
    from landloom.annotate.consensus.evidence import TaskCounts

STRENGTH: Final = 4.0
"""Independent pixels that the one-coin model is worth in every row of a confusion matrix."""
AVERAGE: Final = 50.0
"""Independent pixels that the other annotators together are worth for one of whom too little is known."""
ROUNDS: Final = 200
"""Most rounds of expectation and maximisation."""
REFINED: Final = 20
"""Rounds on all tasks after that."""
TOLERANCE: Final = 1e-6
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

    @classmethod
    def fit(
        cls,
        patterns: Patterns,
        counts: TaskCounts,
        known: Known,
        *,
        copied: bool = True,
        average: NDArray[np.bool_] | None = None,
    ) -> Self:
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
        model = cls(
            prior=_shares(mass.sum(axis=0) / float(np.median(known.effect)), 1.0),
            guess=rates,
            copying=np.full(len(known.accuracy), 0.2 if copied else 0.0),
            confusion=one_coin_tables(known.accuracy, classes),
            rounds=0,
        )
        seats = _Seats(patterns, mass, blind, known.effect, average)
        for _ in range(ROUNDS):
            renewed = model._renewed(seats, seats.mass(model))
            if renewed.differs(model) < TOLERANCE:
                break
            model = renewed
        if rates is not None:
            weight = min(float(mass.sum()) / max(float(open_pixels.sum()), 1.0), 1.0)
            seats = _Seats(patterns, mass, open_pixels * weight, known.effect, average)
            for _ in range(REFINED):
                whole = seats.mass(model)
                model = model._renewed(seats, whole)._with_guess(seats, whole, effect)
        return model

    def differs(self, other: GuessModel) -> float:
        """Largest difference of copy rates and confusions."""
        return max(
            float(np.abs(self.copying - other.copying).max()), float(np.abs(self.confusion - other.confusion).max())
        )

    def posterior(self, patterns: Patterns, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.float64]:
        """(pattern, class) probabilities of some patterns, by default all."""
        return normalised(self.logs(patterns, rows))

    def logs(self, patterns: Patterns, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.float64]:
        """The same as logarithms, not normalised."""
        guess, shown = patterns.guess[rows], patterns.shown[rows]
        logs = np.tile(np.log(self.prior), (len(guess), 1))
        if self.guess is not None:
            there = guess >= 0
            logs[there] += np.log(self.guess).T[guess[there]]
        for seat in range(patterns.labels.shape[1]):
            labels, who = patterns.labels[rows, seat], patterns.who[rows, seat]
            own = np.flatnonzero(labels >= 0)
            logs[own] += np.log(self._rates(labels[own], who[own], shown[own]))
        return logs

    def _rates(
        self, labels: NDArray[np.int16], who: NDArray[np.int16], shown: NDArray[np.int16]
    ) -> NDArray[np.float64]:
        """(row, true class) how probable a label is."""
        looked = self.confusion[who, :, labels]
        copying = np.where(shown >= 0, self.copying[who], 0.0)[:, None]
        return np.asarray(copying * (labels == shown)[:, None] + (1 - copying) * looked)

    def _renewed(self, seats: _Seats, mass: NDArray[np.float64]) -> GuessModel:
        people, classes = self.confusion.shape[:2]
        sums, copied, seen = np.zeros((people * classes, classes)), np.zeros(people), np.zeros(people)
        for part in seats.parts:
            weighted = mass[part.rows] * part.weight[:, None]
            copying = np.where((part.shown >= 0) & (part.labels == part.shown), self.copying[part.who], 0.0)
            share = copying[:, None] / self._rates(part.labels, part.who, part.shown)
            sums += part.table @ (weighted * (1 - share))
            copied += np.bincount(part.who, weights=(weighted * share).sum(axis=1), minlength=people)
            seen += np.bincount(part.who, weights=weighted.sum(axis=1) * (part.shown >= 0), minlength=people)
        table = sums.reshape(people, classes, classes).transpose(0, 2, 1).copy()
        if seats.average is not None and seats.average.any():
            _shrink(seats.average, table, copied, seen)
        right = np.trace(table, axis1=1, axis2=2) + STRENGTH / 2
        table += STRENGTH * one_coin_tables(right / (table.sum(axis=(1, 2)) + STRENGTH), classes)
        copying = (copied + 1) / (seen + 2) if self.copying.any() else self.copying
        return replace(
            self,
            copying=copying,
            confusion=table / table.sum(axis=2, keepdims=True),
            rounds=self.rounds + 1,
        )

    def _with_guess(self, seats: _Seats, mass: NDArray[np.float64], effect: float) -> GuessModel:
        there = seats.guess >= 0
        table = _by_pairs(seats.guess[there], mass[there] / effect)
        sums = mass.sum(axis=0)
        return replace(self, guess=_shrunk(table), prior=_shares(sums / effect, 1.0))

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
    weight: NDArray[np.float64]
    """Independent pixels of one pixel of the annotator."""
    table: Any
    """(annotator × label, row) sparse table of ones."""


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
        self._patterns, self._rows, self._fixed, self._free = patterns, rows, fixed[rows], free[rows, None]
        self.guess, self.average = patterns.guess[rows], average
        self.parts = [_seat(patterns, rows, seat, effect) for seat in range(patterns.labels.shape[1])]

    def mass(self, model: GuessModel) -> NDArray[np.float64]:
        """(row, class) pixels: known ones, and those of the model where the class is not known."""
        if not self._free.any():
            return self._fixed
        return np.asarray(self._fixed + model.posterior(self._patterns, self._rows) * self._free)


def _seat(patterns: Patterns, rows: NDArray[np.int64], seat: int, effect: NDArray[np.float64]) -> _Seat:
    labels, who = patterns.labels[rows, seat], patterns.who[rows, seat]
    own = np.flatnonzero(labels >= 0)
    labels, who, size = labels[own], who[own], len(patterns.classes)
    places = (who.astype(np.int64) * size + labels, np.arange(len(own)))
    return _Seat(
        rows=own,
        labels=labels,
        who=who,
        shown=patterns.shown[rows][own],
        weight=1 / effect[who],
        table=csr_array((np.ones(len(own)), places), shape=(len(effect) * size, len(own))),
    )


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
