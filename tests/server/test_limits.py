"""What a request may be at most: depth and vertices against a count of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.server.limits import MAX_BODY, MAX_JSON_DEPTH, MAX_VERTICES, check_depth, check_geometry, read_json

TEXTS = st.text(st.sampled_from('a[]{}"\\'), max_size=8)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((depth(one) for one in inner), default=0)


@given(VALUES, st.integers(0, MAX_JSON_DEPTH + 3))
def test_json_is_refused_where_it_nests_too_deep_and_nowhere_else(value: Any, more: int) -> None:
    text = "[" * more + json.dumps(value) + "]" * more
    if depth(value) + more <= MAX_JSON_DEPTH:
        assert depth(read_json(text, "filter")) == depth(value) + more
    else:
        with pytest.raises(InvalidInputError, match="deep"):
            read_json(text, "filter")


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_check(content: bytes) -> None:
    check_depth(content)


@pytest.mark.parametrize("text", ["", "{", '{"a":}', "nan", "[1,]"])
def test_broken_json_is_named(text: str) -> None:
    with pytest.raises(InvalidInputError, match="filter: got broken JSON"):
        read_json(text, "filter")


def test_long_json_is_not_read() -> None:
    with pytest.raises(InvalidInputError, match="characters"):
        read_json(" " * (MAX_BODY + 1), "filter")


@pytest.mark.parametrize("size", [MAX_VERTICES, MAX_VERTICES + 1])
def test_vertices_are_counted_in_every_kind_of_geometry(size: int) -> None:
    line = {"type": "LineString", "coordinates": [[0, 0]] * (size - 3)}
    holed = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}
    geometry = {"type": "GeometryCollection", "geometries": [line, holed, {"type": "Point", "coordinates": [1, 2]}]}
    if size <= MAX_VERTICES:
        check_geometry(geometry)
        return
    with pytest.raises(InvalidInputError, match="vertices"):
        check_geometry({"type": "Feature", "geometry": geometry})
