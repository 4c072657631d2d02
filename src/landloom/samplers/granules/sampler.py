"""Chips in Sentinel-2 granules that are listed, or drawn for diversity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.engine.context import run_stage
from landloom.engine.kinds import Sampler, StatedSamples
from landloom.engine.placement import Placement
from landloom.engine.recipe_region import region_of
from landloom.engine.sources.class_map import class_map
from landloom.engine.units import Unit, unit_digest
from landloom.errors import BuildError, InvalidInputError, Problem
from landloom.model.granules import granule_region
from landloom.model.ids import GranuleId
from landloom.model.recipe import ClassMapSource, find_sources
from landloom.samplers.granules.placing import ChipsTask, read_chips
from landloom.samplers.granules.section import GranuleChips
from landloom.samplers.granules.table import draw_from_table
from landloom.sampling.neighbours import neighbours_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from landloom.engine.context import BuildContext
    from landloom.engine.project import Project
    from landloom.engine.scenes.archives import Archives
    from landloom.engine.scenes.granules import GranuleScenes
    from landloom.engine.sources.class_map import ClassMap
    from landloom.model.recipe import Sections
    from landloom.model.sample import Sample
    from landloom.model.time import Period

RESOLUTION: Final = 10
"""Metres of a pixel."""
_OF_DRAWS: Final = ("continents", "quotas", "count", "method", "water", "barren")
"""Keys that are used only with a table of granules."""


class GranuleChipsSampler(Sampler[GranuleChips]):
    """Chips in granules."""

    section = GranuleChips
    policy = "monthly + 12"

    def misfits(self, section: GranuleChips, read: Sections) -> Iterator[Problem]:
        """Keys without effect, products of several periods, and a spread without a map."""
        fields = GranuleChips.model_fields
        if section.granules:
            for key in _OF_DRAWS:
                if getattr(section, key) != fields[key].default:
                    yield Problem(where=f"samples.{key}", what="not used if granules are listed: remove it")
        elif section.quotas and section.count != fields["count"].default:
            yield Problem(where="samples.count", what="not used if there are quotas: remove it")
        if section.spread and read.lacks(ClassMapSource):
            yield Problem(where="samples.spread", what="expected a section with the land-cover map to spread over")
        made = [one for one in (read.get("products") or {}).values() if hasattr(one, "archive")]
        if len({(str(one.period), one.archive) for one in made}) > 1:
            yield Problem(where="products", what="got several periods or archives, expected one for granules")

    def files(self, section: GranuleChips) -> Iterable[str]:
        """The table of granules, and the file of their continents."""
        names = [section.table] if section.table else []
        return names if section.continents is None else [*names, section.continents.file]

    def granules(self, project: Project, section: GranuleChips) -> list[GranuleId]:
        """The granules that a recipe lists, or draws.

        Raises:
            InvalidInputError: one is outside the region, the table cannot be used, or quotas cannot be met.
        """
        return self._chosen(project, section)[0]

    def _chosen(self, project: Project, section: GranuleChips) -> tuple[list[GranuleId], tuple[Problem, ...]]:
        """The granules, and the rows of their table that cannot be used."""
        region = region_of(project)
        if section.granules:
            named = sorted({GranuleId.parse(name) for name in section.granules})
            outside = [str(one) for one in named if not granule_region(one).intersects(region)]
            if outside:
                raise InvalidInputError(f"samples.granules: {', '.join(outside)} outside the region")
            return named, ()
        source = section.continents
        if source is not None:
            moved = source.model_copy(update={"file": project.path(source.file)})
            section = section.model_copy(update={"continents": moved})
        table = project.path(str(section.table))
        drawn, left_out = draw_from_table(table, section, project.recipe.seed, region=region)
        return list(drawn.granules), left_out

    def place(self, project: Project, section: GranuleChips, context: BuildContext, archives: Archives) -> Placement:
        """Draw the chips of each granule where its scenes have data; a granule without room for them is left out."""
        granules, left_out = self._chosen(project, section)
        archive, period = _source(project)
        found = archives.granules(archive, granules, period)
        maps = find_sources(dict(project.recipe), ClassMapSource).values() if section.spread else ()
        target = next((class_map(project, source) for source in maps), None)
        near = neighbours_of(granules)
        units = [_unit(project, section, found[one], context, target, near[one]) for one in granules]
        problems = run_stage("placing chips", units, context)
        failed = {problem.where for problem in problems}
        samples: list[Sample] = []
        scenes: dict[str, GranuleScenes] = {}
        for granule, unit in zip(granules, units, strict=True):
            if unit.id not in failed:
                chips, broken = read_chips(granule, context.store)
                samples += chips
                scenes |= {chip.tile: found[granule].without(broken) for chip in chips[:1]}
        if not samples:
            raise BuildError(problems)
        return Placement(samples=tuple(samples), problems=(*left_out, *problems), granules=scenes)

    def stated(self, project: Project, section: GranuleChips) -> StatedSamples:
        """The number of granules and of chips in each."""
        granules = len(section.granules) or sum(section.quotas.values()) or section.count
        return StatedSamples(count=granules * section.chips, tiles=granules, side=float(section.size * RESOLUTION))


def _source(project: Project) -> tuple[str, Period]:
    """The archive of the granules' scenes, and their period."""
    made = [one for one in project.recipe.products.values() if hasattr(one, "archive")]
    product = made[0] if made else None
    return project.recipe.archive_of(product), project.period(product)


def _unit(
    project: Project,
    section: GranuleChips,
    scenes: GranuleScenes,
    context: BuildContext,
    target: ClassMap | None,
    near: tuple[GranuleId, ...],
) -> Unit:
    archive, _ = _source(project)
    seed = project.recipe.seed
    task = ChipsTask(store=context.uri, scenes=scenes, section=section, seed=seed, target=target, neighbours=near)
    identities = [project.scene_identity(scene, (), archive) for scene in scenes.candidates]
    decides = unit_digest(
        str(scenes.granule),
        section.model_dump(mode="json", exclude={"granules", "table", *_OF_DRAWS}),
        seed,
        scenes.identity(identities),
        None if target is None else target.identity(context.identity(target.path)),
        *([[str(one) for one in near]] if near else []),
    )
    return Unit(
        kind="chips",
        product="chips",
        tile=str(scenes.granule),
        key=decides,
        memory=2**30,
        task=task,
        reads=tuple(scenes.candidates),
    )
