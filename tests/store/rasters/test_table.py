"""The table of a TIFF's blocks says where its pixels lie, whatever its layout, and nothing of what it does not know."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rasters import flipped, layouts, write_layout

from landloom.store.rasters.codec import decode_block
from landloom.store.rasters.table import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.store.rasters.table import BlockTable

FEW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


def table_of(data: bytes) -> BlockTable | None:
    return read_table(lambda start, stop: data[start:stop])


def pixels(data: bytes, table: BlockTable, band: int) -> NDArray[Any]:
    """A band, put together of its blocks."""
    rows, columns = table.block
    whole = np.zeros((table.down * rows, table.across * columns), table.dtype.newbyteorder("="))
    for row in range(table.down):
        for column in range(table.across):
            number = table.number(row, column, band)
            start, size = int(table.offsets[number]), int(table.counts[number])
            block = decode_block(table, number, data[start : start + size])
            assert block is not None
            part = block[:, :, band - 1] if block.ndim == 3 else block
            whole[row * rows : row * rows + len(part), column * columns : (column + 1) * columns] = part
    return whole[: table.height, : table.width]


@FEW
@given(layouts().map(lambda one: one | {"sparse_ok": False}))
def test_blocks_are_the_pixels_that_were_written(tmp_path: Path, options: dict[str, Any]) -> None:
    array = write_layout(tmp_path / "a.tif", options)
    data = (tmp_path / "a.tif").read_bytes()
    table = table_of(data)
    assert table is not None
    assert (table.bands, table.height, table.width) == array.shape
    for band in range(1, table.bands + 1):
        np.testing.assert_array_equal(pixels(data, table, band), array[band - 1])


@FEW
@given(layouts(), st.lists(st.integers(0, 8 * 400), max_size=6), st.integers(0, 600))
def test_damaged_headers_are_read_or_told_of_by_nothing(
    tmp_path: Path, options: dict[str, Any], places: list[int], size: int
) -> None:
    write_layout(tmp_path / "a.tif", options)
    data = flipped((tmp_path / "a.tif").read_bytes(), places)
    for kept in (data, data[:size]):
        table = table_of(kept)
        assert table is None or len(table.offsets) == len(table.counts) > 0


def test_no_more_is_read_than_a_table_may_hold() -> None:
    """A header of a hundred bytes that claims a billion offsets."""
    fields = [
        (256, 4, 1, 2**30),
        (257, 4, 1, 2**20),
        (258, 3, 1, 8),
        (262, 3, 1, 1),
        (324, 4, 2**30, 8),
        (325, 4, 2**30, 8),
    ]
    fields += [(322, 3, 1, 16), (323, 3, 1, 16)]
    entries = b"".join(struct.pack("<HHII", *one) for one in sorted(fields))
    data = struct.pack("<2sHIH", b"II", 42, 8, len(fields)) + entries + bytes(4)
    asked: list[int] = []

    def read(start: int, stop: int) -> bytes:
        asked.append(stop - start)
        return data[start:stop]

    assert read_table(read) is None
    assert max(asked) < 1000
