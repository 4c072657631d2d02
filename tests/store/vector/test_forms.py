"""What a file is, by its first bytes."""

from __future__ import annotations

import pytest

from landloom.errors import InvalidInputError
from landloom.store.vector.forms import Form, form_of, refuse_encoding


@pytest.mark.parametrize(
    ("head", "name", "form"),
    [
        (b"SQLite format 3\x00", "x.tif", Form.GEOPACKAGE),
        (b'\xef\xbb\xbf {"type"', "x", Form.JSON),
        (b'\x1e{"type": "Feature"}', "x.geojsonl", Form.JSON),
        (b"<?xml version='1.0'?>\n<kml xmlns='x'>", "x", Form.KML),
        (b"<html>", "x.kml", Form.PAGE),
        (b"id;name", "x", Form.TEXT),
        ("id;name".encode("utf-16"), "x.csv", Form.TEXT_TO_RECODE),
        (b"\x01\x00\x02", "x", Form.OTHER),
        (b"a\x00\x00", "x.csv", Form.TEXT),
        (b"", "x.shx", Form.PART),
        (b"MM\x00*", "", Form.RASTER),
    ],
)
def test_bytes_tell(head: bytes, name: str, form: Form) -> None:
    assert form_of(head, name) is form


def test_a_form_in_utf_8_takes_no_other_encoding() -> None:
    refuse_encoding("p.gpkg", Form.GEOPACKAGE, "utf-8")
    with pytest.raises(InvalidInputError, match=r"p\.gpkg: got the encoding cp1252, but a GeoPackage is in UTF-8"):
        refuse_encoding("p.gpkg", Form.GEOPACKAGE, "cp1252")
