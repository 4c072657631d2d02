"""GeoJSON (RFC 7946), optionally gzipped; the bytes depend on the content alone."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson
import shapely

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry.base import BaseGeometry

_GZIP = 31
"""zlib's window bits for a gzip header without time and name."""


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


def feature_collection(features: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A FeatureCollection.

    Example:
        >>> feature_collection([])
        {'type': 'FeatureCollection', 'features': []}
    """
    return {"type": "FeatureCollection", "features": list(features)}


def dump_json(document: Any, *, indent: bool = False) -> bytes:
    r"""JSON in UTF-8, keys in the given order, with a final newline.

    Example:
        >>> dump_json({"b": 1, "a": 2.0})
        b'{"b":1,"a":2.0}\n'
    """
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(document, option=options)


def gzip_bytes(data: bytes, level: int = 6) -> bytes:
    r"""A gzip member without time or name.

    Example:
        >>> gzip_bytes(b"text")[:8]
        b'\x1f\x8b\x08\x00\x00\x00\x00\x00'
    """
    packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    return packer.compress(data) + packer.flush()


def gunzip_bytes(data: bytes) -> bytes:
    """The content of a gzip member.

    Raises:
        InvalidInputError: truncated, or not gzip.

    Example:
        >>> gunzip_bytes(gzip_bytes(b"text"))
        b'text'
    """
    try:
        return zlib.decompress(data, _GZIP)
    except zlib.error as error:
        raise InvalidInputError(f"got {len(data)} bytes, expected a complete gzip file: {error}") from error
