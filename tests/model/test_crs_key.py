"""CRSs as people and files write them."""

from __future__ import annotations

from typing import Any

import pytest
from pyproj import CRS

from landloom.errors import InvalidInputError
from landloom.model.crs_key import crs_key, crs_name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (32633, 32633),
        ("32633", 32633),
        ("epsg:32633", 32633),
        ("urn:ogc:def:crs:EPSG::32633", 32633),
        ("http://www.opengis.net/def/crs/EPSG/0/32633", 32633),
        ("OGC:CRS84", 4326),
        ("EPSG:4979", 4326),
        ("EPSG:25833+7837", 25833),
        (CRS(3035).to_json(), 3035),
        (CRS(3035).to_json_dict(), 3035),
    ],
)
def test_every_word_for_an_epsg_code_is_that_code(text: Any, code: int) -> None:
    assert crs_key(text) == code
    assert crs_name(code) == f"EPSG:{code}"


@pytest.mark.parametrize("text", ["ESRI:102013", "+proj=laea +lat_0=50 +lon_0=9 +ellps=GRS80"])
def test_a_crs_without_a_code_is_its_wkt(text: str) -> None:
    key = crs_key(text)
    assert isinstance(key, str)
    assert crs_key(key) == key
    assert CRS(key).equals(CRS(text))


@pytest.mark.parametrize("text", ["", "nan", "nowhere", "99999", "EPSG:99999", "EPSG:4978", "EPSG:7837", {"type": "x"}])
def test_what_is_no_map_is_refused(text: Any) -> None:
    with pytest.raises(InvalidInputError, match="got CRS"):
        crs_key(text)
