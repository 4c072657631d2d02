"""The blocks of a TIFF file: where each of its tiles or strips lies, and how its pixels are stored.

Classic TIFF and BigTIFF in either byte order (TIFF Revision 6.0, Adobe 1992; Technical Notes 1 and 3). Of a file whose
pixels are stored in another way than those here, nothing is said: GDAL reads it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Read = Callable[[int, int], bytes]
    """Bytes of the file from one position up to another; fewer at its end."""

NONE, LZW, DEFLATE, OLD_DEFLATE, ZSTD = 1, 5, 8, 32946, 50000
COMPRESSIONS: Final = frozenset({NONE, LZW, DEFLATE, OLD_DEFLATE, ZSTD})
NO_PREDICTOR, HORIZONTAL, FLOATING = 1, 2, 3
MOST_BLOCKS: Final = 2**22
"""Blocks of a file at most."""
LARGEST_BLOCK: Final = 2**29
"""Bytes of a decoded block at most."""
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_COUNTS, _PLANAR, _PREDICTOR = 273, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_COUNTS, _SAMPLE_FORMAT = 322, 323, 324, 325, 339
_MOST_TAGS: Final = 4096
_GRAY, _RGB = 1, 2
_TOGETHER, _APART = 1, 2
_NUMBERS: Final = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}
"""Type of a field → type of its numbers."""
_KINDS: Final = {1: "u", 2: "i", 3: "f"}
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 12: 8, 16: 8}
"""Type of a field → bytes of one of its values."""
_LONGEST: Final = 2**20
"""Bytes of a value that is no table of blocks, at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockTable:
    """Where the pixels of a TIFF's first image lie, in tiles or strips.

    Blocks are numbered in rows from the top left; those of the next band follow where bands lie apart.
    """

    height: int
    """Rows of the image."""
    width: int
    """Columns of the image."""
    bands: int
    block: tuple[int, int]
    """Rows and columns of a block; those of tiles at the right and lower edge reach beyond the image."""
    tiled: bool
    """Whether blocks are tiles; the last strip has only the rows that are left."""
    together: bool
    """Whether a block holds all bands, pixel by pixel."""
    dtype: np.dtype[Any]
    """Of the numbers, in the file's byte order."""
    compression: int
    predictor: int
    offsets: NDArray[np.uint64]
    """First byte of each block."""
    counts: NDArray[np.uint64]
    """Bytes of each block; 0 for one that is not stored, which holds nodata."""

    @property
    def across(self) -> int:
        """Blocks in a row."""
        return -(-self.width // self.block[1])

    @property
    def down(self) -> int:
        """Rows of blocks."""
        return -(-self.height // self.block[0])

    def number(self, row: int, column: int, band: int) -> int:
        """Number of a block.

        Args:
            row: of blocks.
            column: of blocks.
            band: counted from 1.
        """
        plane = 0 if self.together else band - 1
        return (plane * self.down + row) * self.across + column

    def shape(self, number: int) -> tuple[int, ...]:
        """Rows, columns and, where a block holds several bands, bands of a decoded block."""
        rows, columns = self.block
        if not self.tiled:
            rows = min(rows, self.height - number // self.across % self.down * rows)
        return (rows, columns, self.bands) if self.together and self.bands > 1 else (rows, columns)


def read_table(read: Read) -> BlockTable | None:
    """The blocks of a TIFF file.

    Args:
        read: bytes of the file between two positions.

    Returns:
        None for anything but tiles or strips of whole integers or floats, uncompressed or by deflate, LZW or zstd,
        with the predictors of their kind.

    Example:
        >>> read_table(lambda start, stop: b"no TIFF"[start:stop]) is None
        True
    """
    try:
        return block_table(directory(read), read)
    except (struct.error, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Directory:
    """The first directory of a TIFF."""

    order: str
    """Byte order and type of an offset, as of `struct`."""
    fields: dict[int, tuple[int, int, bytes]]
    """Tag → type, count, and the bytes of the value, or of its offset if it is longer than one."""


def directory(read: Read) -> Directory:
    r"""The first directory of a TIFF.

    Args:
        read: bytes of the file between two positions.

    Raises:
        ValueError: it is none; or `struct.error`, `KeyError`, as for `block_table`.

    Example:
        >>> directory(lambda start, stop: (b"II*\0\x08\0\0\0" + bytes(8))[start:stop]).fields
        {}
    """
    head = read(0, 16)
    order = {b"II": "<", b"MM": ">"}[head[:2]]
    (version,) = struct.unpack_from(f"{order}H", head, 2)
    if version == 42:
        start, many, entry, size = *struct.unpack_from(f"{order}I", head, 4), "H", "HHI4s", 4
    elif version == 43 and struct.unpack_from(f"{order}HH", head, 4) == (8, 0):
        start, many, entry, size = *struct.unpack_from(f"{order}Q", head, 8), "Q", "HHQ8s", 8
    else:
        raise ValueError(f"got version {version}, expected 42 or 43")
    one, first = struct.Struct(f"{order}{entry}"), struct.calcsize(f"{order}{many}")
    (count,) = struct.unpack(f"{order}{many}", read(start, start + first))
    if count > _MOST_TAGS:
        raise ValueError(f"got {count} tags, expected at most {_MOST_TAGS}")
    entries = one.iter_unpack(read(start + first, start + first + count * one.size))
    fields = {tag: (kind, number, value[:size]) for tag, kind, number, value in entries}
    if len(fields) != count:
        raise ValueError("got a tag twice")
    return Directory(order=order + ("I" if version == 42 else "Q"), fields=fields)


def value_bytes(found: Directory, tag: int, kind: int, read: Read) -> bytes:
    """The bytes of a value.

    Args:
        found: the directory.
        tag: of the field.
        kind: type that it should have, of numbers or text.
        read: bytes of the file between two positions.

    Raises:
        KeyError: there is no such field, or no such type.
        ValueError: it has another type, or is cut off.
    """
    said, count, value = found.fields[tag]
    size = count * _SIZES[kind]
    if said != kind or size > _LONGEST:
        raise ValueError(f"got type {said} of {count} in tag {tag}, expected type {kind}")
    if size > len(value):
        (start,) = struct.unpack(found.order, value)
        value = read(start, start + size)
    if len(value) < size:
        raise ValueError(f"tag {tag} is cut off")
    return value[:size]


def _numbers(order: str, field: tuple[int, int, bytes], read: Read) -> NDArray[np.uint64]:
    kind, count, value = field
    if count > MOST_BLOCKS:
        raise ValueError(f"got {count} numbers, expected at most {MOST_BLOCKS}")
    dtype = np.dtype(f"{order[0]}{_NUMBERS[kind]}")
    size = count * dtype.itemsize
    if size > len(value):
        (start,) = struct.unpack(order, value)
        value = read(start, start + size)
    return np.frombuffer(value, dtype, count).astype(np.uint64)


def block_table(found: Directory, read: Read) -> BlockTable | None:
    """The blocks of a TIFF whose directory is known; see `read_table`.

    Raises:
        ValueError: what it says is no image; or `struct.error`, `KeyError` and others that damaged files cause.
    """
    order, fields = found.order, found.fields

    def of(tag: int, default: int | None = None) -> int:
        """The one value of a field, which every band shares."""
        if tag not in fields and default is not None:
            return default
        found = set(_numbers(order, fields[tag], read).tolist())
        if len(found) != 1:
            raise ValueError(f"got {len(found)} values of tag {tag}, expected one")
        return int(found.pop())

    tiled = _TILE_WIDTH in fields
    height, width, bands = of(_LENGTH), of(_WIDTH), of(_SAMPLES, 1)
    planar = of(_PLANAR, _TOGETHER)
    dtype = np.dtype(f"{order[0]}{_KINDS[of(_SAMPLE_FORMAT, 1)]}{of(_BITS) // 8}")
    offsets, counts = (
        _numbers(order, fields[tag], read)
        for tag in ((_TILE_OFFSETS, _TILE_COUNTS) if tiled else (_STRIP_OFFSETS, _STRIP_COUNTS))
    )
    table = BlockTable(
        height=height,
        width=width,
        bands=bands,
        block=(of(_TILE_LENGTH), of(_TILE_WIDTH)) if tiled else (min(of(_ROWS_PER_STRIP, height), height), width),
        tiled=tiled,
        together=bands == 1 or planar == _TOGETHER,
        dtype=dtype,
        compression=of(_COMPRESSION, NONE),
        predictor=of(_PREDICTOR, NO_PREDICTOR),
        offsets=offsets,
        counts=counts,
    )
    plain = of(_FILL_ORDER, 1) == 1 and of(_PHOTOMETRIC) in {_GRAY, _RGB} and planar in {_TOGETHER, _APART}
    return table if plain and of(_BITS) == 8 * dtype.itemsize and _is_known(table) else None


def _is_known(table: BlockTable) -> bool:
    """Whether the pixels are stored in one of the ways that are decoded here, in as many blocks as there should be."""
    if min(table.height, table.width, table.bands, *table.block) < 1 or table.compression not in COMPRESSIONS:
        return False
    predictors = {NO_PREDICTOR, FLOATING} if table.dtype.kind == "f" else {NO_PREDICTOR, HORIZONTAL}
    blocks = table.across * table.down * (1 if table.together else table.bands)
    size = table.block[0] * table.block[1] * table.dtype.itemsize * (table.bands if table.together else 1)
    return (
        table.predictor in predictors
        and (table.predictor == NO_PREDICTOR or table.compression != NONE)
        and len(table.offsets) == len(table.counts) == blocks
        and size <= LARGEST_BLOCK
        and table.dtype.itemsize <= 8
        and (table.dtype.kind != "f" or table.dtype.itemsize >= 4)
        and not bool(((table.offsets == 0) & (table.counts > 0)).any())
    )
