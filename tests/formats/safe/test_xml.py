"""Elements are found by name whatever their namespace, and what is wrong is listed with its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidDocumentError
from landloom.formats.safe.xml import SafeXml, child_text, texts

if TYPE_CHECKING:
    from landloom.errors import Problem


def document(body: str) -> tuple[SafeXml, list[Problem]]:
    problems: list[Problem] = []
    return SafeXml("a.xml", f"<n:A xmlns:n='u' xmlns:m='v'>{body}</n:A>".encode(), problems), problems


def test_the_first_name_that_occurs_counts() -> None:
    read, problems = document("<OLD>1</OLD><m:NEW> 2 </m:NEW><m:NEW>3</m:NEW>")
    assert [read.text("NEW", "OLD"), read.text("NEWEST", "OLD"), read.text("NONE", optional=True)] == ["2", "1", None]
    assert [element.text for element in read.all("NEW", "OLD")] == [" 2 ", "3"]
    assert problems == []


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_comes_back(value: float) -> None:
    read, problems = document(f"<X>{value!r}</X>")
    assert (read.number("X"), problems) == (value, [])


@given(st.integers(-(2**53), 2**53))
def test_whole_numbers_come_back(value: int) -> None:
    read, problems = document(f"<X>{value}</X><Y>{value}.0</Y>")
    assert (read.whole("X"), read.whole("Y"), problems) == (value, value, [])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "a.xml: no X"),
        ("ten", "a.xml: X: got 'ten', expected a number from 0 to 9"),
        ("nan", "a.xml: X: got 'nan', expected a number from 0 to 9"),
        ("-inf", "a.xml: X: got '-inf', expected a number from 0 to 9"),
        ("9.5", "a.xml: X: got '9.5', expected a number from 0 to 9"),
        ("1.5", "a.xml: X: got 1.5, expected a whole number"),
    ],
)
def test_a_number_that_is_none_is_one_problem(text: str, wanted: str) -> None:
    read, problems = document(f"<X>{text}</X>")
    assert read.whole("X", low=0, high=9) is None
    assert [str(problem) for problem in problems] == [wanted]


def test_instants_are_utc() -> None:
    read, problems = document("<T>2022-01-01T10:00:31.024Z</T><U>yesterday</U>")
    assert read.instant("T") == datetime(2022, 1, 1, 10, 0, 31, 24_000, tzinfo=UTC)
    assert (read.instant("U"), read.instant("V", optional=True)) == (None, None)
    (problem,) = problems
    assert str(problem).startswith("a.xml: U: ")


def test_children_and_texts() -> None:
    read, _ = document("<P><m:Q> q </m:Q><R/></P><L>a</L><L> </L><L> b</L>")
    (parent,) = read.all("P")
    assert [child_text(parent, name) for name in ("Q", "R", "S")] == ["q", None, None]
    assert texts(read.all("L")) == ["a", "b"]


@pytest.mark.parametrize("data", [b"", b"<a>", b"plain", b"<!DOCTYPE a><a/>", b'<!ENTITY b "c"><a/>'])
def test_what_is_no_xml_or_declares_entities_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidDocumentError, match=r"a\.xml: expected XML"):
        SafeXml("a.xml", data, [])
