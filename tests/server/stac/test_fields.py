"""Fields of items against the rules of the extension, applied by hand to every path."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.server.stac.fields import ALWAYS, MAX_FIELDS, Fields

ITEM = {
    "type": "Feature",
    "stac_version": "1.0.0",
    "id": "a",
    "collection": "c",
    "bbox": [0, 0, 1, 1],
    "properties": {"title": "A", "x": {"y": 1, "z": 2}},
    "assets": {"data": {"href": "a.tif"}},
}
PATHS = st.sampled_from(
    ["id", "bbox", "properties", "properties.title", "properties.x", "properties.x.y", "assets", "no.such"]
)


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {path: value}
    return {k: v for key, one in value.items() for k, v in leaves(one, f"{path}.{key}" if path else key).items()}


def within(leaf: str, paths: set[str]) -> bool:
    return any(leaf == path or leaf.startswith(f"{path}.") for path in paths)


@given(st.sets(PATHS, max_size=4), st.sets(PATHS, max_size=4))
def test_each_leaf_comes_or_not_as_the_lists_say(include: set[str], exclude: set[str]) -> None:
    found = leaves(orjson.loads(Fields.of_sets(include, exclude).of(orjson.dumps(ITEM))))
    exclude = exclude - include
    for leaf, value in leaves(ITEM).items():
        # An exclusion is void where something within it is asked for.
        barred = {path for path in exclude if not any(one.startswith(f"{path}.") for one in include)}
        wanted = (within(leaf, include) or leaf in ALWAYS or not include) and not within(leaf, barred)
        assert (leaf in found) == wanted, leaf
        if wanted:
            assert found[leaf] == value


def test_signs_tell_lists_apart() -> None:
    assert Fields.of_list(["+a", " b ", "-c", "-a"]) == Fields(include=("a", "b"), exclude=("c",))
    assert Fields.of_list([]).of(b"anything") == b"anything"


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=str(MAX_FIELDS)):
        Fields.of_list([f"f{number}" for number in range(MAX_FIELDS + 1)])
