"""What the engine asks of kinds: where their sections stand, what their units are called, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.engine import made_up
from tests.engine.made_up import RECIPE, TERMS

from landloom.engine.kinds import SHARED, ProductKind, ProductRequest
from landloom.engine.project import Project
from landloom.errors import NotFoundError
from landloom.model.recipe import ProductSection, SamplerSection
from landloom.model.recipe.label_sections import Sections
from landloom.model.time import Period
from landloom.pipelines.registry import REGISTRY

KINDS = pytest.mark.parametrize("kind", REGISTRY.products, ids=lambda kind: kind.name)


def requests(**changes: Any) -> dict[str, ProductRequest[Any]]:
    """Path → what a recipe of made-up kinds asks."""
    recipe = made_up.REGISTRY.recipe.parse(RECIPE | changes)
    found = made_up.REGISTRY.requests(Project(recipe=recipe, folder=Path("/here")))
    return {one.path: one for one in found}


def test_a_request_knows_where_it_stands_and_what_its_units_are_called() -> None:
    found = requests(notes={"first": {"terms": TERMS}, "second": {"terms": TERMS}})
    assert {path: (one.key, one.unit, one.kind.name) for path, one in found.items()} == {
        "products.grey": ("grey", "grey", "monthly"),
        "notes.first": ("first", "notes.first", "notes"),
        "notes.second": ("second", "notes.second", "notes"),
    }
    alone = ProductRequest(
        kind=made_up.AloneKind(),
        key="alone",
        section=made_up.AloneSection.model_validate({"terms": TERMS}),
        project=found["products.grey"].project,
    )
    assert (alone.path, alone.unit) == ("alone", "alone")


def test_its_scenes_are_those_of_its_own_period_and_archive() -> None:
    own = {"period": {"start": "2018-02-01", "end": "2018-02-09"}, "archive": "b", "kind": "monthly", "terms": TERMS}
    archives = {"a": {"kind": "static", "href": "a.json"}, "b": {"kind": "static", "href": "b.json"}}
    recipe = {key: value for key, value in RECIPE.items() if key != "archive"} | {"archives": archives}
    products = {"own": own, "plain": {"kind": "monthly", "makes": "plain", "terms": TERMS, "archive": "a"}}
    read = made_up.REGISTRY.recipe.parse(recipe | {"products": products})
    first, second = made_up.REGISTRY.requests(Project(recipe=read, folder=Path()))
    assert (first.scenes.archive, first.scenes.period) == ("b", Period.parse("2018-02-01", "2018-02-09"))
    assert (second.scenes.archive, second.scenes.period) == ("a", Period.parse("2018-01-01", "2018-03-01"))
    with pytest.raises(NotFoundError, match="archive"):
        read.archive_of(None)


def test_samples_of_another_scheme_are_refused_at_the_sections_place() -> None:
    kind, section = made_up.AloneKind(), made_up.AloneSection.model_validate({"terms": TERMS})
    cells = made_up.NamedSamples(draw="named")
    (problem,) = kind.misfits("alone", section, Sections(samples=cells))
    assert (problem.where, problem.what) == ("alone", "alone is not made of samples of scheme utm24; expected window")
    assert list(kind.misfits("alone", section, Sections())) == [], "samples that could not be read are another problem"
    assert list(made_up.NotesKind().misfits("first", section, Sections(samples=cells))) == []


def test_a_kind_that_says_nothing_more_asks_for_nothing() -> None:
    request = requests(notes={"first": {"terms": TERMS}})["notes.first"]
    kind = request.kind
    assert kind.scenes(request) is None
    assert kind.estimated(request) == kind.describe(request)
    assert kind.completed(request.section, request.project.recipe) is request.section
    assert kind.shares(request, "33N_16E-243N", None) is None  # type: ignore[arg-type]
    assert (kind.class_mappings(request, None), kind.tables(request, None, None)) == ({}, [])  # type: ignore[arg-type]


@KINDS
def test_a_section_says_its_kind_where_it_stands_beside_others(kind: ProductKind[Any]) -> None:
    """And nowhere else: there its key says it."""
    assert issubclass(kind.section, ProductSection)
    fields = kind.section.model_fields
    assert "terms" in fields
    assert ("kind" in fields) == (kind.recipe_key.name == SHARED)
    if kind.recipe_key.name == SHARED:
        assert fields["kind"].annotation.__args__ == (kind.name,)  # type: ignore[union-attr]
    else:
        assert kind.recipe_key.text, "the reference has to explain the key"


def test_kinds_and_samplers_have_names_and_sections_of_their_own() -> None:
    names = [kind.name for kind in REGISTRY.products]
    sections: list[type[Any]] = [kind.section for kind in REGISTRY.products]
    sections += [one.section for one in REGISTRY.samplers]
    assert len(set(names)) == len(names)
    assert len(set(sections)) == len(sections)
    assert all(issubclass(one.section, SamplerSection) for one in REGISTRY.samplers)
    assert {one.section.scheme for one in REGISTRY.samplers} == {"utm24", "window", "granule"}
