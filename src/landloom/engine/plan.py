"""The plan of a build: gathering reads inputs and archives, planning is pure, running executes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from landloom.engine.kinds import PlanInputs
from landloom.engine.placement import split_samples
from landloom.engine.scenes.archives import Archives, all_scenes
from landloom.errors import InvalidInputError, Problem, bullets
from landloom.model.address import is_remote
from landloom.model.sample import by_tile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from landloom.corpus.info import ProductInfo
    from landloom.engine.context import BuildContext
    from landloom.engine.kinds import ProductRequest
    from landloom.engine.placement import Placement
    from landloom.engine.project import Project
    from landloom.engine.registry import Registry
    from landloom.engine.units import Unit
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The units of a build, and their inputs."""

    requests: tuple[ProductRequest[Any], ...]
    """The requests of the recipe to product kinds."""
    placement: Placement
    tiles: Mapping[str, tuple[Sample, ...]]
    """Tile → its samples, both in id order."""
    units: tuple[Unit, ...]
    """Every unit whose files are published."""
    scene_count: int
    """Number of distinct scenes used."""
    problems: tuple[Problem, ...] = ()
    """Problems of the inputs, whose concerned parts were left out."""


def gather(
    project: Project,
    registry: Registry,
    context: BuildContext,
    *,
    fetch: bool = True,
    allow_missing: bool = False,
    choose: Callable[[tuple[Sample, ...]], tuple[Sample, ...]] | None = None,
) -> tuple[PlanInputs, tuple[Problem, ...]]:
    """Check inputs, place the samples, and find the scenes of each tile; each archive is searched once.

    Args:
        project: the recipe in its folder.
        registry: of its kinds.
        context: of the build.
        fetch: whether to download products from a provider; if not, only its catalogue is searched.
        allow_missing: continue without products that failed.
        choose: of the placed samples those to go on with; by default all.

    Returns:
        The inputs of planning, and the problems.

    Raises:
        InvalidInputError: an input cannot be used, or the archive has no scene at all.
        BuildError: units needed for placement have failed, or products could not be downloaded.
        FaultError: the archive is not available.
    """
    requests = registry.requests(project)
    for request in requests:
        request.kind.check(request, context)
    archives = Archives(project, context, fetch=fetch, allow_missing=allow_missing)
    placement = _placed(project, registry, context, archives)
    if choose is not None:
        placement = replace(placement, samples=choose(placement.samples))
    tiles = by_tile(placement.samples)
    scenes = _scenes(requests, tiles, archives)
    problems = tuple(dict.fromkeys((*placement.problems, *archives.problems)))
    if scenes and not all_scenes(scenes.values()):
        wrong = f"; its problems:\n{bullets(problems[:5])}" if problems else ""
        raise InvalidInputError(f"the archive has no scene of any sample in {project.recipe.period.value}{wrong}")
    empty = [path for path, answer in scenes.items() if not all_scenes([answer])]
    problems += tuple(
        Problem(where=path, what="its archive has no scene of any sample in its period") for path in empty
    )
    for request in requests:
        for name in request.kind.files(request.section):
            path = project.path(name)
            if not is_remote(path) and not Path(path).is_file():
                raise InvalidInputError(f"{request.path}: {path}: no such file")
            context.identity(path)
    inputs = PlanInputs(
        placement=placement,
        tiles=tiles,
        scenes=scenes,
        identities=context.identities,
        store=context.uri,
        layout=project.layout,
    )
    return inputs, problems


def _placed(project: Project, registry: Registry, context: BuildContext, archives: Archives) -> Placement:
    section = project.recipe.samples
    placement = registry.sampler(section).place(project, section, context, archives)
    if not placement.samples:
        raise InvalidInputError("got no sample in the region, expected at least one: does it match labels and scenes?")
    return replace(placement, samples=split_samples(project, placement.samples))


def _scenes(
    requests: Sequence[ProductRequest[Any]], tiles: Mapping[str, tuple[Sample, ...]], archives: Archives
) -> dict[str, dict[str, tuple[Scene, ...]]]:
    wanted = {request.path: request.kind.scenes(request) for request in requests}
    asked = {path: scenes for path, scenes in wanted.items() if scenes is not None}
    for request in requests:
        asked |= {f"{request.path}.{name}": scenes for name, scenes in request.kind.more_scenes(request).items()}
    if not asked:
        return {}
    footprints = {tile: shapely.union_all([one.footprint for one in samples]) for tile, samples in tiles.items()}
    return {path: archives.search(scenes.archive, footprints, scenes.period) for path, scenes in asked.items()}


def make_plan(project: Project, registry: Registry, inputs: PlanInputs, problems: tuple[Problem, ...] = ()) -> Plan:
    """Create the units of a recipe; pure.

    Args:
        project: the recipe in its folder.
        registry: of its kinds.
        inputs: as gathered.
        problems: found while gathering.
    """
    requests = registry.requests(project)
    units: list[Unit] = []
    makers: dict[tuple[str, str], Unit] = {}
    products: dict[str, ProductInfo] = {}
    for request in requests:
        planned = request.kind.units(request, replace(inputs, makers=makers, products=products))
        products |= {item.key: item for item in request.kind.describe(request, inputs.placement)}
        makers |= {(unit.tile, key): unit for unit in planned for key in unit.makes}
        units += planned
    found = all_scenes(inputs.scenes.values())
    found |= {scene for one in inputs.placement.granules.values() for scene in one.choice().ids}
    return Plan(
        requests=requests,
        placement=inputs.placement,
        tiles=inputs.tiles,
        units=tuple(units),
        scene_count=len(found),
        problems=problems,
    )
