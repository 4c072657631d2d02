"""The structure of a TIFF file: tags to bytes and back.

Only the part that GeoTIFF needs: little-endian classic TIFF, of strips with one directory, or of tiles with another for
each overview (TIFF Revision 6.0, Adobe 1992).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUBFILE: Final = 254
WIDTH: Final = 256
LENGTH: Final = 257
BITS: Final = 258
COMPRESSION: Final = 259
PHOTOMETRIC: Final = 262
STRIP_OFFSETS: Final = 273
SAMPLES: Final = 277
ROWS_PER_STRIP: Final = 278
STRIP_COUNTS: Final = 279
PLANAR: Final = 284
PREDICTOR: Final = 317
COLOUR_MAP: Final = 320
TILE_WIDTH: Final = 322
TILE_LENGTH: Final = 323
TILE_OFFSETS: Final = 324
TILE_COUNTS: Final = 325
EXTRA_SAMPLES: Final = 338
SAMPLE_FORMAT: Final = 339
PIXEL_SCALE: Final = 33550
TIEPOINT: Final = 33922
GEO_KEYS: Final = 34735
GDAL_METADATA: Final = 42112
GDAL_NODATA: Final = 42113

Value = bytes | tuple[int, ...] | tuple[float, ...]
"""Text as bytes with its terminating NUL, or numbers."""

_HEADER: Final = struct.Struct("<2sHI")
_ENTRY: Final = struct.Struct("<HHI4s")
_ASCII, _SHORT, _LONG, _DOUBLE = 2, 3, 4, 12
_CODES: Final = {1: "B", _ASCII: "s", _SHORT: "H", _LONG: "I", _DOUBLE: "d"}
_SHORTS: Final = {
    BITS,
    COMPRESSION,
    PHOTOMETRIC,
    SAMPLES,
    PLANAR,
    PREDICTOR,
    COLOUR_MAP,
    EXTRA_SAMPLES,
    SAMPLE_FORMAT,
    GEO_KEYS,
}
_DOUBLES: Final = {PIXEL_SCALE, TIEPOINT}
_LARGEST: Final = 2**32 - 1
FRAME: Final = 4
"""Bytes before a tile of `write_tiled`, and behind it."""


def _packed(tag: int, value: Value) -> tuple[int, int, bytes]:
    """Type, count and bytes of a value."""
    if isinstance(value, bytes):
        return _ASCII, len(value), value
    kind = _SHORT if tag in _SHORTS else _DOUBLE if tag in _DOUBLES else _LONG
    return kind, len(value), struct.pack(f"<{len(value)}{_CODES[kind]}", *value)


def write_tiff(tags: Mapping[int, Value], strips: Sequence[bytes]) -> bytes:
    """Encode a TIFF file with one directory: header, directory, values, strips.

    Args:
        tags: every tag except the offsets and byte counts of the strips.
        strips: the pixels, encoded.

    Raises:
        InvalidValueError: more than the 4 GiB of a classic TIFF.
    """
    return _written([(tags, strips)], (STRIP_OFFSETS, STRIP_COUNTS), b"")


def write_tiled(images: Sequence[tuple[Mapping[int, Value], Sequence[bytes]]], note: bytes = b"") -> bytes:
    """Encode a TIFF file with a directory for each image, all before the first tile.

    Tiles of the last image come first; each has its length before it and its last four bytes again behind it, so that
    whoever reads a tile sees where it ends without asking for its length.

    Args:
        images: every tag except the offsets and byte counts of the tiles, and the tiles, encoded; the largest first.
        note: bytes between header and first directory.

    Raises:
        InvalidValueError: more than the 4 GiB of a classic TIFF.
    """
    return _written(images, (TILE_OFFSETS, TILE_COUNTS), note, framed=True)


def tiled_head(tags: Mapping[int, Value], counts: Sequence[int], note: bytes = b"") -> tuple[bytes, tuple[int, ...]]:
    """All that `write_tiled` puts before the tiles of a single image, and the first byte of each tile.

    Args:
        tags: every tag except the offsets and byte counts of the tiles.
        counts: bytes of each tile, encoded.
        note: bytes between header and first directory.

    Raises:
        InvalidValueError: more than the 4 GiB of a classic TIFF.
    """
    head, starts = _headed([(tags, counts)], (TILE_OFFSETS, TILE_COUNTS), note, FRAME)
    return head, starts[0]


def _written(
    images: Sequence[tuple[Mapping[int, Value], Sequence[bytes]]],
    names: tuple[int, int],
    note: bytes,
    *,
    framed: bool = False,
) -> bytes:
    counted = [(tags, [len(block) for block in blocks]) for tags, blocks in images]
    head, _ = _headed(counted, names, note, FRAME * framed)
    data = [framed_block(block) if framed else block for _, blocks in reversed(images) for block in blocks]
    return b"".join([head, *data])


def _headed(
    images: Sequence[tuple[Mapping[int, Value], Sequence[int]]], names: tuple[int, int], note: bytes, frame: int
) -> tuple[bytes, list[tuple[int, ...]]]:
    """Header, note and directories; and the first byte of each block of each image."""
    note += bytes(len(note) % 2)
    packed, starts, position = [], [], _HEADER.size + len(note)
    for tags, counts in images:
        placed = dict(tags) | {names[0]: (0,) * len(counts), names[1]: tuple(counts)}
        packed.append({tag: _packed(tag, placed[tag]) for tag in sorted(placed)})
        starts.append(position)
        position += _size(packed[-1])
    starts.append(0)
    offsets: list[tuple[int, ...]] = [()] * len(images)
    for index, (_, counts) in reversed([*enumerate(images)]):
        spans = [count + 2 * frame for count in counts]
        offsets[index] = _running(position + frame, spans)
        packed[index][names[0]] = _packed(names[0], offsets[index])
        position += sum(spans)
    if position > _LARGEST:
        raise InvalidValueError(f"got {position} bytes, expected at most the {_LARGEST} of a classic TIFF")
    pieces = [_directory(one, start, after) for one, start, after in zip(packed, starts, starts[1:], strict=False)]
    return b"".join([_HEADER.pack(b"II", 42, starts[0]), note, *pieces]), offsets


def framed_block(block: bytes) -> bytes:
    """A tile with its length before it and its last bytes again behind it, each of `FRAME` bytes."""
    return b"".join((struct.pack("<I", len(block)), block, block[-4:]))


def _size(packed: Mapping[int, tuple[int, int, bytes]]) -> int:
    outside = sum(len(data) + len(data) % 2 for _, _, data in packed.values() if len(data) > 4)
    return 2 + len(packed) * _ENTRY.size + 4 + outside


def _directory(packed: Mapping[int, tuple[int, int, bytes]], start: int, after: int) -> bytes:
    """A directory that starts at an offset, and the values outside of it; `after` is the offset of the next, or 0."""
    position = start + 2 + len(packed) * _ENTRY.size + 4
    entries, values = [struct.pack("<H", len(packed))], []
    for tag, (kind, count, data) in packed.items():
        field = data
        if len(data) > 4:
            field = struct.pack("<I", position)
            values.append(data + bytes(len(data) % 2))
            position += len(values[-1])
        entries.append(_ENTRY.pack(tag, kind, count, field))
    return b"".join([*entries, struct.pack("<I", after), *values])


def _running(start: int, counts: Sequence[int]) -> tuple[int, ...]:
    offsets = []
    for count in counts:
        offsets.append(start)
        start += count
    return tuple(offsets)


def read_tags(data: bytes | memoryview) -> dict[int, Value] | None:
    r"""The tags of a file's first directory.

    Returns:
        Tag → value; None unless it is a little-endian classic TIFF with one directory and the types written here.

    Example:
        >>> file = write_tiff({WIDTH: (2,), GDAL_NODATA: bytes([48, 0])}, [b"ab"])
        >>> tags = read_tags(file)
        >>> tags[WIDTH], tags[GDAL_NODATA], tags[STRIP_COUNTS], file[tags[STRIP_OFFSETS][0] :]
        ((2,), b'0\x00', (2,), b'ab')
    """
    try:
        mark, version, directory = _HEADER.unpack_from(data, 0)
        if (mark, version) != (b"II", 42):
            return None
        (count,) = struct.unpack_from("<H", data, directory)
        end = directory + 2 + count * _ENTRY.size
        if struct.unpack_from("<I", data, end) != (0,):
            return None
        return dict(_read_entry(data, directory + 2 + index * _ENTRY.size) for index in range(count))
    except (struct.error, KeyError, OverflowError, MemoryError):
        return None


def band_count(data: bytes | memoryview) -> int:
    """Samples per pixel of the first directory of any TIFF; 1 where it states none, 0 for what is no TIFF.

    Example:
        >>> band_count(write_tiff({WIDTH: (2,), SAMPLES: (3,)}, [b"ab"])), band_count(b"none")
        (3, 0)
    """
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    try:
        version = 0 if order is None else struct.unpack_from(f"{order}H", data, 2)[0]
        if version not in (42, 43):
            return 0
        position, many, entry, number = (4, "H", 12, "I") if version == 42 else (8, "Q", 20, "Q")
        (start,) = struct.unpack_from(f"{order}{number}", data, position)
        (count,) = struct.unpack_from(f"{order}{many}", data, start)
        first = start + struct.calcsize(f"<{many}")
        for at in range(first, min(first + count * entry, len(data)), entry):
            tag, kind = struct.unpack_from(f"{order}HH", data, at)
            if tag == SAMPLES:
                code = {3: "H", 4: "I", 16: "Q"}.get(kind, "H")
                return int(struct.unpack_from(f"{order}{code}", data, at + (8 if version == 42 else 12))[0])
    except struct.error:
        return 0
    return 1


def _read_entry(data: bytes | memoryview, position: int) -> tuple[int, Value]:
    tag, kind, count, _ = _ENTRY.unpack_from(data, position)
    layout = struct.Struct(f"<{count}{_CODES[kind]}")
    at = position + 8
    if layout.size > 4:
        (at,) = struct.unpack_from("<I", data, at)
    value = layout.unpack_from(data, at)
    return tag, value[0] if kind == _ASCII else value
