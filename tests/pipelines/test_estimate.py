"""Known answers of the published corpus, from a plan without imagery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from landloom.engine.project import Project
from landloom.pipelines.estimate import estimate
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from pathlib import Path


def test_rapidai4eo_comes_to_what_was_published(tmp_path: Path) -> None:
    write_starter("rapidai4eo", tmp_path / "landloom.yaml")
    numbers = estimate(Project.open(tmp_path))
    assert (numbers.samples, numbers.zones, numbers.tiles) == (500_000, 12, 1_402)
    assert numbers.chips("data") == 79_000_000
    assert numbers.chips("metadata") == 73_000_000
    assert {p.key: p.timesteps for p in numbers.products} == {"s2": 12, "pfsr": 146, "pfqa": 146}
    assert [p.key for p in numbers.products if p.made_here] == ["s2"]
    assert numbers.missing == ("inputs/clc2018.gpkg", "inputs/countries.gpkg")


def test_what_only_the_draw_can_tell_is_unknown_not_nothing(tmp_path: Path) -> None:
    write_starter("demo", tmp_path / "landloom.yaml")
    document = yaml.safe_load((tmp_path / "landloom.yaml").read_text(encoding="utf-8"))
    document["samples"] = {"draw": "all"}
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    numbers = estimate(Project.open(tmp_path))
    assert numbers.samples is None
    assert numbers.chips("data") is None
    assert numbers.document()["bytes"] is None
    assert {product.timesteps for product in numbers.products} == {12}
    assert numbers.missing == ("archive/catalog.json", "archive/landcover.gpkg", "archive/region.geojson")
