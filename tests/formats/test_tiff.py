"""Tags of TIFF files: what is written is read back, by us and by GDAL, and what is of another kind is none."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.io import MemoryFile

from landloom.formats import tiff
from landloom.formats.tiff import read_tags, write_tiff

DOUBLES = st.lists(st.floats(allow_nan=False), min_size=1, max_size=6).map(tuple)
SHORTS = st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=6).map(tuple)
LONGS = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6).map(tuple)
TAGS = st.fixed_dictionaries(
    {},
    optional={
        tiff.WIDTH: LONGS,
        tiff.BITS: SHORTS,
        tiff.SAMPLE_FORMAT: SHORTS,
        tiff.PIXEL_SCALE: DOUBLES,
        tiff.TIEPOINT: DOUBLES,
        tiff.GEO_KEYS: SHORTS,
        tiff.GDAL_NODATA: st.binary(min_size=1, max_size=9),
    },
)


@given(TAGS, st.lists(st.binary(max_size=9), min_size=1, max_size=4))
def test_tags_and_strips_come_back(tags: dict[int, tiff.Value], strips: list[bytes]) -> None:
    data = write_tiff(tags, strips)
    found = read_tags(data)
    assert found is not None
    offsets, counts = found.pop(tiff.STRIP_OFFSETS), found.pop(tiff.STRIP_COUNTS)
    assert found == tags
    places = zip(offsets, counts, strict=True)
    assert [data[int(start) : int(start) + int(count)] for start, count in places] == strips
    assert list(struct.unpack_from("<H", data, 8)) == [len(tags) + 2]


def test_gdal_opens_a_file_of_a_few_tags() -> None:
    pixels = np.arange(12, dtype="<u2").reshape(3, 4)
    tags: dict[int, tiff.Value] = {
        tiff.WIDTH: (4,),
        tiff.LENGTH: (3,),
        tiff.BITS: (16,),
        tiff.COMPRESSION: (1,),
        tiff.PHOTOMETRIC: (1,),
        tiff.SAMPLES: (1,),
        tiff.ROWS_PER_STRIP: (2,),
        tiff.SAMPLE_FORMAT: (1,),
        tiff.PIXEL_SCALE: (10.0, 10.0, 0.0),
        tiff.TIEPOINT: (0.0, 0.0, 0.0, 500_000.0, 5_000_000.0, 0.0),
        tiff.GDAL_NODATA: b"7\0",
    }
    with MemoryFile(write_tiff(tags, [pixels[:2].tobytes(), pixels[2:].tobytes()])) as file, file.open() as dataset:
        np.testing.assert_array_equal(dataset.read(1), pixels)
        assert dataset.nodata == 7
        assert tuple(dataset.transform)[:6] == (10, 0, 500_000, 0, -10, 5_000_000)


def test_tags_stand_in_rising_order_as_tiff_demands() -> None:
    data = write_tiff({tiff.GDAL_NODATA: b"0\0", tiff.WIDTH: (1,), tiff.BITS: (8,)}, [b"a"])
    numbers = [struct.unpack_from("<H", data, 10 + 12 * entry)[0] for entry in range(5)]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"II",
        b"MM\0*\0\0\0\x08",
        struct.pack("<2sHI", b"II", 43, 8),
        struct.pack("<2sHIHI", b"II", 42, 8, 0, 99),
        struct.pack("<2sHIHHHI4sI", b"II", 42, 8, 1, 256, 13, 1, b"abcd", 0),
        struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 256, 4, 9, 10_000, 0),
    ],
    ids=["empty", "short", "big-endian", "BigTIFF", "two directories", "another type", "beyond the end"],
)
def test_another_kind_of_file_is_none(data: bytes) -> None:
    assert read_tags(data) is None


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    read_tags(b"II*\0\x08\0\0\0" + data)
