"""Plans: gathering asks inputs and archives, planning is a function of what was gathered and reads nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import shapely
import yaml
from tests.engine import made_up
from tests.engine.made_up import CELLS, RECIPE, TERMS
from tests.projects import write_granules

from landloom.archive.protocol import is_wanted
from landloom.engine.context import build_context
from landloom.engine.journal import Journal
from landloom.engine.kinds import PlanInputs
from landloom.engine.placement import Placement
from landloom.engine.plan import Plan, gather, make_plan
from landloom.engine.project import Project
from landloom.engine.scenes.archives import all_scenes, recipe_archive
from landloom.engine.scenes.choose import choose
from landloom.errors import InvalidInputError, LandloomError
from landloom.model.ids import SampleId
from landloom.model.recipe.recipe import MAIN
from landloom.model.sample import Sample, by_tile
from landloom.model.time import Period
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.simulate.server import ArchiveServer

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.build import BuildReport


class CountedServer(ArchiveServer):
    """A provider that counts the requests of its catalogue."""

    searches = 0

    def page(self, wish: dict[str, list[str]]) -> dict[str, Any]:
        self.searches += 1
        return super().page(wish)


class Heard:
    """A listener that remembers stages."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []

    def started(self, stage: str, total: int) -> None:
        self.stages.append((stage, total))

    def advanced(self, unit: str, reason: str | None) -> None:
        """Nothing."""


def gathered(folder: Path, listener: Heard | None = None) -> tuple[Project, PlanInputs]:
    project = REGISTRY.open(folder)
    with build_context(folder / "corpus", listener=listener) as context:
        inputs, problems = gather(project, REGISTRY, context)
    assert problems == ()
    return project, inputs


@pytest.fixture(scope="module")
def tiny_inputs(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, PlanInputs]:
    folder = tmp_path_factory.mktemp("plan")
    shutil.copy(tiny / "landloom.yaml", folder)
    (folder / "archive").symlink_to((tiny / "archive").resolve())
    return gathered(folder)


def copied(folder: Path, target: Path) -> Path:
    shutil.copytree(folder, target, symlinks=False)
    return target


def assert_is_pure(folder: Path) -> Plan:
    """The same plan twice, the second time without a single file of recipe, archive and corpus."""
    project, inputs = gathered(folder)
    first = make_plan(project, REGISTRY, inputs)
    shutil.rmtree(folder)
    assert make_plan(project, REGISTRY, inputs) == first
    assert not folder.exists()
    assert len({unit.id for unit in first.units}) == len(first.units)
    return first


