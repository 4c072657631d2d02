"""Parcels of a recipe: a product for each layer, chunks of samples, tables that explain them, and what is refused."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.projects import SERIES, TERMS

from landloom.engine.context import build_context
from landloom.engine.plan import gather, make_plan
from landloom.errors import RecipeError
from landloom.model.time import Period
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.products.parcels.kind import ParcelsKind, products
from landloom.products.parcels.section import ParcelsProduct

if TYPE_CHECKING:
    from pathlib import Path


def section(**settings: Any) -> ParcelsProduct:
    return ParcelsProduct.model_validate({"file": "p.gpkg", "terms": TERMS, **settings})


def test_layers_are_products_in_the_recipes_order() -> None:
    made = products(section(layers=("ids", "classes"), resolution=2.5, regression=True), None)
    assert [(one.key, one.dtype, one.resolution) for one in made] == [
        ("ids", "int64", 2.5),
        ("classes", "float32", 2.5),
    ]
    assert [one.key for one in products(section(), None)] == [
        "classes",
        "ids",
        "ratios",
        "distances",
        "masks",
        "ambiguity",
    ]


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"regression": True, "classes": {"maize": 1}}, "parcels.classes"),
        ({"regression": True, "unmapped": "ignore"}, "parcels.unmapped"),
        ({"regression": True, "codes": {"ignore": 9}}, "parcels.codes"),
        ({"layers": []}, "parcels.layers"),
        ({"layers": ["ids", "ids"]}, "parcels.layers"),
        ({"resolution": 3}, "parcels.resolution"),
        ({"columns": {"crop": "CROP"}}, "parcels.columns.crop"),
    ],
)
def test_what_would_be_ignored_is_refused(settings: dict[str, Any], where: str) -> None:
    document = yaml.safe_load(SERIES)
    document["parcels"] |= settings
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(document)
    assert where in [problem.where for problem in refused.value.problems]


def test_files_are_the_parcels_and_their_classes() -> None:
    kind = ParcelsKind()
    assert [*kind.files(section())] == ["p.gpkg"]
    assert [*kind.files(section(classes="c.csv"))] == ["p.gpkg", "c.csv"]
    assert [*kind.files(section(classes={"a": 1}))] == ["p.gpkg"]


def test_a_plan_knows_the_classes_that_parcels_have(series: Path) -> None:
    project = REGISTRY.open(series)
    with build_context(series / "corpus") as context:
        inputs, _ = gather(project, REGISTRY, context)
    (request,) = [one for one in REGISTRY.requests(project) if isinstance(one.kind, ParcelsKind)]
    before, after = request.kind.describe(request), request.kind.describe(request, inputs.placement)
    types = [{item.key: item.product.dtype for item in made}["classes"] for made in (before, after)]
    assert types == ["float32", "uint8"]
    assert {item.stated_period for item in after} == {Period.parse("2018-06-01", "2018-08-01")}
    (rows,) = request.kind.class_mappings(request, inputs.placement).values()
    assert {row["value"] for row in rows if row["value"]} == {"maize", "meadow", "wheat"}
    units = [unit for unit in make_plan(project, REGISTRY, inputs).units if unit.kind == "parcels"]
    covered = [str(sample.id) for unit in units for sample in unit.samples]
    assert sorted(covered) == sorted(str(sample.id) for sample in inputs.placement.samples)
    assert all(unit.makes[0] == "classes" for unit in units)


def test_tables_explain_the_rasters(series: Path) -> None:
    folder = series / "corpus" / "resources"
    rows = list(csv.DictReader(io.StringIO((folder / "series_classes.csv").read_text())))
    assert {row["role"] for row in rows} == {"class", "background", "ignore", "unknown"}
    rejected = list(csv.DictReader(io.StringIO((folder / "series_rejected_parcels.csv").read_text())))
    assert rejected
    assert {row["fate"] for row in rejected} <= {"rejected", "repaired", "without a window"}


def test_parcels_are_of_windows_alone() -> None:
    document = yaml.safe_load(SERIES) | {"samples": {"draw": "all"}}
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(document)
    assert "parcels" in [problem.where for problem in refused.value.problems]
