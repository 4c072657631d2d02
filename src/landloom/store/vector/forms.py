"""What a file is, told by its first bytes, never by its name alone."""

from __future__ import annotations

import codecs
from enum import StrEnum
from typing import Final

from landloom.errors import InvalidInputError

HEAD: Final = 4096
"""Bytes that are looked at."""


class Form(StrEnum):
    """Forms of files, as messages call them."""

    GEOPACKAGE = "a GeoPackage"
    FLATGEOBUF = "FlatGeobuf"
    SHAPEFILE = "a shapefile"
    JSON = "GeoJSON or TopoJSON"
    KML = "KML"
    PARQUET = "Parquet"
    TEXT = "a table of text"
    TEXT_TO_RECODE = "text in UTF-16"
    ZIP = "a zip archive"
    GZIP = "gzip"
    RASTER = "a raster"
    PAGE = "a web page"
    PART = "a part of a shapefile: name the .shp"
    OTHER = "something else"


VECTORS: Final = "GeoPackage, GeoParquet, FlatGeobuf, shapefile, GeoJSON, TopoJSON, KML or CSV with geometry"
"""What can be read, in words."""
_SUFFIXES: Final = "gpkg parquet geoparquet pq fgb shp geojson json topojson geojsonl ndjson kml csv tsv"
PARTS: Final = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())
"""Suffixes of vector files in archives and folders."""
_MAGIC: Final = {
    b"SQLite format 3\x00": Form.GEOPACKAGE,
    b"fgb": Form.FLATGEOBUF,
    b"\x00\x00\x27\x0a": Form.SHAPEFILE,
    b"PAR1": Form.PARQUET,
    b"PK\x03\x04": Form.ZIP,
    b"PK\x05\x06": Form.ZIP,
    b"\x1f\x8b": Form.GZIP,
    b"II*\x00": Form.RASTER,
    b"MM\x00*": Form.RASTER,
    b"II+\x00": Form.RASTER,
    b"MM\x00+": Form.RASTER,
    b"\x00\x00\x00\x0cjP": Form.RASTER,
    b"\xff\x4f\xff\x51": Form.RASTER,
    b"EHFA_HEADER_TAG": Form.RASTER,
    b"\x89HDF": Form.RASTER,
    b"CDF": Form.RASTER,
    b"\x89PNG": Form.RASTER,
    b"\xff\xfe": Form.TEXT_TO_RECODE,
    b"\xfe\xff": Form.TEXT_TO_RECODE,
}


def form_of(head: bytes, name: str = "") -> Form:
    r"""What a file is.

    Args:
        head: its first bytes, `HEAD` of them where there are so many.
        name: of the file, which tells only the parts of a shapefile, and tables of text from other bytes.

    Example:
        >>> form_of(b'{"type": "FeatureCollection"'), form_of(b"II*\x00"), form_of(b"id;crop;wkt\n7;maize;")
        (<Form.JSON: 'GeoJSON or TopoJSON'>, <Form.RASTER: 'a raster'>, <Form.TEXT: 'a table of text'>)
    """
    suffix = name.lower().rpartition(".")[2]
    if suffix in {"dbf", "shx", "prj", "cpg", "sbn", "sbx"}:
        return Form.PART
    for magic, form in _MAGIC.items():
        if head.startswith(magic):
            return form
    bare = head.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n\x1e")
    if bare[:1] in (b"{", b"["):
        return Form.JSON
    if bare[:1] == b"<":
        return _markup(bare[:2048].lower())
    return Form.OTHER if b"\x00" in head and suffix not in {"csv", "tsv", "txt"} else Form.TEXT


def _markup(text: bytes) -> Form:
    if b"<vrtdataset" in text:
        return Form.RASTER
    if b"<!doctype html" in text or b"<html" in text:
        return Form.PAGE
    return Form.KML if b"<kml" in text else Form.OTHER


def refuse_encoding(name: str, form: Form, encoding: str | None) -> None:
    """Refuse an encoding told of a form of file that has no choice of it.

    Raises:
        InvalidInputError: it is told, and is not UTF-8.
    """
    if encoding is not None and encoding.lower().replace("-", "") != "utf8":
        raise InvalidInputError(f"{name}: got the encoding {encoding}, but {form.value} is in UTF-8: remove it")
