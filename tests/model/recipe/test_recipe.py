from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from landloom.errors import RecipeError
from landloom.pipelines.registry import Recipe
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
    assert "samples.count: got 0, expected at least 1" in text
    assert "expected distinct bands" in text
    assert "perid: unknown key; nearest: period" in text


def test_what_depends_on_another_part_is_checked(document: dict[str, Any]) -> None:
    document["samples"]["labels"] = "lucas"
    with pytest.raises(RecipeError, match=r"samples\.labels: got 'lucas', expected one of \['clc'\]"):
        Recipe.parse(document)


def test_a_period_that_ends_before_it_begins(document: dict[str, Any]) -> None:
    document["period"] = {"start": "2019-01-01", "end": "2018-01-01"}
    with pytest.raises(RecipeError, match=r"ends .* before it begins"):
        Recipe.parse(document)


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(RecipeError, match="is not YAML"):
        Recipe.read(tmp_path / "x.yaml")


def test_the_document_reads_back_the_same(document: dict[str, Any]) -> None:
    recipe = Recipe.parse(document)
    assert Recipe.parse(recipe.document()) == recipe


def changed(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    *above, last = path.split(".")
    section = document
    for key in above:
        section = section[key]
    section[last] = value
    return document


MISTAKES = [
    ("samples.cuont", 3, "samples.cuont: unknown key; nearest: count"),
    ("samples.count", "many", "samples.count: got 'many', expected a whole number"),
    ("samples.draw", "aera", "samples.draw: got 'aera', expected one of area-class, all, list, windows"),
    ("samples", {"count": 1}, "samples.draw: missing, expected one of area-class, all, list"),
    ("samples.labels", "lucas", "samples.labels: got 'lucas', expected one of ['clc']"),
    ("version", 1.0, "version: got 1.0, expected text: put it in quotes, '1.0'"),
    ("name", "My Corpus", "name: got 'My Corpus', expected lower-case letters, digits and '-', starting with a letter"),
    ("period.start", "2018-13-01", "period.start: got '2018-13-01', expected a date such as 2018-01-01"),
    ("period.start", 2018, "period.start: got 2018, expected a date such as 2018-01-01"),
    ("region", "europe", "region: got 'europe', expected keys with values"),
    ("region", {"bounds": [1, 2, 3, 4, 5]}, "region.bounds: got [1, 2, 3, 4, 5], expected 4 values, not 5"),
    ("labels.clc.taxonomy", "clcc", "labels.clc.taxonomy: no taxonomy 'clcc'; nearest: clc"),
    ("labels.clc.columm", "x", "labels.clc.columm: unknown key; nearest: column"),
    (
        "products.s3",
        {"kind": "external", "cadence": "month", "terms": {"licence": "x", "attribution": "y"}},
        "products.s3: no such product; nearest: ",
    ),
    ("products.s2.kind", "composit", "products.s2.kind: got 'composit', expected one of composite, series"),
    ("products.s2.bands", "B02", "products.s2.bands: got 'B02', expected a list"),
    ("products.s2.cadence", "weekly", "products.s2.cadence: got 'weekly', expected a cadence: 'month' or '5 days'"),
    ("products.s2.count", "maybe", "products.s2.count: got 'maybe', expected true or false"),
    ("layouts", ["chip"], "layouts.0: got 'chip', expected one of chips, cubes"),
    ("splits", {"train": 0.7}, "splits: got shares that sum to 0.7, expected 1"),
    ("archive", {"kind": "static"}, "archive.href: missing, expected it of the static archive"),
    ("seed", -1, "seed: got -1, expected at least 0"),
]


@pytest.mark.parametrize(("path", "value", "message"), MISTAKES, ids=[f"{row[0]}={row[1]}"[:40] for row in MISTAKES])
def test_a_mistake_is_one_line_in_plain_words(document: dict[str, Any], path: str, value: object, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(changed(document, path, value))
    (problem,) = caught.value.problems
    assert str(problem).startswith(message)


def test_misfits_are_listed_beside_other_mistakes(document: dict[str, Any]) -> None:
    document["samples"]["labels"] = "lucas"
    document["splits"] = {"train": 0.2}
    del document["publication"]
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(document)
    assert {problem.where for problem in caught.value.problems} == {"samples.labels", "splits", "publication"}


def test_keys_that_stand_twice_are_refused(tmp_path: Path) -> None:
    write_starter("demo", tmp_path / "x.yaml")
    text = (tmp_path / "x.yaml").read_text(encoding="utf-8")
    twice = text.replace("  count: 60", "  count: 60\n  count: 50").replace("seed: 2018", "seed: 2018\nseed: -1")
    (tmp_path / "x.yaml").write_text(twice, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        Recipe.read(tmp_path / "x.yaml")
    assert [str(problem) for problem in caught.value.problems] == [
        "seed: duplicate key, in line 5 and in line 6",
        "samples.count: duplicate key, in line 11 and in line 12",
        "seed: got -1, expected at least 0",
    ]


@pytest.mark.parametrize("date", ["2018-13-01", "2018-02-30", "yesterday"])
def test_dates_that_are_none_do_not_end_the_reading(tmp_path: Path, date: str) -> None:
    write_starter("demo", tmp_path / "x.yaml")
    text = (tmp_path / "x.yaml").read_text(encoding="utf-8").replace("2018-01-01", date)
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"period\.start: got '{date}', expected a date such as") as caught:
        Recipe.read(tmp_path / "x.yaml")
    assert len(caught.value.problems) == 1


def test_instants_are_read_as_utc(document: dict[str, Any]) -> None:
    document["period"] = {"start": "2018-06-01T12:00:00+02:00", "end": "2018-07-01"}
    assert Recipe.parse(document).period.value.start.isoformat() == "2018-06-01T10:00:00+00:00"
