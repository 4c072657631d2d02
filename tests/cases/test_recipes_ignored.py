"""What a recipe says is made, or refused at its place in the file when it is read: never ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from landloom.corpus.audit.validate import audit
from landloom.errors import RecipeError
from landloom.model.grid import Grid
from landloom.pipelines.build import build
from landloom.pipelines.registry import Recipe
from landloom.pipelines.starters import write_starter
from landloom.simulate.spec import world_spec
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

TERMS = {"licence": "CC0-1.0", "attribution": "nobody"}


def starter(name: str, folder: Path) -> dict[str, Any]:
    write_starter(name, folder / "recipe.yaml")
    document: dict[str, Any] = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    return document


def places(document: dict[str, Any]) -> set[str]:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(document)
    return {problem.where for problem in caught.value.problems}


def test_fractions_and_parcels_of_granules_are_refused(tmp_path: Path) -> None:
    document = starter("demo-landcovernet", tmp_path)
    document["labels"] = {"clc": {"taxonomy": "clc", "file": "clc.gpkg", "column": "code", "terms": TERMS}}
    document["parcels"] = {"file": "parcels.gpkg", "terms": TERMS}
    assert places(document) == {"labels.clc", "parcels"}


def test_parcels_of_cells_are_refused(tmp_path: Path) -> None:
    document = starter("demo", tmp_path)
    document["parcels"] = {"file": "parcels.gpkg", "terms": TERMS}
    assert places(document) == {"parcels"}


def test_a_second_series_is_refused(tmp_path: Path) -> None:
    document = starter("demo-parcels", tmp_path)
    document["products"]["again"] = document["products"]["s2_native"]
    assert places(document) == {"products.again"}


@pytest.mark.parametrize("key", ["s2_10m", "s2_valid", "s2"])
def test_a_series_may_be_called_as_one_of_its_products(key: str, tiny_archive: Path, tmp_path: Path) -> None:
    place = world_spec("tiny").place("east")
    west, south, _, _ = place.bounds
    inner = Grid.of_bounds(place.epsg, (west + 60, south + 60, west + 540, south + 540), 60)
    document = {
        "name": "series",
        "version": "1.0",
        "region": {"bounds": list(inner.footprint().bounds)},
        "period": {"start": "2018-06-01", "end": "2018-07-01"},
        "samples": {"draw": "windows", "size": 24},
        "archive": {"kind": "static", "href": str(tiny_archive / "catalog.json")},
        "products": {key: {"kind": "series", "bands": ["B04", "B11"], "terms": TERMS}},
        "publication": {"title": "t", "description": "d"},
    }
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    built = build(tmp_path)
    assert built.samples >= 4
    audit(open_store(str(built.corpus))).demand()
