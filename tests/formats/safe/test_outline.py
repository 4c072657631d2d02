"""Outlines of products, whatever their vertices carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.formats.safe.outline import parse_outline
from landloom.formats.safe.xml import SafeXml

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

PLACES = st.tuples(st.floats(-80, 80), st.floats(-170, 170)).filter(
    lambda one: min(abs(one[0]), abs(one[1]), abs(one[0] - one[1])) > 17
)
"""Places where no height or longitude can be taken for a latitude nearby."""


def outline(text: str) -> BaseGeometry | None:
    return parse_outline(SafeXml("a.xml", b"<a/>", []), [text])


@given(PLACES, st.lists(st.sampled_from(["", " 0", " 0.0", " 812.5"]), min_size=5, max_size=5))
def test_heights_on_any_vertices(place: tuple[float, float], heights: list[str]) -> None:
    south, west = (round(value, 6) for value in place)
    corners = [(south, west), (south, west + 1), (south + 1, west + 1), (south + 1, west), (south, west)]
    text = " ".join(f"{y!r} {x!r}{height}" for (y, x), height in zip(corners, heights, strict=True))
    found = outline(text)
    assert found is not None, text
    assert shapely.equals(found, shapely.Polygon([(x, y) for y, x in corners]))


def test_a_closing_vertex_without_height_and_repeated() -> None:
    """As of S2A_MSIL2A_20150826T185436_N0212_R070_T11SLT_20210412T023147."""
    corners = ["34.32236553 -119.17378006", "33.33276711 -119.14886714", "33.34757774 -117.96937542"]
    corners += ["34.33773661 -117.98062243", corners[0], corners[0], corners[0]]
    found = outline(" 0 ".join(corners))
    assert found is not None
    assert [round(value, 3) for value in found.bounds] == [-119.174, 33.333, -117.969, 34.338]


@given(st.text(alphabet="0123456789.- ,ne", max_size=60))
def test_whatever_stands_there_is_an_outline_or_none(text: str) -> None:
    problems: list[object] = []
    found = parse_outline(SafeXml("a.xml", b"<a/>", problems), [text])  # type: ignore[arg-type]
    assert (found is None) == bool(problems)
