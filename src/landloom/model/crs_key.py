"""Coordinate reference systems as keys: an EPSG code, or WKT where EPSG lists none."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from pyproj import CRS
from pyproj.exceptions import CRSError

from landloom.errors import InvalidInputError

CrsKey = int | str
"""EPSG code, or the WKT of a CRS without one. Coordinates are x before y, longitude before latitude, in either."""

_CONFIDENCE: Final = 70
"""At which PROJ says that a definition is that of an EPSG code in all but its names."""
_DEGREES: Final = (4326, 4258, 4269, 4267)
"""What CRS84, CRS83, CRS27 and their like are in all but the order of their axes."""


def crs_key(value: object) -> CrsKey:
    """Read a CRS from what files and people write.

    Args:
        value: a number or text with an EPSG code, `urn:ogc:def:crs:EPSG::32633`, `OGC:CRS84`, `ESRI:102013`, WKT,
            PROJJSON (text or mapping), or a pyproj CRS. Heights of compound and three-dimensional ones are dropped.

    Raises:
        InvalidInputError: no CRS, or none of a map: geocentric, vertical, or of a building site.

    Example:
        >>> crs_key("EPSG:2154"), crs_key(32633.0), crs_key("OGC:CRS84"), crs_key("EPSG:25833+7837")
        (2154, 32633, 4326, 25833)
        >>> crs_key("ESRI:102013").split('"')[1]
        'Europe_Albers_Equal_Area_Conic'
    """
    if isinstance(value, CRS):
        return _key(value.to_wkt())
    if isinstance(value, dict):
        return _key(_read(value).to_wkt())
    return _of_text(str(value).strip())


@lru_cache(maxsize=256)
def _of_text(text: str) -> CrsKey:
    bare = text.removesuffix(".0")
    return _key(_read(int(bare) if bare.isdecimal() else text).to_wkt())


def _read(value: Any) -> CRS:
    try:
        return CRS.from_user_input(value)
    except (CRSError, ValueError, TypeError, OverflowError) as error:
        shown = repr(value) if len(str(value)) < 60 else f"{str(value)[:60]!r}…"
        if isinstance(value, int) or str(value).upper().startswith("EPSG:"):
            raise InvalidInputError(f"got CRS {shown}, which EPSG does not know") from error
        raise InvalidInputError(f"got CRS {shown}, expected an EPSG code, such as EPSG:32633, or WKT") from error


@lru_cache(maxsize=256)
def _key(wkt: str) -> CrsKey:
    crs = CRS.from_wkt(wkt)
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    if not (crs.is_geographic or crs.is_projected) or crs.is_geocentric:
        raise InvalidInputError(f"got CRS {crs.name!r} ({crs.type_name}), expected one of a map")
    crs = crs.to_2d()
    code = crs.to_epsg(min_confidence=_CONFIDENCE)
    if code is None and crs.is_geographic:
        code = next((known for known in _DEGREES if crs.equals(CRS.from_epsg(known), ignore_axis_order=True)), None)
    return crs.to_wkt() if code is None else code


def crs_name(crs: CrsKey) -> str:
    """What people call it.

    Example:
        >>> crs_name(32633), crs_name(crs_key("ESRI:54009"))
        ('EPSG:32633', 'World_Mollweide')
    """
    return f"EPSG:{crs}" if isinstance(crs, int) else str(_read(crs).name)
