"""Series made elsewhere: counted, and no part of the corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.projects import TERMS, project_of

from landloom.engine.context import build_context
from landloom.engine.plan import gather, make_plan
from landloom.errors import RecipeError
from landloom.model.time import Period
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.publication.report import write_report

if TYPE_CHECKING:
    from pathlib import Path

EXTERNAL = {"kind": "external", "cadence": "5 days", "terms": TERMS}


def test_it_is_counted_and_not_described(tmp_path: Path) -> None:
    own = {"period": {"start": "2018-01-01", "end": "2018-03-02"}}
    products = project_of(tmp_path).recipe.document()["products"]
    project = project_of(tmp_path, products=products | {"pfsr": EXTERNAL, "pfqa": EXTERNAL | own})
    found = {one.key: one for one in REGISTRY.requests(project)}
    assert [found[key].kind.describe(found[key]) for key in ("pfsr", "pfqa")] == [(), ()]
    (sr,), (qa,) = (found[key].kind.estimated(found[key]) for key in ("pfsr", "pfqa"))
    assert (sr.key, len(sr.timesteps), len(qa.timesteps)) == ("pfsr", 73, 12)
    assert qa.period == Period.parse("2018-01-01", "2018-03-02")
    assert found["pfsr"].kind.scenes(found["pfsr"]) is None


def test_no_unit_makes_it(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "archive").symlink_to((tiny / "archive").resolve())
    document = REGISTRY.open(tiny).recipe.document()
    document["products"]["pfsr"] = EXTERNAL
    project = project_of(tmp_path, **document)
    with build_context(tmp_path / "corpus") as context:
        inputs, _ = gather(project, REGISTRY, context)
    assert {unit.product for unit in make_plan(project, REGISTRY, inputs).units} == {"s2", "labels.clc"}
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    page = write_report(build(tmp_path).corpus, REGISTRY).read_text(encoding="utf-8")
    assert "<h2>Not built here: pfsr</h2>" in page
    assert f'<td class="n">{-(-61 // 5) * len(inputs.placement.samples):,}</td>' in page


@pytest.mark.parametrize(
    ("key", "settings", "where"),
    [
        ("pfrs", {}, "products.pfrs"),
        ("labels", {}, "products.labels"),
        ("pfsr", {"cadence": "weekly"}, "products.pfsr.cadence"),
    ],
)
def test_what_nobody_knows_is_refused(tmp_path: Path, key: str, settings: dict[str, Any], where: str) -> None:
    document = project_of(tmp_path).recipe.document()
    document["products"][key] = EXTERNAL | settings
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(document)
    (problem,) = refused.value.problems
    assert problem.where == where
    if key == "pfrs":
        assert "nearest: pfsr" in problem.what
