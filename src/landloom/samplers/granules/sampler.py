"""Placing chips: granules are named or drawn from a table, and chips drawn where their scenes have data."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.archive.selection import SceneFilter
from landloom.corpus.manifest import FileEntry
from landloom.engine.context import run_stage
from landloom.engine.granules import GranuleReader, GranuleScenes
from landloom.engine.reading import SceneFaultError
from landloom.engine.scenes import open_recipe_archive
from landloom.engine.units import Outcome, Unit, digest
from landloom.errors import BuildError, InvalidInputError, Problem
from landloom.model.apportion import apportion
from landloom.model.granules import granule_footprint, granule_grid
from landloom.model.ids import ChipId, GranuleId
from landloom.model.recipe import GranuleChips, ScenesSection
from landloom.model.sample import Sample
from landloom.pipelines.plan import scene_identity
from landloom.sampling.chips import draw_chips
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.engine.context import Workshop
    from landloom.engine.project import Project
    from landloom.engine.sources.class_map import TargetMap
    from landloom.model.recipe import GranuleSeries, VectorSource
    from landloom.sampling.granules import GranuleDraw, GranuleTable

FOLDER: Final = ".landloom/chips"
"""Where it is kept which chips each granule has."""
UNIT: Final = "chips"
"""Start of the ids of units that place chips."""
COARSE: Final = 60
"""Metres of a pixel of the maps that chips are placed by."""
POLICY: Final = "monthly + 12"
"""Scenes of a granule, unless a recipe says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipsTask:
    """Draw the chips of one granule clear of the swath's edge."""

    store: str
    key: str
    """Where the chips are kept."""
    scenes: GranuleScenes
    section: GranuleChips
    settings: GranuleSeries
    seed: int
    target: TargetMap | None = None
    """The map over whose classes chips are spread."""

    def run(self) -> Outcome:
        """Read the classifications of the chosen scenes, draw, keep."""
        without: dict[str, str] = {}
        while True:
            chosen = self.scenes.chosen(without)
            try:
                with GranuleReader(chosen, self.settings) as reader:
                    seen = self._seen(reader)
                    break
            except SceneFaultError as fault:
                without[fault.scene.id] = str(fault)
        granule = self.scenes.granule
        classes = None if self.target is None else self.target.on(granule_grid(granule, COARSE))
        needed = max(round(self.section.seen * len(chosen)), 1)
        chips = draw_chips(
            granule, self.section.chips, self.seed, valid=seen >= needed, classes=classes, size=self.section.size
        )
        choice = self.scenes.choice(without)
        document = {"chips": [list(chip.bounds) for chip in chips]}
        data = orjson.dumps(document)
        open_store(self.store).put(self.key, data)
        facts = {
            "scenes": len(chosen), "months_without": [month for _, month in choice.gaps],
            "short_of": [wanted - found for _, wanted, found in choice.short],
            "left_out": [{"id": scene, "reason": reason} for scene, reason in sorted(without.items())],
        }  # fmt: skip
        return Outcome(files=(FileEntry.of(self.key, data),), facts=facts)

    def _seen(self, reader: GranuleReader) -> NDArray[np.uint16]:
        """(row, column) of pixels of 60 m: scenes with data in all of it."""
        whole = granule_grid(self.scenes.granule, COARSE)
        area = reader.area(self.scenes.granule, 20)
        factor = COARSE // 20
        seen = np.zeros(whole.shape, dtype=np.uint16)
        row, column = round((whole.north - area.north) / COARSE), round((area.west - whole.west) / COARSE)
        height, width = area.height // factor, area.width // factor
        part = seen[row : row + height, column : column + width]
        for one in reader.readers:
            scl = one.band("SCL", area)
            if scl is not None:
                blocks = scl[: height * factor, : width * factor].reshape(height, factor, width, factor)
                part += (blocks != 0).all(axis=(1, 3))
        return seen


def granule_scenes(project: Project, granules: Sequence[GranuleId], shop: Workshop) -> dict[GranuleId, GranuleScenes]:
    """Search the archive for granules.

    Raises:
        FaultError: the archive does not answer.
    """
    key = project.granular()
    section = project.recipe.scenes or ScenesSection(policy=POLICY)
    rule = SceneFilter(cloud=section.cloud, overlap=0.0, valid=section.valid, levels=section.levels, size=section.size)
    archive = open_recipe_archive(project)
    period = project.period(str(key))
    shop.listener.started("searching the archive", len(granules))
    found = {}
    for granule in granules:
        scenes = archive.search(granule_footprint(granule), period)
        own = tuple(scene for scene in scenes if scene.granule == str(granule))
        found[granule] = GranuleScenes(granule=granule, candidates=own, policy=section.policy, rule=rule, period=period)
        shop.listener.advanced(str(granule), None)
    return found


