"""Products of an OData service as scenes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from shapely import from_wkt, make_valid
from shapely.errors import ShapelyError
from shapely.geometry import shape

from landloom.errors import InvalidDocumentError, InvalidValueError, Problem
from landloom.model.antimeridian import split_antimeridian
from landloom.model.ids import GranuleId
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.sensor import SENTINEL_2_L1C, SENTINEL_2_L2A
from landloom.model.spellings import is_absent, percentage, platform_name
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

DOWNLOAD: Final = "https://download.dataspace.copernicus.eu/odata/v1"
"""URL of the downloads."""
T = TypeVar("T")
_NAME: Final = re.compile(
    r"(S2[A-D])_MSI(L1C|L2A)_\d{8}T\d{6}_N(\d{2})(\d{2})_R(\d{3})_T(\w{5})_\d{8}T\d{6}(?:_COG)?(?:\.SAFE)?",
    re.ASCII,
)
_OLD_NAME: Final = re.compile(r"S2[A-D]_(?:OPER|USER)_PRD_MSIL(?:1C|2A)_", re.ASCII)
_HASHES: Final = {"MD5": ("d50110", 32), "SHA256": ("1220", 64), "SHA3-256": ("1620", 64)}


def parse_product(product: Mapping[str, Any], download: str = DOWNLOAD) -> Scene:
    """Read a product of the service as a scene; its id is the product's name without `.SAFE`.

    Raises:
        InvalidDocumentError: lists every problem.

    Example:
        >>> scene = parse_product(
        ...     {
        ...         "Id": "0f1e",
        ...         "Name": "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817.SAFE",
        ...         "ContentDate": {"Start": "2023-08-20T09:45:49.024Z"},
        ...         "ContentLength": 1000,
        ...         "Checksum": [{"Algorithm": "MD5", "Value": "00112233445566778899aabbccddeeff"}],
        ...         "GeoFootprint": {"type": "Polygon", "coordinates": [[[15, 45], [16, 45], [16, 46], [15, 45]]]},
        ...     }
        ... )
        >>> scene.granule, scene.baseline, scene.layers[Role.PRODUCT].href.rpartition("/odata/v1/")[2]
        ('33TWL', '05.09', 'Products(0f1e)/$value')
    """
    problems: list[Problem] = []
    name = str(product.get("Name", ""))
    match = _NAME.fullmatch(name)
    if match is None:
        problems.append(Problem(where="Name", what=_why_not(name)))
    uuid = product.get("Id")
    if not isinstance(uuid, str) or not uuid:
        problems.append(Problem(where="Id", what=f"got {uuid!r}, expected a text"))
    time, footprint = sensing_start(product, problems), _footprint(product, problems)
    if match is None or time is None or footprint is None or problems:
        raise InvalidDocumentError(f"product {name!r}", problems)
    size = product.get("ContentLength")
    attributes = {one.get("Name"): one.get("Value") for one in product.get("Attributes") or () if isinstance(one, dict)}
    whole = SceneFile(
        href=f"{download}/Products({uuid})/$value",
        size=size if isinstance(size, int) and size > 0 else None,
        checksum=_checksum(product),
    )
    return Scene(
        id=name.removesuffix(".SAFE"),
        time=time,
        granule=_read(_granule, match[6]),
        epsg=None,
        footprint=footprint,
        bands={},
        layers={Role.PRODUCT: whole},
        cloud_cover=_read(percentage, attributes.get("cloudCover")),
        baseline=f"{match[3]}.{match[4]}",
        level=match[2],
        sensor=(SENTINEL_2_L1C if match[2] == SENTINEL_2_L1C.level else SENTINEL_2_L2A).name,
        platform=platform_name(match[1]),
        orbit=int(match[5]),
        created=_read(parse_instant, product.get("PublicationDate")),
        size=whole.size,
        href=whole.href,
    )


def _why_not(name: str) -> str:
    """Why a product without a name that says what it is cannot be a scene."""
    if _OLD_NAME.match(name):
        return (
            f"got {name!r}, whose old form of name states no granule, expected a product of one; download it yourself "
            "and read it as an archive of kind safe"
        )
    return f"got {name!r}, expected the name of a Sentinel-2 product of Level-1C or Level-2A"


def _read(read: Callable[[Any], T], value: object) -> T | None:
    """A value that nothing needs; None where it is missing or cannot be read."""
    try:
        return None if is_absent(value) else read(value)
    except InvalidValueError:
        return None


def _granule(text: str) -> str:
    return str(GranuleId.parse(text))


def sensing_start(product: Mapping[str, Any], problems: list[Problem]) -> datetime | None:
    """Start of sensing; None, and a problem, where it cannot be read."""
    try:
        return parse_instant(product["ContentDate"]["Start"])
    except (KeyError, TypeError, ValueError) as error:
        problems.append(Problem(where="ContentDate.Start", what=f"expected an ISO instant: {error}"))
        return None


def _footprint(product: Mapping[str, Any], problems: list[Problem]) -> BaseGeometry | None:
    try:
        stated = product.get("GeoFootprint")
        if stated is None and isinstance(product.get("Footprint"), str):
            text = product["Footprint"].removeprefix("geography'").removesuffix("'")
            return make_valid(split_antimeridian(from_wkt(text.rpartition(";")[2])))
        return make_valid(split_antimeridian(shape(product["GeoFootprint"])))
    except (ShapelyError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        problems.append(Problem(where="GeoFootprint", what=f"expected a GeoJSON polygon: {error}"))
        return None


def _checksum(product: Mapping[str, Any]) -> str | None:
    """The first checksum whose hash Python can compute, as a multihash."""
    for entry in product.get("Checksum") or ():
        prefix, digits = _HASHES.get(str(entry.get("Algorithm")).upper(), ("", 0))
        value = str(entry.get("Value")).lower()
        if prefix and len(value) == digits:
            return prefix + value
    return None
