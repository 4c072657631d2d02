"""Planning a campaign: which tasks there are, what each is for, and in which order they come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.annotate.tasks.calibration import stored_doubt
from landloom.annotate.tasks.cut import cut_chip
from landloom.annotate.tasks.draw import counts_of, draw_kinds
from landloom.annotate.tasks.gain import GainModel
from landloom.annotate.tasks.order import random_priorities
from landloom.annotate.tasks.planted import plant_error
from landloom.annotate.tasks.values import NewTask, TaskKind, TaskWindow
from landloom.errors import InvalidInputError, counted
from landloom.pipelines.annotation.guesses import label_shares

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.tasks.values import CampaignSettings
    from landloom.engine.run import Listener
    from landloom.pipelines.annotation.classes import Classes
    from landloom.pipelines.annotation.guesses import ChipGuess, GuessReader
    from landloom.pipelines.annotation.series import SeriesSource

_HIDDEN: Final = (TaskKind.BLIND, TaskKind.PLANTED)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Draft:
    """A task before its kind is drawn."""

    window: TaskWindow
    codes: NDArray[np.uint8] | None
    """(y, x) the guess; None without one."""
    doubt: NDArray[np.uint8] | None
    """(y, x) how much the guess doubts itself; None without one."""
    error: float
    """Probability that a pixel is wrong at least, by the list of suspected labels."""
    second: NDArray[np.uint8] | None
    """(y, x) the second most probable class; None where probabilities are not known."""
    stratum: Hashable


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """The tasks of a new campaign."""

    tasks: tuple[NewTask, ...]
    scenes: Mapping[str, int]
    """Chip → number of its scenes."""
    notes: tuple[str, ...]
    """What was left out, for people."""

    @property
    def counts(self) -> dict[str, int]:
        """Kind → number of tasks."""
        return {kind.value: sum(task.kind is kind for task in self.tasks) for kind in TaskKind}


def plan_tasks(
    source: SeriesSource,
    chips: Sequence[str],
    settings: CampaignSettings,
    classes: Classes,
    guesses: GuessReader | None,
    *,
    suspects: Mapping[str, Sequence[tuple[int, int, float]]] | None = None,
    listener: Listener | None = None,
) -> TaskPlan:
    """Cut chips into tasks and draw what each is for.

    Args:
        source: the series that annotators see.
        chips: ids of the chips.
        settings: of the campaign.
        classes: of the campaign.
        guesses: reads guesses; None without any.
        suspects: chip → (row, column, probability) of pixels whose guess is suspected to be wrong; −1 for the whole
            chip.
        listener: receives progress.

    Raises:
        InvalidInputError: no chips, or none with a scene; a guess of another size than the series; more special
            tasks than tasks.
    """
    if not chips:
        raise InvalidInputError("got no chips for the campaign, expected at least one")
    if listener is not None:
        listener.started("reading chips", len(chips))
    drafts: list[_Draft] = []
    notes: list[str] = []
    scenes: dict[str, int] = {}
    for chip in chips:
        scenes[chip] = source.scenes(chip)
        if not scenes[chip]:
            notes.append(f"{chip}: left out, its series has no scene")
            del scenes[chip]
            continue
        guess = None if guesses is None else guesses.read(chip)
        if guesses is not None and guess is None:
            notes.append(f"{chip}: has no guess")
        if guess is not None and guess.unknown:
            notes.append(f"{chip}: {counted(guess.unknown, 'pixel')} of the guess with values that are no class")
        drafts += _drafts(source, chip, guess, settings, (suspects or {}).get(chip, ()))
        if listener is not None:
            listener.advanced(chip, None)
    if not drafts:
        raise InvalidInputError(f"got {counted(len(chips), 'chip')} without any scene, expected a series")
    tasks, more = _tasks(drafts, settings, classes)
    return TaskPlan(tasks=tasks, scenes=scenes, notes=(*notes, *_unused(suspects or {}, scenes, settings), *more))


def _unused(
    suspects: Mapping[str, Sequence[object]], chips: Mapping[str, int], settings: CampaignSettings
) -> list[str]:
    """Notes on suspected labels that change nothing."""
    notes = [
        f"{chip}: {counted(len(own), 'suspected label')} of a chip that is not in the campaign"
        for chip, own in suspects.items()
        if chip not in chips
    ]
    if suspects and settings.order == "random":
        notes.append("suspected labels do not come first: the order is random")
    return notes


def _drafts(
    source: SeriesSource,
    chip: str,
    guess: ChipGuess | None,
    settings: CampaignSettings,
    suspects: Sequence[tuple[int, int, float]],
) -> list[_Draft]:
    """The tasks of a chip."""
    height, width = source.grid(chip).shape
    if guess is not None and guess.codes.shape != (height, width):
        raise InvalidInputError(f"{chip}: got a guess of {guess.codes.shape} pixels, expected {(height, width)}")
    shares = label_shares(source.corpus, chip) if guess is None else {}
    main = max(shares, key=lambda name: shares[name]) if shares else ""
    second = None if guess is None or guess.probabilities is None else _second(guess.probabilities)
    found = []
    for window in cut_chip(chip, height, width, settings.task_size):
        inside = np.s_[window.row : window.row + window.height, window.column : window.column + window.width]
        error = 0.0
        for row, column, probability in suspects:
            if row < 0 or (
                window.row <= row < window.row + window.height
                and window.column <= column < window.column + window.width
            ):
                error = max(error, probability)
        codes = None if guess is None or not guess.codes[inside].any() else guess.codes[inside]
        found.append(
            _Draft(
                window=window,
                codes=codes,
                doubt=None if guess is None else stored_doubt(guess.error[inside]),
                error=error,
                second=None if second is None else second[inside],
                stratum=main if codes is None else int(np.bincount(codes.ravel()).argmax()),
            )
        )
    return found


def _second(probabilities: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(y, x) position of the second most probable class."""
    return np.asarray(np.argsort(-probabilities, axis=0, kind="stable")[1], np.uint8)


