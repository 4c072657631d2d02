"""Known answers of the published corpus, from a plan without imagery."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from landloom.engine.journal import Journal
from landloom.engine.pixels.blocks import BUDGET
from landloom.pipelines.build import build
from landloom.pipelines.estimate import estimate, estimate_recipe, zones_of
from landloom.pipelines.estimates.work import Bill, Rates
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from pathlib import Path


def test_rapidai4eo_comes_to_what_was_published(tmp_path: Path) -> None:
    write_starter("rapidai4eo", tmp_path / "landloom.yaml")
    numbers = estimate(REGISTRY.open(tmp_path), REGISTRY)
    assert (numbers.samples, numbers.zones, numbers.tiles) == (500_000, 12, 1_402)
    assert numbers.chips("data") == 79_000_000
    assert numbers.chips("metadata") == 73_000_000
    assert {p.key: p.timesteps for p in numbers.products} == {"s2": 12, "pfsr": 146, "pfqa": 146}
    assert [p.key for p in numbers.products if p.made_here] == ["s2", "pfsr", "pfqa"]
    assert numbers.missing == ("inputs/clc2018.gpkg", "inputs/countries.gpkg")


def test_what_only_the_draw_can_tell_is_unknown_not_nothing(tmp_path: Path) -> None:
    write_starter("demo", tmp_path / "landloom.yaml")
    document = yaml.safe_load((tmp_path / "landloom.yaml").read_text(encoding="utf-8"))
    document["samples"] = {"draw": "all"}
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    numbers = estimate(REGISTRY.open(tmp_path), REGISTRY)
    assert numbers.samples is None
    assert numbers.chips("data") is None
    assert numbers.document()["bytes"] is None
    assert {product.timesteps for product in numbers.products} == {12}
    assert numbers.missing == ("archive/catalog.json", "archive/landcover.gpkg", "archive/region.geojson")


def test_a_plan_with_its_inputs_counts_what_a_build_makes(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    """Nothing of it is made: no chip, no index, and the archive is only asked."""
    (tmp_path / "archive").symlink_to((tiny / "archive").resolve())
    (tmp_path / "landloom.yaml").write_text((tiny / "landloom.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    numbers = estimate_recipe(tmp_path)
    chips = sorted(path.name for path in (tiny_corpus / "imagery").rglob("*.tif"))
    assert (numbers.chips("data") or 0) + (numbers.chips("metadata") or 0) == len(chips)
    lineage = [json.loads(path.read_text(encoding="utf-8")) for path in (tiny_corpus / "lineage").rglob("*.json")]
    used = {
        scene["id"] for one in lineage for step in one["timesteps"] for scene in (*step["scenes"], *step["left_out"])
    }
    assert numbers.scenes is not None
    assert numbers.scenes >= len(used) > 0
    assert (numbers.samples, numbers.tiles, numbers.zones, numbers.missing) == (6, 2, 2, ())
    assert not any((tmp_path / "corpus").rglob("*.tif"))
    assert not (tmp_path / "corpus" / "corpus.json").exists()
    assert estimate_recipe(tmp_path, search=False).scenes is None


def test_the_published_corpus_comes_to_what_is_published(tmp_path: Path) -> None:
    """79 million chips and their quality layers in some 17 TB, with the fused series at 3 m."""
    write_starter("rapidai4eo", tmp_path / "landloom.yaml")
    text = (tmp_path / "landloom.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    document["products"]["pfsr"]["resolution"] = 3
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    numbers = estimate(REGISTRY.open(tmp_path), REGISTRY)
    images = sum(product.size or 0 for product in numbers.products if product.role == "data")
    assert images == pytest.approx(17e12, rel=0.02)
    assert not numbers.placed
    assert {product.source for product in numbers.products} == {"usual compression"}


def test_a_plan_is_kept_for_the_build_and_measures_what_it_will_write(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "archive").symlink_to((tiny / "archive").resolve())
    (tmp_path / "landloom.yaml").write_text((tiny / "landloom.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    rates = Rates(bandwidth=1e6, workers=2)
    guessed, planned = estimate_recipe(tmp_path, measure=False), estimate_recipe(tmp_path, rates=rates)
    assert guessed.work is None
    assert planned.work is not None
    with Journal(tmp_path / "corpus" / ".landloom" / "journal.sqlite") as journal:
        cells = {entry.id: entry.recorded for entry in journal.entries()}
        assert {entry.attempts for entry in journal.entries()} == {1}
    build(tmp_path)
    with Journal(tmp_path / "corpus" / ".landloom" / "journal.sqlite") as journal:
        assert {entry.id: entry.recorded for entry in journal.entries() if entry.id in cells} == cells
    made = sum(path.stat().st_size for path in (tmp_path / "corpus" / "imagery").rglob("*") if path.is_file())
    assert planned.work.written == pytest.approx(made, rel=0.25)
    assert planned.document()["bytes"] == round(planned.work.written)
    assert planned.bill == Bill.of(planned.work, rates)
    assert planned.unmeasured == ("labels.clc",)
    again = estimate_recipe(tmp_path)
    assert again.work is not None
    assert again.work.written == pytest.approx(made, rel=0.01)
    assert "made before" in {product.key: product.source for product in again.products}["s2"]


def test_sizes_follow_from_pixels_bands_and_types(tiny: Path) -> None:
    project = REGISTRY.open(tiny)
    numbers = {one.key: one for one in estimate(project, REGISTRY).products}
    assert numbers["s2"].size == round(6 * 2 * 60 * 60 * 12 * 2 * 0.71)
    assert numbers["count"].size == round(6 * 2 * 60 * 60 * 1 * 1 * 0.1)
    assert estimate(project, REGISTRY).memory == 2 * BUDGET


@pytest.mark.parametrize(
    ("bounds", "zones"),
    [((6.0, 1, 12.0, 2), 1), ((5.9, 1, 12.1, 2), 3), ((6.0, -1, 12.0, 1), 2), ((-180, -80, 180, 80), 120)],
)
def test_zones_are_those_that_bounds_reach_into(bounds: tuple[float, float, float, float], zones: int) -> None:
    assert zones_of(bounds) == zones
