"""GeoJSON (RFC 7946)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry


def geometry(shape: BaseGeometry, digits: int | None = 7) -> dict[str, Any]:
    """A shapely geometry (longitude latitude) as a GeoJSON object.

    Args:
        shape: in WGS84.
        digits: decimals of a degree; 7 correspond to a centimetre. None keeps all.

    Example:
        >>> geometry(shapely.Point(15.00000004, 46))
        {'type': 'Point', 'coordinates': [15.0, 46.0]}
    """
    document: dict[str, Any] = shapely.geometry.mapping(shape)
    return {"type": document["type"], "coordinates": _rounded(document["coordinates"], digits)}


def _rounded(values: Any, digits: int | None) -> Any:
    if isinstance(values, (tuple, list)):
        return [_rounded(value, digits) for value in values]
    return float(values) if digits is None else round(float(values), digits)


def feature(
    shape: BaseGeometry, properties: Mapping[str, Any], *, feature_id: str | None = None, digits: int | None = 7
) -> dict[str, Any]:
    """A Feature; members in the order of the RFC's examples.

    Example:
        >>> feature(shapely.Point(15, 46), {"sample_id": "33N_16E-243N_29_01"})["properties"]
        {'sample_id': '33N_16E-243N_29_01'}
    """
    head: dict[str, Any] = {"type": "Feature"} | ({} if feature_id is None else {"id": feature_id})
    return head | {"geometry": geometry(shape, digits), "properties": dict(properties)}
