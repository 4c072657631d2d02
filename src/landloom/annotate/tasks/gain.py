"""What more answers to a task are expected to correct in the labels that are published.

An answer is worth what it changes: one person who contradicts a guess that is nearly always right does not change the
consensus yet, two who agree do. So the gain is that of the next one, two or three answers, each divided by its time,
and the best of them counts. The consensus is the guess-aware one with an annotator of average skill and copy rate. At
each pixel it compares the class of the guess with one rival: the class that most people chose instead, or any class
where nobody chose another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from math import factorial
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.annotate.tasks.calibration import ErrorCurve
from landloom.annotate.tasks.order import BLANK, SKILL, Pace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

AGREED: Final = 2
"""Answers that every task gets, however little more are expected to change."""
AHEAD: Final = 3
"""Most answers that are thought ahead."""
COPYING: Final = 0.3
"""Copy rate that is assumed where nothing is known about the annotators."""
SURPRISE: Final = 0.005
"""Share of the wrong pixels that an answer corrects at least, so that tasks from which the model expects nothing come
last, but in an order."""
GUESS: Final = 0.8
"""Accuracy that the consensus is assumed to give the guess, where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected of a task."""

    wrong: float
    """Pixels whose guess is wrong, by all that is known."""
    per_second: float
    """Pixels that the next answers correct in the published labels for each second of work: the priority."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GainModel:
    """What is known about guess and annotators of a campaign; classes are positions in `classes`.

    Example:
        >>> model = GainModel.assumed((1, 2))
        >>> guess, none = np.ones(9, np.uint8), np.zeros((0, 9), np.uint8)
        >>> sure, unsure = (model.expect(guess, np.full(9, doubt, np.uint8), none, copies=3) for doubt in (10, 100))
        >>> sure.per_second < unsure.per_second
        True
    """

    classes: tuple[int, ...]
    """Codes of the classes."""
    curve: ErrorCurve
    """Error of the guess."""
    instead: NDArray[np.float64]
    """(guess, true class) where a guess is wrong, how often it should have been each other class; rows sum to 1."""
    evidence: NDArray[np.float64]
    """(guess, true class) weight of each class before any answer, in the consensus."""
    copying: float
    """Copy rate of an average annotator."""
    confusion: NDArray[np.float64]
    """(true class, label) rates of what an average annotator does not copy."""
    _pairs: dict[bool, _Pairs] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def assumed(cls, classes: Sequence[int], curve: ErrorCurve | None = None) -> Self:
        """Before anything is known of the annotators."""
        size, own = len(classes), np.eye(len(classes), dtype=np.bool_)
        others = np.where(own, 0.0, 1 / max(size - 1, 1))
        return cls(
            classes=tuple(classes),
            curve=ErrorCurve.stated() if curve is None else curve,
            instead=others,
            evidence=np.where(own, GUESS, (1 - GUESS) * others),
            copying=COPYING,
            confusion=np.where(own, SKILL, (1 - SKILL) * others),
        )

    def document(self) -> dict[str, Any]:
        """As JSON values; `parse` reads them back."""
        return {
            "classes": list(self.classes),
            "error": self.curve.error.tolist(),
            "instead": self.instead.tolist(),
            "evidence": self.evidence.tolist(),
            "copying": self.copying,
            "confusion": self.confusion.tolist(),
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Read a model back."""
        return cls(
            classes=tuple(document["classes"]),
            curve=ErrorCurve(error=np.array(document["error"])),
            instead=np.array(document["instead"]),
            evidence=np.array(document["evidence"]),
            copying=float(document["copying"]),
            confusion=np.array(document["confusion"]),
        )

    def expect(
        self,
        guess: NDArray[np.uint8] | None,
        doubt: NDArray[np.uint8] | None,
        labels: NDArray[np.uint8],
        *,
        copies: int,
        least: float = 0.0,
        factor: float = 1.0,
    ) -> Expected:
        """What is expected of one task.

        The kind of a task is no argument: reference, blind and planted tasks must not stand out by their order.

        Args:
            guess: (pixel,) codes of the guess as it was before any planted error, 0 where there is none; None without
                any guess.
            doubt: (pixel,) stored doubt of the guess; None if it says nothing about itself.
            labels: (annotator, pixel) codes of the answers so far, 0 where there is none.
            copies: answers that are wanted.
            least: probability that a pixel is wrong at least, as from a list of suspected labels.
            factor: how much more often the guess is wrong here than elsewhere at the same doubt.
        """
        pixels = labels.shape[1]
        place = np.full(256, -1)
        place[list(self.classes)] = np.arange(len(self.classes))
        own = np.full(pixels, -1) if guess is None else place[guess]
        error = np.zeros(pixels) if doubt is None else np.minimum(self.curve.error[doubt] * factor, BLANK)
        votes = np.zeros((pixels, len(self.classes)), np.int64)
        for one in labels:
            there = np.flatnonzero(place[one] >= 0)
            votes[there, place[one[there]]] += 1
        wrong, gains = 0.0, np.zeros(min(AHEAD, max(copies - len(labels), 0)))
        for guessed in (True, False):
            inside = (own >= 0) == guessed
            if not inside.any():
                continue
            first = own[inside] if guessed else votes[inside].argmax(axis=1)
            before = np.maximum(error[inside], least) if guessed else np.full(len(first), BLANK)
            expected, part = self._paired(guessed=guessed).expect(first, before, votes[inside], len(gains))
            wrong, gains = wrong + expected, gains + part
        if not len(gains):
            return Expected(wrong=wrong, per_second=0.0)
        best = max(float((gains / np.arange(1, len(gains) + 1)).max()), SURPRISE * wrong)
        return Expected(wrong=wrong, per_second=best / float(Pace().seconds(wrong)))

    def _paired(self, *, guessed: bool) -> _Pairs:
        """Chances and evidence of each pair, of pixels with a guess and of those without."""
        if guessed not in self._pairs:
            size = len(self.classes)
            own, looked = np.eye(size, dtype=np.bool_), self.confusion * (1 - self.copying * guessed)
            right, copied = np.diag(looked), self.copying * guessed
            prior = np.maximum(np.diag(self.evidence)[:, None], 1e-12)
            self._pairs[guessed] = _Pairs(
                labelled=guessed,
                instead=self.instead if guessed else np.where(own, 0.0, 1 / max(size - 1, 1)),
                odds=self.evidence / prior if guessed else np.ones((size, size)),
                if_rival=np.stack([np.tile(right, (size, 1)), looked.T + copied]),
                if_guess=np.stack([np.maximum(looked, 1e-6), np.tile((right + copied)[:, None], (1, size))]),
            )
        return self._pairs[guessed]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pairs:
    """How the class of a guess compares with each rival."""

    labelled: bool
    """Whether the guess is published where nobody answered."""
    instead: NDArray[np.float64]
    """(guess, rival) which rival is true where the guess is wrong."""
    odds: NDArray[np.float64]
    """(guess, rival) evidence for the rival, relative to the guess, before any answer."""
    if_rival: NDArray[np.float64]
    """(answer, guess, rival) chance that an answer is the rival, and the guess, where the rival is true."""
    if_guess: NDArray[np.float64]
    """(answer, guess, rival) the same where the guess is true."""
    _states: dict[tuple[int, ...], _State] = field(default_factory=dict, init=False, repr=False)

    def expect(
        self, guess: NDArray[Any], error: NDArray[np.float64], votes: NDArray[np.int64], ahead: int
    ) -> tuple[float, NDArray[np.float64]]:
        """Pixels that are expected to be wrong, and those that one answer more corrects, two more, and so on.

        Args:
            guess: (pixel,) class that is compared with others.
            error: (pixel,) how probable it is that it is wrong, before any answer.
            votes: (pixel, class) answers.
            ahead: answers to think ahead.
        """
        classes = votes.shape[1]
        rows = np.arange(len(guess))
        yes = votes[rows, guess]
        others = votes.copy()
        others[rows, guess] = -1
        rival, no = others.argmax(axis=1), np.maximum(others.max(axis=1), 0)
        shape = (classes, classes, int(yes.max()) + 1, int(no.max()) + 1)
        packed = np.ravel_multi_index((guess, np.where(no > 0, rival, 0), yes, no), shape)
        unique, at = np.unique(packed, return_inverse=True)
        keys = zip(*(axis.tolist() for axis in np.unravel_index(unique, shape)), strict=True)
        states = [self._state((*key, ahead)) for key in keys]
        share = error * np.array([one.likely for one in states])[at]
        stays = np.array([one.stays for one in states])[at]
        after = share / np.maximum(share + (1 - error) * stays, 1e-300)
        left, count = np.bincount(at, after, len(states)), np.bincount(at, minlength=len(states))
        corrected, spoilt = (np.array([getattr(one, name) for one in states]) for name in ("corrected", "spoilt"))
        return float(left.sum()), left @ corrected - (count - left) @ spoilt

    def _state(self, key: tuple[int, ...]) -> _State:
        if key not in self._states:
            guess, rival, yes, no, ahead = key
            rivals = np.array([rival]) if no else np.flatnonzero(self.instead[guess] > 0)
            self._states[key] = self._made(guess, rivals, yes, no, ahead)
        return self._states[key]

    def _made(self, guess: int, rivals: NDArray[Any], yes: int, no: int, ahead: int) -> _State:
        if_rival, if_guess = self.if_rival[:, guess, rivals], self.if_guess[:, guess, rivals]
        ratio = if_rival / if_guess

        def flips(agreeing: int, against: int) -> NDArray[np.float64]:
            if not against:
                return np.zeros(len(rivals))
            return np.where(self.odds[guess, rivals] * ratio[0] ** against * ratio[1] ** agreeing > 1, 1.0, 0.0)

        now, corrected, spoilt = flips(yes, no), np.zeros((ahead, len(rivals))), np.zeros(ahead)
        for more in range(1, ahead + 1):
            for same, other, ways in _outcomes(more):
                changed = ways * (flips(yes + same, no + other) - now)
                rest = more - same - other
                corrected[more - 1] += changed * _chance(if_rival, same, other, rest)
                spoilt[more - 1] += float((changed * _chance(if_guess, same, other, rest)).sum())
        if not self.labelled and not yes and not no:
            # Nothing is published yet: the first answer labels the pixel.
            corrected = np.tile(np.full(len(rivals), float(if_rival[0].mean())), (ahead, 1))
            spoilt = np.zeros(ahead)
        weight = self.instead[guess, rivals] * if_rival[0] ** no * if_rival[1] ** yes
        stays = float((if_guess[0] ** no * if_guess[1] ** yes).mean()) if len(rivals) else 1.0
        likely = float(weight.sum())
        return _State(likely=likely, stays=stays, corrected=corrected @ weight / max(likely, 1e-300), spoilt=spoilt)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _State:
    """Pixels of one guess with as many answers for it, and for a rival."""

    likely: float
    """How probable these answers are where the guess is wrong."""
    stays: float
    """The same where the guess is right."""
    corrected: NDArray[np.float64]
    """(answers,) share of the wrong pixels that become right with so many more answers."""
    spoilt: NDArray[np.float64]
    """(answers,) share of the rightly guessed pixels that become wrong."""


def _chance(rates: NDArray[np.float64], same: int, other: int, rest: int) -> NDArray[np.float64]:
    """(rival,) chance of one sequence of answers for the guess, for the rival, and for neither."""
    neither = np.maximum(1 - rates.sum(axis=0), 0.0)
    return np.asarray(rates[0] ** other * rates[1] ** same * neither**rest)


@cache
def _outcomes(answers: int) -> tuple[tuple[int, int, int], ...]:
    """How so many answers may fall on the guess and on the rival, and in how many ways."""
    return tuple(
        (same, other, factorial(answers) // (factorial(same) * factorial(other) * factorial(answers - same - other)))
        for same in range(answers + 1)
        for other in range(answers + 1 - same)
    )


def answers_wanted(expected: Expected, answers: int, copies: int, least_gain: float) -> int:
    """How many answers a task needs in all.

    Args:
        expected: what is expected of the task with as many answers as it may get.
        answers: it has.
        copies: it may get.
        least_gain: pixels that the next answers have to correct in a minute; 0: all answers are wanted.

    Example:
        >>> little = Expected(wrong=3.0, per_second=0.1)
        >>> [answers_wanted(little, answers, 3, 12.0) for answers in (0, 1, 2)], answers_wanted(little, 2, 3, 5.0)
        ([3, 3, 2], 3)
    """
    enough = answers >= AGREED and 60 * expected.per_second < least_gain
    return min(answers, copies) if enough else copies
