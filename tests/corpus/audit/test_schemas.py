"""Documents against schemas: every problem is named, and what could not be checked is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.corpus.audit.schemas import CORE, EXTENSION, SPEC, Schemas
from landloom.errors import InvalidInputError, PermanentFaultError

if TYPE_CHECKING:
    from pathlib import Path

CATALOG: dict[str, Any] = {
    "type": "Catalog",
    "stac_version": "1.0.0",
    "id": "a",
    "description": "d",
    "links": [{"rel": "root", "href": "./catalog.json"}],
}
ITEM: dict[str, Any] = {
    "type": "Feature",
    "stac_version": "1.0.0",
    "id": "a",
    "geometry": {"type": "Point", "coordinates": [1.0, 2.0]},
    "bbox": [1.0, 2.0, 1.0, 2.0],
    "properties": {"datetime": "2018-01-01T00:00:00Z"},
    "links": [],
    "assets": {},
}
MADE_UP = f"{EXTENSION}made-up/v1.0.0/schema.json"
SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "required": ["made:up"]}
OFFLINE = Schemas()


@given(st.sampled_from([CATALOG, ITEM]), st.data())
def test_each_key_that_the_core_requires_is_missed(document: dict[str, Any], data: st.DataObject) -> None:
    assert list(OFFLINE.check("a.json", document)) == []
    key = data.draw(st.sampled_from([key for key in document if key != "type"]))
    problems = list(OFFLINE.check("a.json", {name: value for name, value in document.items() if name != key}))
    assert problems
    assert any(key in problem.what for problem in problems) or key == "bbox"  # of an item with a geometry: an `anyOf`
    assert {problem.where for problem in problems} == {"a.json"}


@pytest.mark.parametrize("version", ["0.9.0", "1.0", 1.0, None])
def test_a_version_that_is_none_is_named(version: object) -> None:
    (problem,) = OFFLINE.check("a.json", CATALOG | {"stac_version": version})
    assert problem.what.startswith("stac_version: ")
    assert problem.what.endswith("expected 1.0.0 or 1.1.0")


def test_a_type_that_is_none_is_named() -> None:
    (problem,) = OFFLINE.check("a.json", {"type": "Table"})
    assert problem.what == f"got type 'Table', expected one of {', '.join(CORE)}"


def test_a_problem_says_where_in_the_document_it_stands() -> None:
    broken = ITEM | {"properties": {"datetime": "2018-01-01T00:00:00Z", "title": 5}}
    (problem,) = OFFLINE.check("a.json", broken)
    assert problem.what.startswith("properties.title: 5 is not of type 'string'")


def test_schemas_that_are_not_at_hand_are_counted_once_a_document() -> None:
    schemas = Schemas()
    document = CATALOG | {"stac_extensions": [MADE_UP]}
    assert list(schemas.check("a.json", document)) == []
    schemas.skip(document)
    assert schemas.unchecked == {MADE_UP: 2}
    assert schemas.failures == {}


def test_schemas_are_fetched_once_and_failures_are_kept() -> None:
    asked: list[str] = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        if address != MADE_UP:
            raise PermanentFaultError(f"{address}: HTTP 404")
        return json.dumps(SCHEMA).encode()

    schemas = Schemas(fetch=fetch)
    other = MADE_UP.replace("made-up", "other")
    plain = MADE_UP.replace("https://", "http://")
    document = CATALOG | {"stac_extensions": [MADE_UP, other, plain]}
    for _ in range(2):
        assert [one.what for one in schemas.check("a.json", document)] == ["'made:up' is a required property"]
    assert list(schemas.check("a.json", document | {"made:up": 1})) == []
    assert asked.count(MADE_UP) == asked.count(other) == 1
    assert plain not in asked
    assert schemas.failures[other] == f"{other}: HTTP 404"
    assert schemas.unchecked == {other: 3, plain: 3} | {
        address: count for address, count in schemas.unchecked.items() if address.startswith(SPEC)
    }


def test_a_folder_goes_before_the_network(tmp_path: Path) -> None:
    path = tmp_path / "stac-extensions" / "made-up" / "v1.0.0" / "schema.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(SCHEMA))
    schemas = Schemas(tmp_path)
    assert len(list(schemas.check("a.json", CATALOG | {"stac_extensions": [MADE_UP]}))) == 1
    with pytest.raises(InvalidInputError, match="stac-extensions"):
        Schemas(tmp_path / "stac-extensions")
