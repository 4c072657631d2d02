"""Chips in granules: on each granule's own grid, from granules that are named or drawn; one that fails is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import yaml
from tests.projects import SIDE, project_of, write_granules

from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.engine.context import build_context
from landloom.engine.plan import gather
from landloom.errors import BuildError, InvalidInputError, RecipeError
from landloom.model.granules import granule_footprint, granule_grid
from landloom.model.ids import ChipId, GranuleId
from landloom.model.recipe import VectorSource
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.products.guess.report import guess_rows
from landloom.samplers.granules.features import SHARES
from landloom.samplers.granules.sampler import GranuleChipsSampler
from landloom.samplers.granules.section import GranuleChips
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.build import BuildReport

SAMPLER = GranuleChipsSampler()


def test_chips_lie_on_the_granules_own_grid_and_do_not_overlap(granules: BuildReport) -> None:
    there = FinishedCorpus.open(str(granules.corpus))
    for samples in there.tiles.values():
        grid = granule_grid(GranuleId.parse(samples[0].id.tile_name), 10)
        taken = np.zeros(grid.shape, np.uint8)
        for sample in samples:
            assert isinstance(sample.id, ChipId)
            row, column = sample.grid(10).offset_in(grid)
            assert (row % 6, column % 6) == (0, 0)
            taken[row : row + SIDE, column : column + SIDE] += 1
        assert taken.max() == 1
        assert taken.sum() == len(samples) * SIDE * SIDE


def test_a_granule_that_fails_is_reported_and_the_rest_goes_on(granule_archive: Path, tmp_path: Path) -> None:
    recipe = write_granules(tmp_path, granule_archive, samples={"granules": ["32UPA", "33TWL", "33UUR"]})
    recipe["region"] = {"bounds": [10.0, 45.0, 17.0, 52.0]}
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    done = build(tmp_path)
    assert (done.samples, done.tiles) == (6, 2)
    assert any("33TWL: no usable scene" in note for note in done.notes)
    rows = {row.granule: row.reason for row in guess_rows(done.corpus)}
    assert [name for name, reason in rows.items() if reason is None] == ["32UPA", "33UUR"]
    assert "no usable scene" in str(rows["33TWL"])
    assert audit(open_store(str(done.corpus))).problems == ()


def test_too_few_places_are_reported(granule_archive: Path, tmp_path: Path) -> None:
    write_granules(tmp_path, granule_archive, samples={"granules": ["33UUR"], "chips": 40})
    with pytest.raises(BuildError, match=r"places for chips without nodata, \w+ 40"):
        build(tmp_path)


def test_chips_are_placed_once_and_anew_for_what_decides_them(granule_archive: Path, tmp_path: Path) -> None:
    """Other chips of another seed, size or policy; the same whatever bands are wanted of them."""
    write_granules(tmp_path, granule_archive, samples={"granules": ["33UUR"]})
    document = yaml.safe_load((tmp_path / "landloom.yaml").read_text(encoding="utf-8"))

    def attempts(**changes: Any) -> int:
        changed = {key: document[key] | value if isinstance(value, dict) else value for key, value in changes.items()}
        (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document | changed), encoding="utf-8")
        with build_context(tmp_path / "corpus") as context:
            gather(REGISTRY.open(tmp_path), REGISTRY, context)
            (entry,) = [one for one in context.journal.entries() if one.kind == "chips"]
        return entry.attempts

    same: list[dict[str, Any]] = [{}, {}, {"layouts": ["cubes"]}, {"publication": {"title": "x"}}]
    assert [attempts(**changes) for changes in same] == [1] * len(same)
    others: list[dict[str, Any]] = [{"seed": 3}, {"samples": {"size": 60}}, {"scenes": {"policy": "least-cloudy 3"}}]
    assert [attempts(**changes) for changes in others] == [2, 3, 4]


def test_recipes_of_granules_are_checked(granule_archive: Path, tmp_path: Path) -> None:
    recipe = write_granules(tmp_path, granule_archive)
    with pytest.raises(RecipeError, match="expected either granules or table"):
        Recipe.parse(recipe | {"samples": {"draw": "granules"}})
    with pytest.raises(RecipeError, match="guess"):
        Recipe.parse(recipe | {"guess": recipe["guess"] | {"agreement": 2}})
    with pytest.raises(RecipeError, match="granule-series"):
        Recipe.parse(recipe | {"samples": {"draw": "all"}})
    assert Recipe.parse(recipe).scheme == "granule"


@pytest.mark.parametrize(
    ("samples", "more", "where"),
    [
        ({"granules": ["33UUR"], "count": 3}, {}, "samples.count"),
        ({"granules": ["33UUR"], "method": "random"}, {}, "samples.method"),
        ({"granules": ["33UUR"], "water": 0.5}, {}, "samples.water"),
        ({"granules": ["33UUR"], "quotas": {"Europe": 3}}, {}, "samples.quotas"),
        ({"table": "t.parquet", "quotas": {"Europe": 3}, "count": 3}, {}, "samples.count"),
        ({"granules": ["33UUR"], "spread": True}, {"guess": None}, "samples.spread"),
    ],
)
def test_what_would_be_ignored_is_refused(
    tmp_path: Path, samples: dict[str, Any], more: dict[str, Any], where: str
) -> None:
    recipe = project_of(tmp_path, "demo-landcovernet").recipe.document()
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(recipe | {"samples": {"draw": "granules", **samples}} | more)
    assert where in [problem.where for problem in refused.value.problems]


def test_products_of_several_periods_are_refused(tmp_path: Path) -> None:
    """Chips are placed where the scenes have data: of which product, none could say."""
    recipe = project_of(tmp_path, "demo-landcovernet").recipe.document()
    own = {"period": {"start": "2018-03-01", "end": "2018-09-01"}}
    recipe["products"]["more"] = recipe["products"]["s2"] | own
    with pytest.raises(RecipeError, match="got several periods or archives"):
        Recipe.parse(recipe)


def test_granules_are_those_named_or_drawn_in_the_region(tmp_path: Path) -> None:
    box = (11.0, 49.5, 13.0, 51.0)
    region = {"bounds": list(box)}
    named = project_of(
        tmp_path, "demo-landcovernet", region=region, samples={"draw": "granules", "granules": ["33UUR", "32UPA"]}
    )
    assert [str(one) for one in SAMPLER.granules(named, named.recipe.samples)] == ["32UPA", "33UUR"]  # type: ignore[arg-type]
    ids = ["32UPA", "33UUR", "32UQA", "33TWL"]
    places = [granule_footprint(GranuleId.parse(name)).centroid for name in ids]
    columns: dict[str, Any] = {"id": ids, "continent": ["Europe"] * 4}
    columns |= {"longitude": [one.x for one in places], "latitude": [one.y for one in places]}
    columns |= {name: np.full(4, 1 / len(SHARES)) for name in SHARES}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    section = {"draw": "granules", "table": "t.parquet", "quotas": {"Europe": 2}}
    drawn = project_of(tmp_path, "demo-landcovernet", region=region, samples=section)
    found = SAMPLER.granules(drawn, drawn.recipe.samples)  # type: ignore[arg-type]
    assert len(found) == 2
    assert all(shapely.box(*box).contains(granule_footprint(one).centroid) for one in found)
    far = project_of(
        tmp_path, "demo-landcovernet", region=region, samples={"draw": "granules", "granules": ["33UUR", "33TWL"]}
    )
    with pytest.raises(InvalidInputError, match="33TWL outside the region"):
        SAMPLER.granules(far, far.recipe.samples)  # type: ignore[arg-type]


def test_what_is_stated_follows_from_the_section() -> None:
    named = SAMPLER.stated(None, GranuleChips(draw="granules", granules=("33UUR", "32UPA"), chips=4, size=96))  # type: ignore[arg-type]
    assert (named.count, named.tiles, named.side) == (8, 2, 960.0)
    quotas = SAMPLER.stated(None, GranuleChips(draw="granules", table="t", quotas={"Europe": 3, "Asia": 2}))  # type: ignore[arg-type]
    assert (quotas.count, quotas.tiles) == (150, 5)
    continents = VectorSource(file="c.gpkg", column="C")
    table = GranuleChips(draw="granules", table="t", continents=continents)
    assert (SAMPLER.stated(None, table).tiles, [*SAMPLER.files(table)]) == (300, ["t", "c.gpkg"])  # type: ignore[arg-type]
