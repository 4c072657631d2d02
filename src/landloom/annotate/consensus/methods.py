"""The methods of consensus by name, and when a simpler model takes the place of the default one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, get_args

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.consensus.em import dawid_skene, one_coin
from landloom.annotate.consensus.evidence import Fit, Known, TaskCounts
from landloom.annotate.consensus.guess_aware import GuessModel
from landloom.annotate.consensus.voting import majority, published

Method = Literal["guess-aware", "published", "majority", "one-coin", "dawid-skene"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
"""Methods of consensus; the first is the default."""
VERSION: Final = "1"
"""Version of the methods: it changes when the same answers get another consensus."""
ENOUGH: Final = 20
"""Reference tasks of an annotator from which a copy rate is fitted."""
VOTES: Final = frozenset({"published", "majority"})
"""Methods whose score is a share of votes by definition, and stays so."""

Fitting = Callable[[Patterns, TaskCounts, Known | None, Known | None], Fit]
"""Fits on some reference tasks: patterns, counts of these tasks, what they say, what all reference tasks say."""


def _published(patterns: Patterns, _counts: TaskCounts, known: Known | None, _overall: Known | None) -> Fit:
    return published(patterns, known)


def _majority(patterns: Patterns, _counts: TaskCounts, _known: Known | None, _overall: Known | None) -> Fit:
    return majority(patterns)


def _one_coin(patterns: Patterns, _counts: TaskCounts, known: Known | None, _overall: Known | None) -> Fit:
    return one_coin(patterns, known)


def _dawid_skene(patterns: Patterns, counts: TaskCounts, _known: Known | None, _overall: Known | None) -> Fit:
    return dawid_skene(patterns, counts.table(len(patterns.count), len(patterns.classes)))


def _guess_aware(patterns: Patterns, counts: TaskCounts, known: Known | None, overall: Known | None) -> Fit:
    """The guess-aware model; simpler ones, which the notes name, where there is too little to fit it on."""
    if known is None or overall is None:
        fit = one_coin(patterns, None)
        notes = ("guess-aware needs reference tasks, there are none: one-coin is used", *fit.notes)
        return Fit(posterior=fit.posterior, notes=notes, parameters={"model": "one-coin", **fit.parameters})
    enough = overall.tasks >= ENOUGH
    copied = bool((patterns.shown >= 0).any() and enough.any())
    model = GuessModel.fit(patterns, counts, known, copied=copied, average=~enough if copied else None)
    return Fit(
        posterior=model.posterior(patterns) * (patterns.voters[:, None] > 0),
        notes=_notes(patterns, overall, copied=copied),
        parameters={
            "model": "guess-aware" if copied else "reference-confusion",
            **model.document(patterns.annotators),
        },
    )


def _notes(patterns: Patterns, overall: Known, *, copied: bool) -> tuple[str, ...]:
    most = int(overall.tasks.max())
    if most < ENOUGH:
        return (f"no annotator has {ENOUGH} reference tasks ({most} at most): confusions are modelled, copying is not",)
    if not copied:
        return ("no annotator saw a guess: copying is not modelled",)
    few = [str(one) for one, n in zip(patterns.annotators, overall.tasks.tolist(), strict=True) if n < ENOUGH]
    if not few:
        return ()
    return (f"annotators with fewer than {ENOUGH} reference tasks are taken for average ones: {', '.join(few)}",)


FITS: Final[dict[str, Fitting]] = {
    "guess-aware": _guess_aware,
    "published": _published,
    "majority": _majority,
    "one-coin": _one_coin,
    "dawid-skene": _dawid_skene,
}
