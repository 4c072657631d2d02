"""What a plain GeoTIFF says of itself, without GDAL: tiles in a zone of UTM, with nothing that only GDAL understands.

Opening a file costs GDAL more than decoding a block of it, and a month of one tile is 156 files. A file is plain if
every one of its tags and GeoKeys is known here and says what is usual (GeoTIFF 1.1, OGC 19-008); of any other file
nothing is said, so that GDAL opens it. Tests compare both over random layouts, damaged files and real archives.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError
from landloom.model.grid import Grid
from landloom.store.rasters.table import block_table, directory, value_bytes

if TYPE_CHECKING:
    from landloom.store.rasters.table import BlockTable, Directory, Read

_SCALE, _TIEPOINT, _KEYS, _CITATIONS, _METADATA, _NODATA = 33550, 33922, 34735, 34737, 42112, 42113
_SAMPLES, _EXTRA = 277, 338
_TAGS: Final = frozenset(
    {
        *(256, 257, 258, 259, 262, _SAMPLES, 284, 317, 322, 323, 324, 325, _EXTRA, 339),
        *(_SCALE, _TIEPOINT, _KEYS, _CITATIONS, _METADATA, _NODATA),
    }
)
_SHORT, _ASCII, _DOUBLE = 3, 2, 12
_IN_PLACE: Final = 0
_PROJECTED: Final = 3072
_USUAL: Final = {1024: {1}, 1025: {1}, 2048: {4326}, 2054: {9102}, 3076: {9001}}
"""GeoKey → values that change nothing: projected, pixels are areas, WGS84, degrees, metres."""
_NAMES: Final = frozenset({1026, 2049, 3073})
"""GeoKeys of names."""
_ZONES: Final = frozenset({*range(32601, 32661), *range(32701, 32761)})
_WHOLE: Final = re.compile(rb"-?\d{1,9}\0?")
_STEP: Final = 16
"""Sides of tiles are multiples of this."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlainTiff:
    """A plain GeoTIFF."""

    table: BlockTable
    grid: Grid
    nodata: float | None
    """Of all bands."""


def plain_tiff(read: Read) -> PlainTiff | None:
    """What a plain GeoTIFF says; None of any other file.

    Args:
        read: bytes of the file between two positions.

    Example:
        >>> plain_tiff(lambda start, stop: b"no TIFF"[start:stop]) is None
        True
    """
    try:
        found = directory(read)
        if not found.fields.keys() <= _TAGS:
            return None
        table = block_table(found, read)
        if table is None or not table.tiled or table.dtype.itemsize > 4 or any(side % _STEP for side in table.block):
            return None
        return _described(found, table, read)
    except (struct.error, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError):
        return None


def _described(found: Directory, table: BlockTable, read: Read) -> PlainTiff | None:
    epsg = _epsg(found, read)
    wide, high, depth = _doubles(found, _SCALE, 3, read)
    column, row, level, west, north, height = _doubles(found, _TIEPOINT, 6, read)
    if epsg is None or column or row or level or height or depth or not _is_usual(found, table, read):
        return None
    try:
        grid = Grid.of_transform(epsg, (wide, 0.0, west, 0.0, -high, north), (table.height, table.width))
    except InvalidValueError:
        return None
    if _NODATA not in found.fields:
        return PlainTiff(table=table, grid=grid, nodata=None)
    nodata = _nodata(found, table.dtype, read)
    return None if nodata is None else PlainTiff(table=table, grid=grid, nodata=nodata)


def _is_usual(found: Directory, table: BlockTable, read: Read) -> bool:
    """Whether bands have no names and scales of their own, nor any that mean something else."""
    if _METADATA in found.fields and b"role" in value_bytes(found, _METADATA, _ASCII, read):
        return False
    extra = found.fields.get(_EXTRA)
    return extra is None or extra[:2] == (_SHORT, table.bands - 1)


def _doubles(found: Directory, tag: int, count: int, read: Read) -> tuple[float, ...]:
    values = struct.unpack(f"{found.order[0]}{count}d", value_bytes(found, tag, _DOUBLE, read))
    if not np.isfinite(values).all():
        raise ValueError(f"got {values} in tag {tag}, expected numbers")
    return values


def _epsg(found: Directory, read: Read) -> int | None:
    """Code of a zone of UTM; None if the GeoKeys say anything else, or more."""
    data = value_bytes(found, _KEYS, _SHORT, read)
    keys = struct.unpack(f"{found.order[0]}{len(data) // 2}H", data)
    names = value_bytes(found, _CITATIONS, _ASCII, read) if _CITATIONS in found.fields else b""
    if keys[:2] != (1, 1) or keys[2] > 1 or len(keys) != 4 + 4 * keys[3] or b"=" in names:
        return None
    entries = [keys[at : at + 4] for at in range(4, len(keys), 4)]
    said = {key: (place, count, value) for key, place, count, value in entries}
    epsg = said.pop(_PROJECTED, (0, 0, 0))[2]
    usual = all(
        place == _CITATIONS and value + count <= len(names)
        if key in _NAMES
        else (place, count) == (_IN_PLACE, 1) and value in _USUAL.get(key, ())
        for key, (place, count, value) in said.items()
    )
    whole = {1024, 1025} <= said.keys() and len(said) + 1 == len(entries)
    return epsg if usual and whole and epsg in _ZONES else None


def _nodata(found: Directory, dtype: np.dtype[np.generic], read: Read) -> float | None:
    """A whole number that the type of the pixels has; None for anything else."""
    text = value_bytes(found, _NODATA, _ASCII, read)
    if not _WHOLE.fullmatch(text):
        return None
    value = int(text.rstrip(b"\0"))
    if dtype.kind == "f":
        return float(value) if abs(value) < 2**24 else None
    limits = np.iinfo(dtype.str)
    return float(value) if limits.min <= value <= limits.max else None
