"""Known answers of the published corpus, from a plan without imagery."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from landloom.engine.pixels.blocks import BUDGET
from landloom.pipelines.estimate import estimate, estimate_recipe, zones_of
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


def test_sizes_follow_from_pixels_bands_and_types(tiny: Path) -> None:
    project = REGISTRY.open(tiny)
    numbers = {one.key: one for one in estimate(project, REGISTRY).products}
    assert numbers["s2"].size == round(6 * 2 * 60 * 60 * 12 * 2 * 0.72)
    assert numbers["count"].size == round(6 * 2 * 60 * 60 * 1 * 1 * 0.72)
    assert estimate(project, REGISTRY).memory == 2 * BUDGET


@pytest.mark.parametrize(
    ("bounds", "zones"),
    [((6.0, 1, 12.0, 2), 1), ((5.9, 1, 12.1, 2), 3), ((6.0, -1, 12.0, 1), 2), ((-180, -80, 180, 80), 120)],
)
def test_zones_are_those_that_bounds_reach_into(bounds: tuple[float, float, float, float], zones: int) -> None:
    assert zones_of(bounds) == zones
