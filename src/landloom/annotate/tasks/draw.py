"""Which tasks are references, which are shown without a guess, which hold a planted error: a stratified random draw.

A kind depends on the seed and on chance alone, never on a task's place, id or priority, so that nothing an annotator
sees tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.annotate.tasks.values import TaskKind
from landloom.errors import InvalidInputError
from landloom.model.apportion import apportion

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.tasks.values import CampaignSettings

_ORDER: Final = (TaskKind.QUALIFICATION, TaskKind.REFERENCE, TaskKind.BLIND, TaskKind.PLANTED)
"""Kinds in the order of their draws; every other task is regular."""


def stratified(strata: Sequence[Hashable], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw items at random, from each stratum in proportion to its size, but at least one if `count` allows.

    Args:
        strata: stratum of each item.
        count: number of items, at most as many as there are.
        rng: random numbers.

    Returns:
        Ascending positions.

    Example:
        >>> stratified(["water"] * 2 + ["woody"] * 98, 10, np.random.default_rng(1)).size
        10
    """
    if not 0 <= count <= len(strata):
        raise InvalidInputError(f"got {count} tasks to draw, expected at most {len(strata)}")
    groups: dict[Hashable, list[int]] = {}
    for position, stratum in enumerate(strata):
        groups.setdefault(stratum, []).append(position)
    if not count:
        return np.empty(0, np.int64)
    sizes = np.array([len(members) for members in groups.values()])
    quotas = _quotas(sizes, count)
    drawn = [
        rng.choice(np.array(members), quota, replace=False)
        for members, quota in zip(groups.values(), quotas.tolist(), strict=True)
    ]
    return np.sort(np.concatenate(drawn)).astype(np.int64)


def _quotas(sizes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    if count < len(sizes):
        return apportion(sizes, count)
    # One of each, the rest in proportion to what is left.
    left = sizes - 1
    rest = count - len(sizes)
    return 1 + apportion(left, rest) if rest else np.ones_like(sizes)


def counts_of(total: int, settings: CampaignSettings) -> dict[TaskKind, int]:
    """Number of tasks of each special kind.

    Args:
        total: all tasks of the campaign.
        settings: shares and counts.

    Raises:
        InvalidInputError: more special tasks than tasks.

    Example:
        >>> from landloom.annotate.tasks.values import CampaignSettings
        >>> {kind.value: count for kind, count in counts_of(640, CampaignSettings()).items()}
        {'qualification': 0, 'reference': 32, 'blind': 19, 'planted': 6}
    """
    share = round(total * settings.reference_share)
    counts = {
        TaskKind.QUALIFICATION: settings.qualification,
        TaskKind.REFERENCE: share if settings.reference_count is None else settings.reference_count,
        TaskKind.BLIND: round(total * settings.blind_share),
        TaskKind.PLANTED: round(total * settings.planted_share),
    }
    wanted = sum(counts.values())
    if wanted > total:
        words = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        raise InvalidInputError(f"got {words} tasks, expected at most the {total} tasks of the campaign together")
    return counts


def draw_kinds(
    strata: Sequence[Hashable], settings: CampaignSettings, *, guessed: Sequence[bool] | None = None
) -> tuple[TaskKind, ...]:
    """Draw the kind of each task.

    Args:
        strata: stratum of each task, such as the main class of its guess.
        settings: shares, counts and seed.
        guessed: whether each task has a guess; only those can be blind or hold a planted error. None: all have one.

    Returns:
        Kinds in the order of the tasks. Without any guess there is no blind and no planted task.

    Example:
        >>> from landloom.annotate.tasks.values import CampaignSettings
        >>> kinds = draw_kinds([n % 7 for n in range(640)], CampaignSettings(seed=1))
        >>> kinds.count(TaskKind.REFERENCE), kinds.count(TaskKind.BLIND), kinds.count(TaskKind.PLANTED)
        (32, 19, 6)
    """
    rng = np.random.default_rng([settings.seed, 0x7A5C])
    kinds = [TaskKind.REGULAR] * len(strata)
    counts = counts_of(len(strata), settings)
    for kind in _ORDER:
        needs_guess = kind in (TaskKind.BLIND, TaskKind.PLANTED)
        free = [
            position
            for position, taken in enumerate(kinds)
            if taken is TaskKind.REGULAR and (not needs_guess or guessed is None or guessed[position])
        ]
        count = min(counts[kind], len(free)) if needs_guess else counts[kind]
        for picked in stratified([strata[position] for position in free], count, rng).tolist():
            kinds[free[picked]] = kind
    return tuple(kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redraw:
    """A new draw of the reference tasks during a campaign."""

    promote: tuple[int, ...]
    """Regular tasks that become reference tasks."""
    release: tuple[int, ...]
    """Reference tasks that become regular tasks, since no expert has answered them."""


def redraw_references(
    strata: Sequence[Hashable],
    kinds: Sequence[TaskKind],
    *,
    answered: Collection[int],
    issued: Collection[int],
    count: int,
    seed: int,
) -> Redraw:
    """Draw the pool of reference tasks again.

    Reference tasks without an expert's answer are released; new ones are drawn among all tasks that nobody was given.
    Those that an expert has answered remain references.

    Args:
        strata: stratum of each task.
        kinds: present kind of each task.
        answered: positions of the reference tasks that an expert has answered.
        issued: positions of the tasks that were given to any annotator.
        count: number of new reference tasks.
        seed: of the draw; another one than that of earlier draws.

    Raises:
        InvalidInputError: fewer tasks are left than wanted.
    """
    released = [n for n, kind in enumerate(kinds) if kind is TaskKind.REFERENCE and n not in answered]
    free = [n for n, kind in enumerate(kinds) if kind is TaskKind.REGULAR and n not in issued]
    pool = sorted({*free, *released})
    if count > len(pool):
        raise InvalidInputError(f"got {count} new reference tasks, expected at most the {len(pool)} not issued yet")
    picked = stratified([strata[n] for n in pool], count, np.random.default_rng([seed, 0x2ED4]))
    chosen = {pool[number] for number in picked.tolist()}
    return Redraw(promote=tuple(sorted(chosen - set(released))), release=tuple(n for n in released if n not in chosen))
