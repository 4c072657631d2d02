"""The scenes that a recipe uses: chosen by its policy, or by hand in a file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.archive.choice import SceneChoice, by_granule
from landloom.archive.granule_cover import fewest_granules, granules_for
from landloom.archive.selection import Policy, SceneFilter, choose_scenes
from landloom.engine.recipe_region import region_of
from landloom.engine.scenes.granules import GranuleScenes
from landloom.errors import InvalidIdentityError, NotFoundError
from landloom.model.granules import granule_region
from landloom.model.ids import GranuleId
from landloom.model.recipe import ScenesSection
from landloom.model.sensor import SENTINEL_2_L2A
from landloom.model.time import Period
from landloom.store.vector.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from landloom.archive.granule_cover import GranuleCover
    from landloom.archive.protocol import Archive
    from landloom.engine.project import Project
    from landloom.errors import Problem
    from landloom.model.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenesChosen:
    """The result of choosing scenes for a recipe."""

    policy: str
    """Text of the policy, or the file with the choice."""
    choice: SceneChoice
    scenes: tuple[Scene, ...]
    """The chosen ones, in order of time, then id."""
    shares: Mapping[str, float]
    """Granule → share of the region that it covers, largest first."""
    cover: GranuleCover
    """The fewest granules that cover the region."""
    problems: tuple[Problem, ...]
    """Problems of the archive's documents that did not stop the search."""


def span(project: Project) -> Period:
    """The time from the first product's start to the last one's end."""
    periods = [project.period(section) for section in project.recipe.products.values()]
    periods = periods or [project.recipe.period.value]
    return Period(min(one.start for one in periods), max(one.end for one in periods))


def scenes_section(project: Project) -> ScenesSection:
    """The scenes section of a recipe; without one, all scenes are used."""
    return project.recipe.scenes or ScenesSection()


def scene_filter(section: ScenesSection) -> SceneFilter:
    """The filter of a recipe's section."""
    return SceneFilter(
        cloud=section.cloud, overlap=section.overlap, valid=section.valid, levels=section.levels, size=section.size
    )


def scene_policy(section: ScenesSection, text: str | None = None) -> Policy:
    """The policy of a recipe's section, or a given one instead.

    Raises:
        InvalidValueError: no such policy.
    """
    return Policy.parse(text or section.policy or "all", section.cloud_weight)


def choose(
    project: Project, archive: Archive, policy: str | None = None, granules: Sequence[GranuleId] | None = None
) -> ScenesChosen:
    """Search an archive for the region, or for granules, and choose scenes by a policy or by the recipe's file.

    Args:
        project: the recipe in its folder.
        archive: one of the recipe's.
        policy: replaces the recipe's policy and file.
        granules: searched instead of the region, for samples in granules.

    Raises:
        InvalidValueError: no such policy.
        InvalidDocumentError: the file cannot be read; lists every invalid line.
        NotFoundError: the file names a scene that the archive does not have.
        FaultError: the archive is not available.
    """
    section, region = scenes_section(project), region_of(project)
    by_file = section.file is not None and policy is None
    if granules is not None:
        found = granule_scenes(project, archive, granules, span(project), policy)
        scenes: Iterable[Scene] = chain.from_iterable(one.candidates for one in found.values())
        choice = _joined(one.choice() for one in found.values())
    elif by_file:
        scenes = archive.search(region, span(project))
        choice = read_choice(project.path(str(section.file)))
    else:
        scenes = archive.search(region, span(project))
        rule = scene_policy(section, policy)
        choice = choose_scenes(scenes, rule, span(project), rule=scene_filter(section), region=region)
    scenes = tuple(scenes)
    outlines = granule_outlines({scene.granule for scene in scenes if scene.granule})
    return ScenesChosen(
        policy=f"as {section.file} says" if by_file else str(scene_policy(section, policy)),
        choice=choice,
        scenes=choice.apply(scenes),
        shares={row.granule: row.share for row in granules_for(region, outlines)},
        cover=fewest_granules(region, outlines),
        problems=archive.problems,
    )


