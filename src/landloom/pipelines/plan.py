"""The plan of a build: pure data that says what will be made of what; making it fetches no pixel."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import groupby
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from landloom.archive.batches import search_each
from landloom.engine.archives import supply
from landloom.engine.blocks import BUDGET
from landloom.engine.sources.cells import SAMPLES, LabelFiles, SampleCells, cells_units
from landloom.engine.units import Unit, digest
from landloom.errors import InvalidInputError, bullets
from landloom.model.ids import GranuleId
from landloom.model.recipe import CompositeProduct
from landloom.model.taxonomy import taxonomy
from landloom.products.composite.task import CompositeTask
from landloom.products.parcels.task import layers_units
from landloom.products.series.task import series_unit
from landloom.publication.describe import corpus_info
from landloom.samplers.cells.sampler import Placement, place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.engine.context import Workshop
    from landloom.engine.project import Project
    from landloom.engine.run import Listener
    from landloom.errors import Problem
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a build will do."""

    placement: Placement
    units: tuple[Unit, ...]
    """Every unit whose files are published."""
    scene_count: int
    """Distinct scenes behind all of it."""
    problems: tuple[Problem, ...]
    """What the archive's documents have wrong, survived."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The chosen samples, in id order."""
        return self.placement.samples


def by_tile(samples: Sequence[Sample]) -> dict[str, tuple[Sample, ...]]:
    """Samples grouped by tile, both in id order."""
    ordered = sorted(samples, key=lambda sample: (sample.tile, sample.id))
    return {tile: tuple(group) for tile, group in groupby(ordered, key=lambda sample: sample.tile)}


def label_files(project: Project, name: str, tiles: Mapping[str, tuple[Sample, ...]]) -> dict[str, LabelFiles]:
    """Tile → the label files of its samples."""
    product = project.label_product(name)
    columns = taxonomy(project.recipe.labels[name].taxonomy).columns()
    layout = corpus_info(project).layout
    return {
        tile: LabelFiles(layout=layout, prefix=product.prefix, columns=columns, samples=samples)
        for tile, samples in tiles.items()
    }


def scene_identity(project: Project, scene: Scene, bands: Sequence[str]) -> list[Any]:
    """What makes a scene's files the same files: href and checksum, else ETag and size; never a time of change.

    Paths are those from the recipe's folder, where the recipe says them so: a project that moves is the same project.
    """
    assets = (scene.assets[name] for name in (*bands, "SCL") if name in scene.assets)
    return [scene.id, *((project.lasting(a.href), a.checksum or (a.etag, a.size), a.band, a.offset) for a in assets)]


def build_plan(project: Project, shop: Workshop, *, fetch: bool = True, allow_missing: bool = False) -> Plan:
    """Choose samples, find their scenes, fetch them where they are whole products, and lay out the units.

    Args:
        project: the recipe in its folder.
        shop: where the corpus is built.
        fetch: whether products of a provider are fetched; without, its catalogue alone is asked.
        allow_missing: go on without products that failed.

    Raises:
        BuildError: the labels that the draw needs could not be computed.
        FaultError: the archive does not answer.
    """
    placement = place(project, shop)
    tiles = by_tile(placement.samples)
    units: list[Unit] = []
    for name in project.recipe.labels:
        cells = {tile: SampleCells(samples=samples) for tile, samples in tiles.items()}
        units += cells_units(project, name, cells, shop.uri, SAMPLES, label_files(project, name, tiles))
    layout = corpus_info(project).layout
    if placement.prepared is not None:
        units += layers_units(project, placement.prepared, tiles, layout, shop.uri)
    key = project.granular()
    if key is not None:
        return _granule_plan(project, placement, shop, key)
    found: set[str] = set()
    keys = [*project.composites(), *project.series()]
    supplied = supply(project, shop, fetch=fetch, allow_missing=allow_missing)
    archive, chosen = supplied.archive, supplied.chosen
    shop.listener.started("searching the archive", len(tiles) * len(keys))
    footprints = {tile: footprint_of(samples) for tile, samples in tiles.items()} if keys else {}
    for key in keys:
        answers: dict[str, tuple[Scene, ...]] = {}
        for tile, answer in search_each(archive, footprints, project.period(key)):
            answers[tile] = tuple(scene for scene in answer if chosen is None or scene.id in chosen)
            shop.listener.advanced(tile, None)
        for tile, samples in tiles.items():
            scenes = answers[tile]
            found |= {scene.id for scene in scenes}
            if key in project.series():
                identities = [scene_identity(project, scene, project.series_section(key).bands) for scene in scenes]
                units.append(series_unit(project, key, tile, samples, scenes, (shop.uri, layout), identities))
            else:
                units.append(composite_unit(project, key, tile, samples, scenes, shop.uri))
    problems = tuple(dict.fromkeys((*supplied.problems, *archive.problems)))  # searching finds more
    if keys and not found:
        wrong = f"; it has this wrong:\n{bullets(problems[:5])}" if problems else ""
        raise InvalidInputError(f"the archive has no scene of any sample in {project.recipe.period.value}{wrong}")
    return Plan(placement=placement, units=tuple(units), scene_count=len(found), problems=problems)


