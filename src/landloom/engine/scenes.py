"""Which scenes a recipe takes: by its policy, or as a person has decided in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.archive.choice import SceneChoice
from landloom.archive.open import open_archive
from landloom.archive.selection import Policy, SceneFilter, choose_scenes
from landloom.errors import InvalidInputError
from landloom.model.recipe import ScenesSection
from landloom.model.time import Period

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.archive.granules import Cover
    from landloom.archive.search import Archive
    from landloom.engine.project import Project
    from landloom.errors import Problem
    from landloom.model.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen for a recipe."""

    policy: str
    """In words, or the file that decides."""
    choice: SceneChoice
    scenes: tuple[Scene, ...]
    """The chosen ones, in order of time, then id."""
    shares: Mapping[str, float]
    """Granule → share of the region that it covers, largest first."""
    cover: Cover
    """The fewest granules that cover the region."""
    problems: tuple[Problem, ...]
    """What the archive's documents have wrong, survived."""


def span(project: Project) -> Period:
    """The time from the first product's start to the last one's end."""
    periods = [project.period(key) for key in project.recipe.products] or [project.recipe.period.value]
    return Period(min(one.start for one in periods), max(one.end for one in periods))


def scene_filter(section: ScenesSection) -> SceneFilter:
    """The filter of a recipe's section."""
    return SceneFilter(
        cloud=section.cloud, overlap=section.overlap, valid=section.valid, levels=section.levels, size=section.size
    )


def choose(project: Project, policy: str | None = None, archive: Archive | None = None) -> Choice:
    """Search the archive for the region and let a policy, or the recipe's file, decide.

    Args:
        project: the recipe in its folder.
        policy: instead of the recipe's own policy and file.
        archive: the recipe's if absent.

    Raises:
        InvalidValueError: no such policy.
        InvalidDocumentError: the file cannot be read; every line that is wrong is named.
        NotFoundError: the file names a scene that the archive does not have.
        FaultError: the archive does not answer.
    """
    from landloom.archive.granules import fewest_granules, granules_for
    from landloom.samplers.cells.sampler import region_of

    section = project.recipe.scenes or ScenesSection()
    region = region_of(project)
    archive = archive or open_recipe_archive(project)
    found = archive.search(region, span(project))
    if section.file is not None and policy is None:
        words, choice = f"as {section.file} says", read_choice(project.path(section.file))
    else:
        rule = Policy.parse(policy or section.policy, section.cloud_weight)
        words = str(rule)
        choice = choose_scenes(found, rule, span(project), rule=scene_filter(section), region=region)
    outlines = granule_outlines({scene.granule for scene in found if scene.granule})
    shares = {row.granule: row.share for row in granules_for(region, outlines)}
    return Choice(
        policy=words, choice=choice, scenes=choice.apply(found), shares=shares,
        cover=fewest_granules(region, outlines), problems=archive.problems,
    )  # fmt: skip


def open_recipe_archive(project: Project) -> Archive:
    """The archive that a recipe names."""
    section = project.recipe.archive
    href = None if section.href is None else project.path(section.href)
    collection = section.level if section.kind in {"safe", "odata"} else section.collection
    return open_archive(section.kind, href, collection)


def granule_outlines(granules: set[str]) -> dict[str, Any]:
    """Granule → its outline in WGS84, for those whose square is known."""
    from landloom.errors import InvalidIdentityError
    from landloom.model.granules import granule_footprint
    from landloom.model.ids import GranuleId

    outlines = {}
    for name in sorted(granules):
        try:
            outlines[name] = granule_footprint(GranuleId.parse(name))
        except InvalidIdentityError:
            continue
    return outlines


def read_choice(path: str) -> SceneChoice:
    """A choice from a file.

    Raises:
        InvalidInputError: there is no such file.
        InvalidDocumentError: it cannot be read; every line that is wrong is named.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror}") from error
    return SceneChoice.from_csv(text, path)


def granule_rows(found: Choice) -> list[dict[str, Any]]:
    """What was chosen, a row a granule: largest share of the region first."""
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
            {"granule": granule, "share": found.shares.get(granule, 0.0), "needed": granule in found.cover.granules,
             "candidates": len(groups[granule]), "taken": len(taken), "cloud": mean, "first": first, "last": last,
             "gaps": gaps}
        )  # fmt: skip
    return rows
