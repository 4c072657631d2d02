"""Fields of JSON bodies: values of another type, size or name are refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError, NotFoundError
from landloom.server.annotate.calls import Call, Fields, identity

VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=3)


def call(body: bytes = b"", **path: str) -> Call:
    return Call(path=path, query={}, headers={}, body=body, client="127.0.0.1")


@given(VALUES)
def test_every_field_is_of_its_type_or_refused_by_name(value: Any) -> None:
    fields = Fields({"a": value})
    for read, kind in (
        (lambda: fields.text("a", most=5), str),
        (lambda: fields.whole("a", least=0, most=9), int),
        (lambda: fields.number("a", least=0, most=9), float),
        (lambda: fields.flag("a"), bool),
        (lambda: fields.whole_numbers("a", most=9, longest=2), tuple),
        (lambda: fields.name("a"), str),
    ):
        try:
            assert type(read()) is kind
        except InvalidInputError as error:
            assert str(error).startswith("a: got")  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"a":', b"\xff\xfe", b'{"a": NaN}', b'{"a": -Infinity}', b"[" * 100_000, b'{"a":' * 100],
)
def test_bodies_that_are_no_json_object(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        call(body).fields()


def test_texts_keep_everything_that_can_be_stored() -> None:
    for text in ("<script>alert(1)</script>", "=1+1", "שלום\u200f", "a\tb\r\nc", "\x1b[2J", "🌲"):
        assert call(json.dumps({"comment": text}).encode()).fields().text("comment") == text
    for text in ("a\0b", "\ud800"):
        with pytest.raises(InvalidInputError, match="cannot be stored"):
            call(json.dumps({"comment": text}).encode()).fields().text("comment")


@pytest.mark.parametrize("name", ["", " ann", "a\nb", "\x1b[2J", "\u202eann", "x" * 81])
def test_names_are_one_plain_line(name: str) -> None:
    with pytest.raises(InvalidInputError, match="name: got"):
        Fields({"name": name}).name()


def test_unknown_fields_are_refused() -> None:
    assert Fields({"name": "ann"}).only("name", "role").name() == "ann"
    with pytest.raises(InvalidInputError, match="rôle: unknown field, expected name, role"):
        Fields({"name": "ann", "rôle": "admin"}).only("name", "role")


@pytest.mark.parametrize(
    "text", ["", "short", "../../etc", "a" * 65, "0123456789abcdef'", "0123456789%00", "0123 5678"]
)
def test_ids_that_the_server_never_made(text: str) -> None:
    with pytest.raises(NotFoundError):
        identity(call(id=text), "id")
