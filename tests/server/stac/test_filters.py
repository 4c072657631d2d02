"""A filter on items cut in two says of every item what the whole of it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.server.stac.filters import ITEM_NAMES, read_condition

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARED = ["clc_31 > 0.5", "stratum = 'DE'", "sample_id = 'a'"]
OWN = ["id = 'x'", "datetime >= TIMESTAMP('2018-06-01T00:00:00Z')", "collection IN ('a', 'b')"]


def names(document: Any) -> set[str]:
    if isinstance(document, list):
        return {name for part in document for name in names(part)}
    if not isinstance(document, dict):
        return set()
    own = {document["property"]} if "property" in document else set()
    return own | {name for part in document.values() for name in names(part)}


@given(st.lists(st.sampled_from(SHARED + OWN), min_size=1, max_size=4, unique=True))
def test_a_conjunction_is_cut_by_what_its_parts_speak_of(parts: list[str]) -> None:
    found = read_condition(" AND ".join(f"({part})" for part in parts))
    shared = [part for part in parts if part in SHARED]
    own = [part for part in parts if part in OWN]
    assert (found.samples is not None) == bool(shared)
    assert (found.items is not None) == bool(own)
    if found.samples is not None:
        assert not names(found.samples) & (ITEM_NAMES - {"id"})
        assert len(names(found.samples)) == len(shared)
    if found.items is not None:
        assert set(found.items.names()) <= ITEM_NAMES


@pytest.mark.parametrize("text", ["clc_31 > 0.5 OR id = 'x'", "NOT (clc_31 > 0.5 AND id = 'x')"])
def test_what_cannot_be_cut_is_asked_of_items(text: str) -> None:
    found = read_condition(text)
    assert found.samples is None
    assert found.items is not None


def test_samples_have_the_plain_name_of_their_id() -> None:
    found = read_condition("properties.sample_id = 'a'")
    assert found.samples == {"op": "=", "args": [{"property": "id"}, "a"]}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("datetime > TIMESTAMP('1970-01-01T00:01:00Z')", 60),
        ("datetime > DATE('1970-01-02')", 86_400),
        ("datetime > '1970-01-01T00:00:01Z'", 1),
        ("datetime > TIMESTAMP('1970-01-01T01:00:00.500+01:00')", 0.5),
    ],
)
def test_instants_are_seconds(text: str, seconds: float) -> None:
    items = read_condition(text).items
    assert items is not None
    root: Any = items.root
    assert float(root.args[0].args[1]) == seconds


@pytest.mark.parametrize(
    "source",
    [
        "clc_31 >",
        "{",
        '{"op": "=", "args": [',
        "datetime > TIMESTAMP('soon')",
        {"op": "like"},
        "datetime > '2018-13-01'",
    ],
)
def test_what_is_no_filter_is_refused(source: str | Mapping[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        read_condition(source)
