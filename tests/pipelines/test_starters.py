"""Recipes that come with landloom: each is one that can be read, copied and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.engine.project import Project
from landloom.errors import InvalidInputError, NotFoundError
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.pipelines.starters import starters, write_starter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", starters())
def test_every_one_reads_and_its_whole_document_reads_back(name: str, tmp_path: Path) -> None:
    write_starter(name, tmp_path / "deep" / "landloom.yaml")
    recipe = REGISTRY.open(tmp_path / "deep").recipe
    assert recipe.name == {"demo-fused": "rapidai4eo"}.get(name, name), (
        "that demo is a small one of the published corpus"
    )
    assert Recipe.parse(recipe.document()) == recipe
    assert REGISTRY.missing_inputs(Project(recipe=recipe, folder=tmp_path)), "its inputs are not brought"


def test_the_three_published_systems_are_among_them() -> None:
    assert {"rapidai4eo", "deepsatdata", "landcovernet"} < set(starters())


def test_a_file_that_is_there_is_left_alone_and_a_name_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "landloom.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="already exists"):
        write_starter("demo", tmp_path / "landloom.yaml")
    assert (tmp_path / "landloom.yaml").read_text(encoding="utf-8") == "mine"
    with pytest.raises(NotFoundError, match="no recipe 'rapidai4eu'; nearest: rapidai4eo"):
        write_starter("rapidai4eu", tmp_path / "x.yaml")
    assert not (tmp_path / "x.yaml").exists()
