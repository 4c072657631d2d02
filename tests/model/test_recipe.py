from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from landloom.errors import RecipeError
from landloom.model.recipe import Recipe
from landloom.pipelines.starters import starters, write_starter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    write_starter("demo", tmp_path / "demo.yaml")
    parsed: dict[str, Any] = yaml.safe_load((tmp_path / "demo.yaml").read_text(encoding="utf-8"))
    return parsed


@pytest.mark.parametrize("name", starters())
def test_every_starter_is_valid(name: str, tmp_path: Path) -> None:
    write_starter(name, tmp_path / "recipe.yaml")
    assert Recipe.read(tmp_path / "recipe.yaml").name


def test_three_mistakes_are_three_problems(document: dict[str, Any]) -> None:
    document["samples"]["count"] = 0
    document["products"]["s2"]["bands"] = ["B02", "B99"]
    document["perid"] = {}
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(document)
    assert {problem.where for problem in caught.value.problems} == {"samples.count", "products.s2.bands", "perid"}
    text = str(caught.value)
    assert "recipe: 3 problems" in text
    assert "got 0; input should be greater than or equal to 1" in text
    assert "wanted distinct bands" in text


def test_what_depends_on_another_part_is_checked(document: dict[str, Any]) -> None:
    document["samples"]["labels"] = "lucas"
    with pytest.raises(RecipeError, match=r"got 'lucas', wanted one of \['clc'\]"):
        Recipe.parse(document)


def test_a_period_that_ends_before_it_begins(document: dict[str, Any]) -> None:
    document["period"] = {"start": "2019-01-01", "end": "2018-01-01"}
    with pytest.raises(RecipeError, match=r"ends .* before it begins"):
        Recipe.parse(document)


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(RecipeError, match="is no YAML"):
        Recipe.read(tmp_path / "x.yaml")


def test_the_document_reads_back_the_same(document: dict[str, Any]) -> None:
    recipe = Recipe.parse(document)
    assert Recipe.parse(recipe.document()) == recipe
