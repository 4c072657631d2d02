from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from shapely import box

from landloom.errors import InvalidDocumentError
from landloom.formats.safe.outline import parse_mask_gml, parse_outline
from landloom.formats.safe.xml import SafeXml

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from landloom.errors import Problem


def outline(text: str) -> BaseGeometry | None:
    return parse_outline(SafeXml("a", b"<a/>", []), [text])


def test_outlines_with_heights_and_over_the_antimeridian() -> None:
    flat = outline("45 15 45 16 46 16 46 15 45 15")
    high = outline("45 15 7 45 16 8 46 16 9 46 15 8 45 15 7")
    assert flat is not None
    assert flat.equals(high)
    split = outline("0 179 0 -179 1 -179 1 179 0 179")
    assert split is not None
    assert split.area == pytest.approx(2.0)
    assert outline("45 15 46 nonsense") is None


def test_cloud_polygons_keep_kinds_and_holes() -> None:
    ring = "<gml:{0}><gml:LinearRing><gml:posList srsDimension='2'>{1}</gml:posList></gml:LinearRing></gml:{0}>"
    polygon = ring.format("exterior", "0 0 60 0 60 60 0 60 0 0") + ring.format("interior", "20 20 40 20 40 40 20 20")
    feature = f"<e:MaskFeature><e:maskType>OPAQUE</e:maskType><gml:Polygon>{polygon}</gml:Polygon></e:MaskFeature>"
    data = f"<e:Mask xmlns:e='e' xmlns:gml='g'>{feature}</e:Mask>".encode()
    ((kind, shape),) = parse_mask_gml(data, "M")
    assert (kind, shape.area) == ("OPAQUE", 3600 - 200)
    with pytest.raises(InvalidDocumentError, match="rings of x y pairs"):
        parse_mask_gml(data.replace(b"60 60", b"60 x"), "M")


def test_several_outlines_are_joined_and_none_is_a_problem() -> None:
    problems: list[Problem] = []
    document = SafeXml("a.xml", b"<a/>", problems)
    texts = ["45 15 45 16 46 16 46 15 45 15", "45,16 45,17 46,17 46,16 45,16"]
    whole = parse_outline(document, texts)
    assert whole is not None
    assert whole.equals(box(15, 45, 17, 46))
    assert parse_outline(document, []) is None
    assert parse_outline(document, ["80 -120 80 0 80 120 80 -120"]) is None
    assert [str(problem) for problem in problems] == [
        "a.xml: no EXT_POS_LIST",
        "a.xml: EXT_POS_LIST: got an outline around a pole, expected one that closes",
    ]


@pytest.mark.parametrize("text", ["", "45 15 45 16 46 16 46 15", "95 15 95 16 96 16 95 15", "45 15 45 16 45 15"])
def test_a_ring_that_is_open_short_or_off_the_earth_is_none(text: str) -> None:
    assert outline(text) is None
