"""Recipes that can be written with some kinds: read, completed, ordered, and refused where a key would be ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.made_up import (
    RECIPE,
    REGISTRY,
    TERMS,
    AloneKind,
    MonthlyKind,
    NamedSampler,
    NamedSamples,
    NoteSection,
    NotesKind,
)

from landloom.engine.kinds import RecipeKey
from landloom.engine.project import Project
from landloom.engine.registry import Registry
from landloom.errors import RecipeError

KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True).filter(lambda key: key != "black")


def problems(document: dict[str, Any]) -> dict[str, str]:
    """Path → what is wrong there."""
    with pytest.raises(RecipeError) as caught:
        REGISTRY.recipe.parse(document)
    return {problem.where: problem.what for problem in caught.value.problems}


def requested(document: dict[str, Any], registry: Registry = REGISTRY) -> list[str]:
    project = Project(recipe=registry.recipe.parse(document), folder=Path())
    return [request.path for request in registry.requests(project)]


def test_the_class_that_reads_recipes_is_made_once() -> None:
    assert REGISTRY.recipe is REGISTRY.recipe
    assert set(REGISTRY.recipe.model_fields) >= {"samples", "products", "notes", "alone"}


def test_keys_of_kinds_follow_the_key_that_they_name() -> None:
    order = REGISTRY.recipe.order
    assert order[order.index("products") + 1] == "notes"
    assert order[order.index("scenes") + 1] == "alone"
    document = REGISTRY.recipe.parse(RECIPE | {"notes": {"a": {"terms": TERMS}}}).document()
    assert list(document) == [key for key in order if key in document]
    assert document["notes"]["a"]["file"] == "notes.txt"
    assert document["alone"] is None


def test_several_kinds_after_one_key_keep_their_order() -> None:
    class OtherSection(NoteSection):
        """Its own."""

    class OtherNotes(NotesKind):
        name = "others"
        section = OtherSection
        recipe_key = RecipeKey(name="others", text="x")

    registry = Registry(products=(MonthlyKind(), NotesKind(), OtherNotes()), samplers=(NamedSampler(),))
    order = registry.recipe.order
    assert order[order.index("products") : order.index("products") + 3] == ("products", "notes", "others")
    asked = requested(RECIPE | {"others": {"b": {"terms": TERMS}}, "notes": {"a": {"terms": TERMS}}}, registry)
    assert asked == ["products.grey", "notes.a", "others.b"]


@given(st.lists(KEYS, min_size=1, max_size=5, unique=True))
def test_a_document_reads_back_as_the_same_recipe(keys: list[str]) -> None:
    """Also through YAML; what is asked of kinds comes in the order of the document."""
    products = {key: {"kind": "monthly", "makes": f"m_{key}", "terms": TERMS} for key in keys}
    recipe = REGISTRY.recipe.parse(RECIPE | {"products": products})
    again = REGISTRY.recipe.parse(yaml.safe_load(yaml.safe_dump(recipe.document(), sort_keys=False)))
    assert again == recipe
    assert again.document() == recipe.document()
    assert requested(recipe.document()) == [f"products.{key}" for key in keys]


def test_defaults_that_follow_from_other_sections_are_spelled_out() -> None:
    """By kinds, one after the other, and by the sampler for scenes; what a recipe says stays."""
    notes = {"notes": {"a": {"terms": TERMS}}, "scenes": {"cloud": [0, 50]}, "seed": 7}
    recipe = REGISTRY.recipe.parse(RECIPE | notes)
    assert recipe.products["grey"].makes == "made_7"  # type: ignore[attr-defined]
    assert recipe.scenes is not None
    assert recipe.scenes.policy == NamedSampler.policy
    own = {"scenes": {"policy": "all"}, "products": {"grey": {"kind": "monthly", "makes": "own", "terms": TERMS}}}
    said = REGISTRY.recipe.parse(RECIPE | own)
    assert said.scenes is not None
    assert (said.scenes.policy, said.products["grey"].makes) == ("all", "own")  # type: ignore[attr-defined]


def test_two_sections_that_would_make_one_product_are_refused_at_the_second() -> None:
    twice = {key: {"kind": "monthly", "makes": "same", "terms": TERMS} for key in ("first", "second")}
    assert problems(RECIPE | {"products": twice}) == {
        "products.second": "makes the product same, as products.first does"
    }


def test_what_a_section_is_made_from_has_to_be_made_by_another() -> None:
    """Of any kind, wherever it stands."""
    notes = {"a": {"terms": TERMS, "about": ["made_0"]}, "b": {"terms": TERMS, "about": ["notes_a"]}}
    assert requested(RECIPE | {"notes": notes}) == ["products.grey", "notes.a", "notes.b"]
    notes["b"]["about"] = ["made_0", "made_1"]
    assert problems(RECIPE | {"notes": notes}) == {"notes.b": "is made from the product made_1, which no section makes"}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"products": {"grey": {"kind": "monthly", "terms": TERMS, "colour": "red"}}}, "products.grey.colour"),
        ({"products": {"grey": {"kind": "weekly", "terms": TERMS}}}, "products.grey.kind"),
        ({"products": {"Grey": {"kind": "monthly", "terms": TERMS}}}, "products.Grey"),
        ({"products": {"black": {"kind": "monthly", "terms": TERMS}}}, "products.black"),
        ({"products": {"grey": {"kind": "monthly", "terms": TERMS, "archive": "b"}}}, "products.grey.archive"),
        ({"samples": {"draw": "named", "ids": []}}, "samples.ids"),
        ({"samples": {"draw": "cards"}}, "samples.draw"),
        ({"notes": {"a": {}}}, "notes.a.terms"),
        ({"alone": {"terms": TERMS}}, "alone"),
        ({"archive": {"kind": "shoebox"}}, "archive.kind"),
        ({"archive": {"kind": "static"}}, "archive.href"),
        ({"archives": {"a": {"kind": "static", "href": "x"}}}, "archive"),
        ({"nonsense": 1}, "nonsense"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_kind_heeds_is_refused_at_its_place(change: dict[str, Any], where: str) -> None:
    assert list(problems(RECIPE | change)) == [where]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = {
        "samples": {"draw": "named", "ids": []},
        "products": {"black": {"kind": "monthly", "terms": TERMS}},
        "alone": {"terms": TERMS},
        "version": "one",
    }
    assert set(problems(RECIPE | wrong)) >= {"samples.ids", "products.black", "alone", "version"}


def test_an_archive_that_no_product_takes_is_refused() -> None:
    document = {key: value for key, value in RECIPE.items() if key != "archive"}
    document["archives"] = {name: {"kind": "static", "href": f"{name}.json"} for name in ("a", "b")}
    document["products"] = {"grey": {"kind": "monthly", "terms": TERMS, "archive": "a"}}
    assert list(problems(document)) == ["archives.b"]


def test_inputs_that_are_not_there_are_named_as_the_recipe_names_them(tmp_path: Path) -> None:
    document = RECIPE | {
        "samples": {"draw": "named", "file": "cells.txt"},
        "region": {"file": "region.gpkg"},
        "scenes": {"file": "scenes.csv"},
        "notes": {"a": {"terms": TERMS}, "b": {"terms": TERMS, "file": "https://example.org/notes"}},
    }
    project = Project(recipe=REGISTRY.recipe.parse(document), folder=tmp_path)
    every = ["catalog.json", "cells.txt", "notes.txt", "region.gpkg", "scenes.csv"]
    assert REGISTRY.missing_inputs(project) == every
    for place, name in enumerate(every):
        (tmp_path / name).touch()
        assert REGISTRY.missing_inputs(project) == every[place + 1 :]


def test_the_sampler_is_that_of_the_section() -> None:
    assert REGISTRY.sampler(NamedSamples(draw="named")) is REGISTRY.samplers[0]
    assert [kind.name for kind in REGISTRY.own_keys] == ["notes", AloneKind.name]