def _granule_plan(project: Project, placement: Placement, shop: Workshop, key: str) -> Plan:
    """The plan of a recipe of granules: a series and, where there is a guess, labels of each."""
    from landloom.products.granule_series.task import granule_unit
    from landloom.products.guess.task import guess_unit
    from landloom.samplers.granules.sampler import granule_scenes

    where = shop.uri, corpus_info(project).layout
    tiles = by_tile(placement.samples)
    granules = {tile: GranuleId.parse(samples[0].id.tile_name) for tile, samples in tiles.items()}
    scenes = granule_scenes(project, list(granules.values()), shop)
    units = [granule_unit(project, key, tile, own, scenes[granules[tile]], where) for tile, own in tiles.items()]
    if project.recipe.guess is not None:
        units += [guess_unit(project, tile, own, scenes[granules[tile]], where) for tile, own in tiles.items()]
    found = {scene for one in scenes.values() for scene in one.choice().ids}
    return Plan(placement=placement, units=tuple(units), scene_count=len(found), problems=placement.problems)


def footprint_of(samples: Sequence[Sample]) -> Any:
    """The union of the samples' footprints, in WGS84."""
    import shapely

    return shapely.union_all([sample.footprint for sample in samples])


def composite_unit(
    project: Project, key: str, tile: str, samples: tuple[Sample, ...], scenes: tuple[Scene, ...], store: str
) -> Unit:
    """The unit that composites one product over one tile."""
    settings = project.recipe.products[key]
    if not isinstance(settings, CompositeProduct):
        raise TypeError(f"got {type(settings).__name__}, wanted a composite")
    count = project.count_product(key)
    task = CompositeTask(
        store=store, layout=corpus_info(project).layout, layouts=project.recipe.layouts, product=project.product(key),
        count_product=None if count is None else project.product(count), settings=settings, samples=samples,
        timesteps=project.timesteps(key), scenes=scenes,
    )  # fmt: skip
    decides = digest(
        settings.model_dump(mode="json", exclude={"terms"}),
        project.recipe.layouts,
        [asdict(task.product), task.layout.name],
        [str(step.period) for step in task.timesteps],
        [(str(sample.id), sample.bounds) for sample in samples],
        [scene_identity(project, scene, settings.bands) for scene in scenes],
    )
    return Unit(id=f"{key}/{tile}", key=decides, memory=2 * BUDGET, task=task)


def make_plan(project: Project, listener: Listener | None = None) -> Plan:
    """Plan without building: what the draw needs is computed in a temporary folder.

    Raises:
        BuildError: the labels that the draw needs could not be computed.
    """
    from pathlib import Path

    from landloom.engine.context import workshop

    with TemporaryDirectory() as folder, workshop(Path(folder), listener=listener) as shop:
        return build_plan(project, shop, fetch=False)