def test_a_plan_of_cells_reads_nothing_and_is_what_was_built(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    plan = assert_is_pure(copied(tiny, tmp_path / "copy"))
    with Journal(tiny_corpus / ".landloom/journal.sqlite") as journal:
        built = {entry.id: entry.key for entry in journal.entries()}
    assert {unit.id: unit.key for unit in plan.units}.items() <= built.items()
    assert {unit.product for unit in plan.units} == {"s2", "labels.clc"}
    assert {unit.tile for unit in plan.units} == set(plan.tiles)


def test_a_plan_of_windows_reads_nothing(series: Path, tmp_path: Path) -> None:
    plan = assert_is_pure(copied(series, tmp_path / "copy"))
    assert {unit.product for unit in plan.units} == {"s2_native", "parcels"}


def test_a_plan_of_granules_reads_nothing_and_guesses_come_after_their_series(
    granules: BuildReport, granule_archive: Path, tmp_path: Path
) -> None:
    write_granules(tmp_path / "copy", granule_archive)
    shutil.copytree(granules.corpus, tmp_path / "copy/corpus")  # chips are placed there already
    plan = assert_is_pure(tmp_path / "copy")
    units = {unit.id: unit for unit in plan.units}
    guesses = [unit for unit in plan.units if unit.product == "guess"]
    assert len(guesses) == len(plan.tiles) == 2
    for unit in guesses:
        assert [units[name].tile for name in unit.needs] == [unit.tile]
        assert [units[name].product for name in unit.needs] == ["s2"]


def test_every_sample_is_in_one_unit_of_each_product(tiny_inputs: tuple[Project, PlanInputs]) -> None:
    project, inputs = tiny_inputs
    plan = make_plan(project, REGISTRY, inputs)
    for product in ("s2", "labels.clc"):
        covered = [str(sample.id) for unit in plan.units if unit.product == product for sample in unit.samples]
        assert sorted(covered) == sorted(str(sample.id) for sample in plan.placement.samples)
    every = {scene.id for tiles in inputs.scenes.values() for own in tiles.values() for scene in own}
    assert plan.scene_count == len(every) > 0


CHANGES: list[tuple[str, Any, set[str]]] = [
    ("products.s2.dilate", 2, {"s2"}),
    ("products.s2.bands", ["B04"], {"s2"}),
    ("products.s2.clear", [4, 5], {"s2"}),
    ("products.s2.resolution", 20, {"s2"}),
    ("products.s2.cadence", "10 days", {"s2"}),
    ("products.s2.count", False, {"s2"}),
    ("products.s2.terms.attribution", "other", set()),
    ("products.s2.period", {"start": "2018-06-01", "end": "2018-07-01"}, {"s2"}),
    ("labels.clc.invalid", "repair", {"labels.clc"}),
    ("labels.clc.column", "ID", {"labels.clc"}),
    ("labels.clc.allow_empty", True, set()),
    ("labels.clc.terms.attribution", "other", set()),
    ("layouts", ["chips"], {"s2"}),
    ("publication.title", "other", set()),
    ("splits", {}, set()),
    ("stac", {"json_items": False}, set()),
]


@pytest.mark.parametrize(("path", "value", "changed"), CHANGES, ids=[path for path, _, _ in CHANGES])
def test_a_change_of_the_recipe_makes_anew_what_follows_from_it_and_nothing_else(
    tiny_inputs: tuple[Project, PlanInputs], path: str, value: Any, changed: set[str]
) -> None:
    project, inputs = tiny_inputs
    document = project.recipe.document()
    section, *keys = [document, *path.split(".")]
    for key in keys[:-1]:
        section = section[key]
    assert section.get(keys[-1]) != value
    section[keys[-1]] = value
    other = replace(project, recipe=Recipe.parse(document))
    before, after = ({unit.id: unit.key for unit in make_plan(one, REGISTRY, inputs).units} for one in (project, other))
    assert before.keys() == after.keys()
    assert {name.split("/", maxsplit=1)[0] for name in before if before[name] != after[name]} == changed


def test_other_bytes_of_an_input_make_anew_what_is_made_of_them(tiny_inputs: tuple[Project, PlanInputs]) -> None:
    project, inputs = tiny_inputs
    (path,) = (path for path in inputs.identities if path.endswith("landcover.gpkg"))
    other = replace(inputs, identities={**inputs.identities, path: "other bytes"})
    before, after = ({unit.id: unit.key for unit in make_plan(project, REGISTRY, one).units} for one in (inputs, other))
    assert {name.split("/", maxsplit=1)[0] for name in before if before[name] != after[name]} == {"labels.clc"}


def test_another_scene_of_a_tile_makes_that_tile_anew(tiny_inputs: tuple[Project, PlanInputs]) -> None:
    project, inputs = tiny_inputs
    scenes = inputs.scenes["products.s2"]
    tile = next(iter(scenes))
    fewer = {**scenes, tile: scenes[tile][1:]}
    before, after = (
        {unit.id: unit.key for unit in make_plan(project, REGISTRY, replace(inputs, scenes=one)).units}
        for one in ({"products.s2": scenes}, {"products.s2": fewer})
    )
    assert [name for name in before if before[name] != after[name]] == [f"s2/{tile}"]


def test_kinds_are_asked_in_the_order_of_the_recipe_and_know_what_comes_before(tmp_path: Path) -> None:
    notes = {name: {"terms": TERMS} for name in ("b", "a")}
    project = Project(recipe=made_up.REGISTRY.recipe.parse(RECIPE | {"notes": notes}), folder=tmp_path / "nowhere")
    samples = tuple(Sample.of_utm24(SampleId.parse(cell)) for cell in CELLS)
    inputs = PlanInputs(
        placement=Placement(samples=samples),
        tiles=by_tile(samples),
        scenes={"products.grey": dict.fromkeys(by_tile(samples), ())},
        identities={},
        store="nowhere",
        layout=project.layout,
    )
    plan = make_plan(project, made_up.REGISTRY, inputs)
    assert [request.path for request in plan.requests] == ["products.grey", "notes.b", "notes.a"]
    needs = {unit.id: unit.needs for unit in plan.units}
    for tile in plan.tiles:
        assert needs[f"grey/{tile}"] == ()
        assert needs[f"notes.b/{tile}"] == (f"grey/{tile}",)
        assert needs[f"notes.a/{tile}"] == (f"grey/{tile}", f"notes.b/{tile}")
    assert inputs.makers == {}, "what is planned is not kept in what was gathered"


def test_an_archive_is_searched_once_for_all_products_of_a_period(
    tiny: Path, tiny_archive: Path, tmp_path: Path
) -> None:
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    document["products"]["again"] = document["products"]["s2"] | {"count": False}
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (tmp_path / "archive").symlink_to(tiny_archive)
    heard = Heard()
    _, inputs = gathered(tmp_path, heard)
    assert [stage for stage in heard.stages if stage[0] == "searching the archive"] == [
        ("searching the archive", len(inputs.tiles))
    ]
    assert inputs.scenes["products.again"] == inputs.scenes["products.s2"]


def test_an_archive_is_searched_once_where_the_recipe_chooses_scenes(
    tiny: Path, tiny_archive: Path, products: dict[str, Path], tmp_path: Path
) -> None:
    """Tiles and products get their scenes from the search of the whole region that the choice was made from."""
    (tmp_path / "archive").symlink_to(tiny_archive)
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    july = {"start": "2018-07-01", "end": "2018-08-01"}
    document["products"]["july"] = document["products"]["s2"] | {"period": july}
    with CountedServer(products["L2A"]) as server:
        archive = {"kind": "odata", "href": server.catalogue}
        document |= {"samples": {"draw": "all"}, "archive": archive, "scenes": {"policy": "least-cloudy 3"}}
        (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        project = REGISTRY.open(tmp_path)
        found = choose(project, recipe_archive(project, MAIN))
        once, server.searches = server.searches, 0
        with build_context(tmp_path / "corpus") as context:
            inputs, _ = gather(project, REGISTRY, context, fetch=False)
        assert server.searches == once > 0
    assert len(inputs.tiles) > 1
    for path, period in (("products.s2", project.recipe.period.value), ("products.july", Period.parse(*july.values()))):
        for tile, samples in inputs.tiles.items():
            shape = shapely.union_all([one.footprint for one in samples])
            assert inputs.scenes[path][tile] == tuple(one for one in found.scenes if is_wanted(one, shape, period))
    assert all_scenes(inputs.scenes.values()) == set(found.choice.ids) != set()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": {"draw": "all"}, "region": {"bounds": [0.0, 0.0, 0.0001, 0.0001]}}, "got no sample in the region"),
        ({"samples": {"draw": "all"}, "period": {"start": "2030-01-01", "end": "2030-02-01"}}, "has no scene of any"),
    ],
    ids=["nowhere", "never"],
)
def test_nothing_to_plan_is_said(
    tiny: Path, tiny_archive: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8")) | change
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (tmp_path / "archive").symlink_to(tiny_archive)
    with pytest.raises(InvalidInputError, match=message):
        gathered(tmp_path)


def test_inputs_are_checked_before_anything_is_asked(tiny: Path, tmp_path: Path) -> None:
    """Labels that are not there are said although the archive is not there either."""
    shutil.copy(tiny / "landloom.yaml", tmp_path)
    heard = Heard()
    with pytest.raises(LandloomError, match=r"landcover\.gpkg"):
        gathered(tmp_path, heard)
    assert heard.stages == []