def place_granules(project: Project, shop: Workshop) -> tuple[tuple[Sample, ...], list[Problem]]:
    """The chips of a recipe, and a problem for each granule that has none.

    Raises:
        InvalidInputError: the table of granules cannot be used, or quotas cannot be met.
        BuildError: no granule has any.
    """
    section = project.recipe.samples
    if not isinstance(section, GranuleChips):
        raise TypeError(f"got {type(section).__name__}, wanted chips in granules")
    granules = chosen_granules(project, section)
    found = granule_scenes(project, granules, shop)
    units = [_unit(project, section, found[granule], shop.uri) for granule in granules]
    problems = run_stage("placing chips", units, shop)
    failed = {problem.where for problem in problems}
    samples = [
        sample
        for granule, unit in zip(granules, units, strict=True)
        if unit.id not in failed
        for sample in _read(granule, shop)
    ]
    if not samples:
        raise BuildError(problems)
    return tuple(samples), problems


def _unit(project: Project, section: GranuleChips, scenes: GranuleScenes, store: str) -> Unit:
    from landloom.engine.sources.class_map import target_of

    settings: Any = project.recipe.products[str(project.granular())]
    target = target_of(project) if section.spread else None
    task = ChipsTask(
        store=store, key=f"{FOLDER}/{scenes.granule}.json", scenes=scenes, section=section, settings=settings,
        seed=project.recipe.seed, target=target,
    )  # fmt: skip
    decides = digest(
        str(scenes.granule), section.model_dump(mode="json", exclude={"granules", "table", "quotas", "count"}),
        project.recipe.seed, scenes_identity(project, scenes, ()), None if target is None else target.identity(),
    )  # fmt: skip
    return Unit(id=f"{UNIT}/{scenes.granule}", key=decides, memory=2**30, task=task)


def scenes_identity(project: Project, scenes: GranuleScenes, bands: Sequence[str]) -> list[Any]:
    """All that decides which scenes a granule has, and what is in them."""
    return [
        scenes.policy, str(scenes.rule), str(scenes.period),
        [[scene_identity(project, scene, bands), scene.cloud_cover, scene.nodata_share] for scene in scenes.candidates],
    ]  # fmt: skip


def _read(granule: GranuleId, shop: Workshop) -> list[Sample]:
    document = orjson.loads(shop.store.get(f"{FOLDER}/{granule}.json"))
    epsg = granule.zone.epsg
    return [
        Sample(id=ChipId(granule, number), epsg=epsg, bounds=tuple(bounds), stratum=str(granule))
        for number, bounds in enumerate(document["chips"])
    ]


def chosen_granules(project: Project, section: GranuleChips) -> list[GranuleId]:
    """The granules that a recipe names, or draws.

    Raises:
        InvalidInputError: the table cannot be used, or quotas cannot be met.
    """
    if section.granules:
        return sorted({GranuleId.parse(name) for name in section.granules})
    source = section.continents
    if source is not None:
        moved = source.model_copy(update={"file": project.path(source.file)})
        section = section.model_copy(update={"continents": moved})
    return list(draw_from_table(project.path(str(section.table)), section, project.recipe.seed).granules)


def draw_from_table(path: str, section: GranuleChips, seed: int) -> GranuleDraw:
    """Draw granules from a table of features.

    Raises:
        InvalidInputError: the table cannot be used, or quotas cannot be met.
    """
    from landloom.sampling.granules import draw_granules

    table = read_granules(path, section.continents)
    quotas = section.quotas or _by_area(table, section.count)
    return draw_granules(table, quotas, seed, method=section.method, water=section.water, barren=section.barren)


def _by_area(table: GranuleTable, count: int) -> dict[str, int]:
    areas = table.land_areas()
    return dict(zip(areas, apportion(np.array(list(areas.values())), count).tolist(), strict=True))


def read_granules(path: str, continents: VectorSource | None = None) -> GranuleTable:
    """Read a table of granules: Parquet or CSV with `id, continent, longitude, latitude, igbp_1` to `igbp_17`.

    Args:
        path: of the table.
        continents: what says the continents, instead of the table's column.

    Raises:
        InvalidInputError: no such file, or columns that are missing; they are named.
    """
    from pathlib import Path

    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    from landloom.samplers.granules.features import assigned
    from landloom.sampling.granules import CLASSES, GranuleTable

    try:
        data = io.BytesIO(Path(path).read_bytes())
        table = pq.read_table(data) if path.endswith(".parquet") else pyarrow.csv.read_csv(data)
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror}") from error
    except pa.ArrowException as error:
        raise InvalidInputError(f"{path}: cannot be read: {error}") from error
    shares = [f"igbp_{code}" for code in range(1, CLASSES + 1)]
    wanted = ("id", *(() if continents else ("continent",)), "longitude", "latitude", *shares)
    missing = [name for name in wanted if name not in table.column_names]
    if missing:
        raise InvalidInputError(f"{path}: got no column {', '.join(missing)}")
    ids = [GranuleId.parse(name) for name in table["id"].to_pylist()]
    own = continents
    names = table["continent"].to_pylist() if own is None else assigned(ids, own.file, own.column, own.layer)
    kept = [place for place, name in enumerate(names) if name]
    if not kept:
        raise InvalidInputError(f"{path}: got no continent of any granule; name a source of continents")
    table = table.take(kept)
    return GranuleTable.of_rows(
        [ids[place] for place in kept], [str(names[place]) for place in kept],
        np.column_stack([table["longitude"].to_numpy(), table["latitude"].to_numpy()]),
        np.column_stack([table[name].to_numpy() for name in shares]),
    )  # fmt: skip
