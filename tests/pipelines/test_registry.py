"""The registry of landloom: kinds and samplers for every scheme, and no section that would be ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.engine.made_up import TERMS
from tests.projects import project_of

from landloom.engine.kinds import SHARED
from landloom.errors import RecipeError
from landloom.model.recipe import Recipe as BaseRecipe
from landloom.pipelines.registry import PRODUCTS, REGISTRY, SAMPLERS, Recipe

if TYPE_CHECKING:
    from pathlib import Path

BASE: dict[str, str] = {"utm24": "demo", "window": "demo-parcels", "granule": "demo-landcovernet"}
"""Scheme → a recipe with samples of it."""
SECTIONS: dict[str, dict[str, Any]] = {
    "composite": {"kind": "composite"},
    "series": {"kind": "series"},
    "granule-series": {"kind": "granule-series"},
    "fused": {"kind": "fused"},
    "external": {"kind": "external", "cadence": "month"},
    "fractions": {"taxonomy": "clc", "file": "x.gpkg", "column": "c"},
    "parcels": {"file": "x.gpkg"},
    "guess": {"file": "x.tif", "taxonomy": "clc"},
}
"""A section of each kind."""


def test_all_of_ours_are_in_it_and_it_reads_recipes() -> None:
    assert REGISTRY.products[: len(PRODUCTS)] == PRODUCTS
    assert REGISTRY.samplers[: len(SAMPLERS)] == SAMPLERS
    assert Recipe is REGISTRY.recipe
    assert issubclass(Recipe, BaseRecipe)
    assert set(SECTIONS) == {kind.name for kind in PRODUCTS}


@pytest.mark.parametrize("scheme", BASE)
@pytest.mark.parametrize("kind", PRODUCTS, ids=lambda kind: kind.name)
def test_a_kind_is_made_for_its_schemes_and_refused_for_others(kind: Any, scheme: str, tmp_path: Path) -> None:
    """At its place in the recipe; in the schemes that it is made for there is no such problem."""
    document = project_of(tmp_path, BASE[scheme]).recipe.document()
    section, key = SECTIONS[kind.name] | {"terms": TERMS}, "pfsr" if kind.name in {"external", "fused"} else "more"
    if kind.recipe_key.name == SHARED:
        document[SHARED] = {**document[SHARED], key: section}
        where = f"products.{key}"
    elif kind.recipe_key.many:
        document[kind.recipe_key.name], where = {key: section}, f"{kind.recipe_key.name}.{key}"
    else:
        document[kind.recipe_key.name], where = section, kind.recipe_key.name
    try:
        problems = set[tuple[str, str]]()
        Recipe.parse(document)
    except RecipeError as error:
        problems = {(problem.where, problem.what) for problem in error.problems}
    refused = any(place == where and "samples of scheme" in what for place, what in problems)
    assert refused == (kind.schemes is not None and scheme not in kind.schemes)


@pytest.mark.parametrize(
    "name", ["demo", "demo-parcels", "demo-landcovernet", "rapidai4eo", "landcovernet", "deepsatdata"]
)
def test_products_of_a_recipe_are_described_once_and_estimated_alike(name: str, tmp_path: Path) -> None:
    project = project_of(tmp_path, name)
    described, estimated = [], []
    for request in REGISTRY.requests(project):
        described += [item.key for item in request.kind.describe(request)]
        estimated += [item.key for item in request.kind.estimated(request)]
    assert len(set(described)) == len(described) > 0
    assert set(described) <= set(estimated)
    assert len(set(estimated)) == len(estimated)
    requests = REGISTRY.requests(project)
    assert len({request.unit for request in requests}) == len(requests), "or ids of units would not be unique"


def test_documents_have_their_sections_in_the_order_of_the_kinds() -> None:
    order = [key for key in Recipe.order if key in {kind.recipe_key.name for kind in PRODUCTS}]
    assert order == [
        *list(dict.fromkeys(kind.recipe_key.name for kind in PRODUCTS if kind.recipe_key.after == SHARED)),
        "guess",
    ]
