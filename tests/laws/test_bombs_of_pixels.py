"""Law: a raster that states more pixels, bands or bits than it holds costs little; it is refused, or read."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.readers import Limited

pytestmark = pytest.mark.slow
MILLION: Final = 1_000_000
_UTM: Final = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633)


def _tiff(changes: Mapping[int, tuple[str, tuple[Any, ...]]], strip: bytes = b"\0" * 100, order: str = "<") -> bytes:
    """A GeoTIFF of 10 x 10 bytes with some of its tags changed: tag → code of struct, values."""
    tags: dict[int, tuple[str, tuple[Any, ...]]] = {
        256: ("I", (10,)),
        257: ("I", (10,)),
        258: ("H", (8,)),
        259: ("H", (1,)),
        262: ("H", (1,)),
        273: ("I", (0,)),
        277: ("H", (1,)),
        278: ("I", (10,)),
        279: ("I", (len(strip),)),
        284: ("H", (1,)),
        339: ("H", (1,)),
        33550: ("d", (10.0, 10.0, 0.0)),
        33922: ("d", (0.0, 0.0, 0.0, 500_000.0, 5_000_000.0, 0.0)),
        34735: ("H", _UTM),
    } | dict(changes)
    tags = {tag: value for tag, value in tags.items() if value[1]}
    place = 8 + 2 + 12 * len(tags) + 4
    kinds = {"B": 1, "H": 3, "I": 4, "d": 12}
    entries, outside = b"", b""
    where = place + sum(len(v) * struct.calcsize(k) for k, v in tags.values() if len(v) * struct.calcsize(k) > 4)
    for tag, (kind, values) in sorted(tags.items()):
        own = (where,) * len(values) if tag in {273, 324} else values
        data = struct.pack(f"{order}{len(own)}{kind}", *own)
        field = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(f"{order}I", place + len(outside))
        outside += data if len(data) > 4 else b""
        entries += struct.pack(f"{order}HHI", tag, kinds[kind], len(own)) + field
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(f"{order}I", 8) + struct.pack(f"{order}H", len(tags))
    return head + entries + bytes(4) + outside + strip


def _looped(data: bytes) -> bytes:
    end = 10 + 12 * 14
    return data[:end] + b"\x08\0\0\0" + data[end + 4 :]


def _jp2(width: int, height: int, tile: int, bands: int = 1) -> bytes:
    """A JPEG 2000 codestream of that size with one tile that holds nothing."""
    size = struct.pack(">HHIIIIIIIIH", 38 + 3 * bands, 0, width, height, 0, 0, tile, tile, 0, 0, bands)
    siz = b"\xff\x51" + size + b"\x07\x01\x01" * bands
    cod = b"\xff\x52" + struct.pack(">HBBHBBBBBB", 12, 0, 0, 1, 0, 0, 4, 4, 0, 1)
    qcd = b"\xff\x5c" + struct.pack(">HBB", 4, 0x40, 0x40)
    sot = b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 14, 0, 1)
    return b"\xff\x4f" + siz + cod + qcd + sot + b"\xff\x93" + b"\xff\xd9"


def _boxed(codestream: bytes, width: int, height: int) -> bytes:
    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(data), kind) + data

    header = box(b"ihdr", struct.pack(">IIHBBBB", height, width, 1, 7, 7, 0, 0))
    header += box(b"colr", struct.pack(">BBBI", 1, 0, 0, 17))
    return (
        box(b"jP  ", b"\r\n\x87\n")
        + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
        + box(b"jp2h", header)
        + box(b"jp2c", codestream)
    )


_ZEROS: Final = zlib.compress(bytes(50 * MILLION), 9)
"""50 MB in 50 kB."""

RASTERS: Final[dict[str, Callable[[], bytes]]] = {
    "a million a side": lambda: _tiff({256: ("I", (MILLION,)), 257: ("I", (MILLION,)), 278: ("I", (MILLION,))}),
    "a million a side, deflate": lambda: _tiff(
        {256: ("I", (MILLION,)), 257: ("I", (MILLION,)), 278: ("I", (MILLION,)), 259: ("H", (8,))}, _ZEROS
    ),
    "a million a side, strips of a row": lambda: _tiff(
        {256: ("I", (MILLION,)), 257: ("I", (MILLION,)), 278: ("I", (1,))}
    ),
    "a million a side, one tile": lambda: _tiff(
        {
            256: ("I", (MILLION,)),
            257: ("I", (MILLION,)),
            273: ("I", ()),
            278: ("I", ()),
            279: ("I", ()),
            322: ("I", (MILLION,)),
            323: ("I", (MILLION,)),
            324: ("I", (0,)),
            325: ("I", (100,)),
        }
    ),
    "a tile of 40,000 a side": lambda: _tiff(
        {
            **dict.fromkeys((256, 257, 322, 323), ("I", (40000,))),
            **dict.fromkeys((273, 278, 279), ("I", ())),
            259: ("H", (8,)),
            324: ("I", (0,)),
            325: ("I", (len(_ZEROS),)),
        },
        _ZEROS,
    ),
    "2^31 - 1 a side": lambda: _tiff({256: ("I", (2**31 - 1,)), 257: ("I", (2**31 - 1,)), 278: ("I", (2**31 - 1,))}),
    "no width": lambda: _tiff({256: ("I", (0,))}),
    "10^9 rows of one pixel": lambda: _tiff({256: ("I", (1,)), 257: ("I", (10**9,)), 278: ("I", (10**9,))}),
    "30,000 a side in 50 kB": lambda: _tiff(
        {256: ("I", (30_000,)), 257: ("I", (30_000,)), 278: ("I", (30_000,)), 259: ("H", (8,))}, _ZEROS
    ),
    "18,433 bands": lambda: _tiff({277: ("H", (18_433,)), 284: ("H", (2,))}),
    "65,535 bands with a type each": lambda: _tiff(
        {277: ("H", (65_535,)), 258: ("H", (16,) * 65_535), 339: ("H", (1,) * 65_535)}
    ),
    "18,433 bands, big-endian": lambda: _tiff({277: ("H", (18_433,))}, order=">"),
    "rows of strips: 0": lambda: _tiff({278: ("I", (0,))}),
    "sample format 7": lambda: _tiff({339: ("H", (7,))}),
    "complex samples": lambda: _tiff({339: ("H", (6,)), 258: ("H", (128,))}, b"\0" * 1600),
    "12 bits": lambda: _tiff({258: ("H", (12,))}, b"\0" * 150),
    "65,535 bits": lambda: _tiff({258: ("H", (65_535,))}),
    "no bits": lambda: _tiff({258: ("H", (0,))}),
    "half floats": lambda: _tiff({339: ("H", (3,)), 258: ("H", (16,))}, b"\0" * 200),
    "predictor 7": lambda: _tiff({317: ("H", (7,)), 259: ("H", (8,))}, zlib.compress(bytes(100))),
    "compression 34,712": lambda: _tiff({259: ("H", (34_712,))}),
    "a strip at 4 GB": lambda: _tiff({279: ("I", (2**32 - 1,))}),
    "pixels of no size": lambda: _tiff({33550: ("d", (0.0, 0.0, 0.0))}),
    "pixels of NaN": lambda: _tiff({33550: ("d", (float("nan"), float("inf"), 0.0))}),
    "a directory that is its own next": lambda: _looped(_tiff({})),
    "JPEG 2000, a million a side in one tile": lambda: _jp2(MILLION, MILLION, MILLION),
    "JPEG 2000, a million a side in tiles of one": lambda: _jp2(MILLION, MILLION, 1),
    "JPEG 2000, a million a side in tiles of 4,096": lambda: _jp2(MILLION, MILLION, 4096),
    "JPEG 2000, a million a side in tiles of 4,096, 16,384 bands": lambda: _jp2(MILLION, MILLION, 4096, 16_384),
    "JPEG 2000, 40,000 a side in one tile": lambda: _jp2(40_000, 40_000, 40_000),
    "JPEG 2000, 2^31 a side": lambda: _jp2(2**31, 2**31, 2**31),
    "JPEG 2000, 16,384 bands": lambda: _jp2(1024, 1024, 1024, 16_384),
    "JPEG 2000 in boxes, a million a side": lambda: _boxed(_jp2(MILLION, MILLION, 1024), MILLION, MILLION),
}


@pytest.mark.parametrize("reader", ["geotiff", "raster"])
@pytest.mark.parametrize("bomb", RASTERS)
def test_a_raster_that_says_more_than_it_holds_is_bounded(
    limited: Limited, tmp_path: Path, reader: str, bomb: str
) -> None:
    """Sizes, bands and types that no file of so few bytes can hold."""
    data = RASTERS[bomb]()
    path = tmp_path / ("bomb.jp2" if bomb.startswith("JPEG") else "bomb.tif")
    path.write_bytes(data)
    (result,) = limited.read(reader, [path])
    assert result.fault is None
