"""Guesses of a recipe: what is published of them, and what would be ignored is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.projects import TERMS, project_of

from landloom.engine.context import build_context
from landloom.engine.plan import gather, make_plan
from landloom.errors import RecipeError
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.products.guess.kind import GuessKind

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.build import BuildReport


def test_it_publishes_labels_probabilities_and_dates(tmp_path: Path) -> None:
    project = project_of(tmp_path, "demo-landcovernet")
    (request,) = [one for one in REGISTRY.requests(project) if isinstance(one.kind, GuessKind)]
    made = request.kind.describe(request)
    assert [item.key for item in made] == ["guess", "guess_probabilities", "source_dates"]
    assert [item.taxonomy is not None for item in made] == [True, False, False]
    assert {item.stated_period for item in made} == {project.recipe.period.value}
    assert (request.path, request.unit) == ("guess", "guess")
    assert [*request.kind.files(request.section)] == ["archive/landcover_3035.tif"]


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"options": {"n_estimators": 3}}, "guess.options"),
        ({"classifier": "sklearn.ensemble.ExtraTreesClassifier", "trees": 3}, "guess.trees"),
        ({"classifier": "sklearn.ensemble.ExtraTreesClassifier", "per_tree": None}, "guess.per_tree"),
        ({"classifier": "sklearn.ensemble.ExtraTreesClassifier", "forest": "published"}, "guess.forest"),
        ({"held_out": 0, "buffer": 6}, "guess.buffer"),
        ({"taxonomy": "nonsense"}, "guess.taxonomy"),
    ],
)
def test_what_would_be_ignored_is_refused(tmp_path: Path, settings: dict[str, Any], where: str) -> None:
    recipe = project_of(tmp_path, "demo-landcovernet").recipe.document()
    section = {"file": "map.tif", "taxonomy": "clc", "terms": TERMS, "held_out": 1} | settings
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(recipe | {"guess": section})
    assert [problem.where for problem in refused.value.problems] == [where]


def test_guesses_are_of_granules_alone(tmp_path: Path) -> None:
    recipe = project_of(tmp_path).recipe.document()
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(recipe | {"guess": {"file": "map.tif", "taxonomy": "clc", "terms": TERMS}})
    assert "guess" in [problem.where for problem in refused.value.problems]


def test_a_guess_needs_the_series_that_it_is_made_from(tmp_path: Path) -> None:
    recipe = project_of(tmp_path, "demo-landcovernet").recipe.document()
    composites = {"s2": {"kind": "composite", "terms": TERMS}}
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(recipe | {"products": composites})
    assert "guess" in [problem.where for problem in refused.value.problems]


def test_a_guess_is_made_anew_for_what_decides_it(granules: BuildReport) -> None:
    """Its settings, its map, and the series that it is made from; terms and layouts of no pixel do not."""
    folder = granules.corpus.parent
    document = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))

    def keys(**changes: Any) -> dict[str, str]:
        changed = {key: document[key] | value if isinstance(value, dict) else value for key, value in changes.items()}
        project = project_with(document | changed, folder)
        with build_context(granules.corpus) as context:
            inputs, _ = gather(project, REGISTRY, context)
        return {unit.id: unit.key for unit in make_plan(project, REGISTRY, inputs).units}

    plain = keys()
    for change, made_anew in (
        ({"guess": {"trees": 9}}, {"guess"}),
        ({"guess": {"held_out": 0, "buffer": 32}}, {"guess"}),
        ({"guess": {"terms": TERMS}}, set()),
        ({"products": {"s2": {"kind": "granule-series", "terms": TERMS, "dilate": 2}}}, {"guess", "s2"}),
    ):
        other = keys(**change)
        assert {name.partition("/")[0] for name in plain if plain[name] != other[name]} == made_anew


def project_with(document: dict[str, Any], folder: Path) -> Any:
    from landloom.engine.project import Project

    return Project(recipe=Recipe.parse(document), folder=folder)