def granule_scenes(
    project: Project, archive: Archive, granules: Sequence[GranuleId], period: Period, policy: str | None = None
) -> dict[GranuleId, GranuleScenes]:
    """Search an archive for granules.

    Args:
        project: the recipe in its folder; its scenes section chooses the scenes.
        archive: one of the recipe's.
        granules: to search for.
        period: of the product.
        policy: replaces the recipe's policy and file.

    Raises:
        NotFoundError: the recipe's file names a scene of one of the granules that the archive does not have.
        FaultError: the archive is not available.
    """
    section, fixed = scenes_section(project), None
    if section.file is not None and policy is None:
        told = read_choice(project.path(section.file))
        fixed = frozenset(told.ids)
    rule, found = scene_policy(section, policy), {}
    for granule in granules:
        scenes = archive.search(granule_region(granule), period)
        own = tuple(scene for scene in scenes if scene.granule == str(granule) or _has_no_granules(scene))
        found[granule] = GranuleScenes(
            granule=granule, candidates=own, policy=rule, rule=scene_filter(section), period=period, fixed=fixed
        )
    known = {scene.id for one in found.values() for scene in one.candidates}
    if fixed is not None:
        squares = {str(granule) for granule in granules}
        for candidate in told.candidates:
            if candidate.use and candidate.id not in known and candidate.granule in {*squares, None}:
                raise NotFoundError.of("scene in the archive", candidate.id, known)
    return found


def _joined(choices: Iterable[SceneChoice]) -> SceneChoice:
    parts = list(choices)
    return SceneChoice(
        candidates=tuple(sorted(chain.from_iterable(one.candidates for one in parts), key=by_granule)),
        gaps=tuple(chain.from_iterable(one.gaps for one in parts)),
        short=tuple(chain.from_iterable(one.short for one in parts)),
    )


def _has_no_granules(scene: Scene) -> bool:
    """Whether a scene lies on no granule, as those of sensors other than Sentinel-2 do."""
    return scene.granule is None and not scene.sensor.startswith(SENTINEL_2_L2A.platforms)


def granule_outlines(granules: set[str]) -> dict[str, Any]:
    """Granule → its outline in WGS84, for known granules."""
    outlines = {}
    for name in sorted(granules):
        try:
            outlines[name] = granule_region(GranuleId.parse(name))
        except InvalidIdentityError:
            continue
    return outlines


def read_choice(path: str) -> SceneChoice:
    """A choice from a file.

    Raises:
        InvalidInputError: there is no such file.
        InvalidDocumentError: it cannot be read; lists every invalid line.
    """
    return SceneChoice.from_csv(read_text(path), path)


def granule_rows(found: ScenesChosen) -> list[dict[str, Any]]:
    """The choice as a row per granule, largest share of the region first."""
    groups: dict[str, list[Any]] = {}
    for candidate in found.choice.candidates:
        groups.setdefault(candidate.granule or "", []).append(candidate)
    rows = []
    for granule in sorted(groups, key=lambda name: (-found.shares.get(name, 0.0), name)):
        taken = [one for one in groups[granule] if one.use]
        clouds = [one.cloud_cover for one in taken if one.cloud_cover is not None]
        mean = float(np.mean(clouds)) if clouds else None
        first, last = (f"{taken[end].time:%Y-%m-%d}" if taken else "" for end in (0, -1))
        gaps = [month for name, month in found.choice.gaps if (name or "") == granule]
        rows.append(
            {
                "granule": granule,
                "share": found.shares.get(granule, 0.0),
                "needed": granule in found.cover.granules,
                "candidates": len(groups[granule]),
                "taken": len(taken),
                "cloud": mean,
                "first": first,
                "last": last,
                "gaps": gaps,
            }
        )
    return rows