def _tasks(
    drafts: Sequence[_Draft], settings: CampaignSettings, classes: Classes
) -> tuple[tuple[NewTask, ...], list[str]]:
    """The tasks with their kinds, and notes on those that could not be drawn."""
    kinds = draw_kinds([one.stratum for one in drafts], settings, guessed=[one.codes is not None for one in drafts])
    priorities = _priorities(drafts, settings, classes)
    shares = _class_shares(drafts, classes)
    rng = np.random.default_rng([settings.seed, 0x9147])
    tasks, unplanted = [], 0
    for draft, kind, priority in zip(drafts, kinds, priorities, strict=True):
        task = _task(draft, kind, settings, priority)
        if kind is TaskKind.PLANTED:
            altered = _planted(draft, classes, shares, rng)
            unplanted += altered is None
            task = (
                _task(draft, TaskKind.REGULAR, settings, priority) if altered is None else replace(task, guess=altered)
            )
        tasks.append(task)
    notes = []
    if unplanted:
        notes.append(f"{counted(unplanted, 'task')} without an object that a planted error could change")
    if not any(one.codes is not None for one in drafts):
        notes.append("no task has a guess: there are no blind tasks and no planted errors")
        return tuple(tasks), notes
    wanted = counts_of(len(drafts), settings)
    notes += [
        f"{kinds.count(kind)} {kind} tasks instead of {wanted[kind]}: no more have a guess"
        for kind in _HIDDEN
        if kinds.count(kind) < wanted[kind]
    ]
    return tuple(tasks), notes


def _priorities(drafts: Sequence[_Draft], settings: CampaignSettings, classes: Classes) -> list[float]:
    if settings.order == "random":
        return [float(one) for one in random_priorities(len(drafts), settings.seed)]
    model = GainModel.assumed(sorted(one.code for one in classes.choices))
    found = []
    for one in drafts:
        guess, doubt = (None if raster is None else raster.ravel() for raster in (one.codes, one.doubt))
        none = np.zeros((0, one.window.pixels), np.uint8)
        found.append(model.expect(guess, doubt, none, copies=settings.annotators, least=one.error).per_second)
    return found


def _task(draft: _Draft, kind: TaskKind, settings: CampaignSettings, priority: float) -> NewTask:
    own = None if draft.codes is None else draft.codes.tobytes()
    return NewTask(
        window=draft.window,
        kind=kind,
        guess=None if kind is TaskKind.BLIND else own,
        original=own if kind in _HIDDEN else None,
        copies=settings.annotators,
        priority=priority,
        doubt=None if draft.doubt is None else draft.doubt.tobytes(),
        error=draft.error if settings.order == "gain" else None,
    )


def _class_shares(drafts: Sequence[_Draft], classes: Classes) -> NDArray[np.float64]:
    """(class,) area of each class in all guesses together."""
    total = np.zeros(256)
    for draft in drafts:
        if draft.codes is not None:
            total += np.bincount(draft.codes.ravel(), minlength=256)
    return total[[one.code for one in classes.choices]]


def _planted(draft: _Draft, classes: Classes, shares: NDArray[np.float64], rng: np.random.Generator) -> bytes | None:
    if draft.codes is None:
        return None
    codes = [one.code for one in classes.choices]
    votes = None
    if draft.second is not None:
        votes = np.equal(draft.second, np.arange(len(codes))[:, None, None]).astype(np.float64)
    altered = plant_error(draft.codes, codes, rng, probabilities=votes, shares=shares)
    return None if altered is None else altered.tobytes()
