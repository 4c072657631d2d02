"""A block decodes to the pixels that were encoded, or to nothing if it is not whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.store.rasters.codec import decode_block
from landloom.store.rasters.table import BlockTable, read_table

if TYPE_CHECKING:
    from collections.abc import Callable

GRID = Grid.of_bounds(32633, (500_000, 5_000_000, 501_280, 5_001_280), 10)
PIXELS = np.random.default_rng(1).integers(0, 99, GRID.shape, np.uint16)
DATA = encode_cog(PIXELS, GRID, block=128)


def block() -> tuple[BlockTable, bytes]:
    table = read_table(lambda start, stop: DATA[start:stop])
    assert table is not None
    start, size = int(table.offsets[0]), int(table.counts[0])
    return table, DATA[start : start + size]


def test_a_whole_block_is_its_pixels() -> None:
    table, data = block()
    np.testing.assert_array_equal(decode_block(table, 0, memoryview(data)), PIXELS)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:0],
        lambda data: data[:20] + b"\xff" + data[21:],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    ],
)
def test_what_is_not_whole_is_nothing(damage: Callable[[bytes], bytes]) -> None:
    table, data = block()
    assert decode_block(table, 0, damage(data)) is None
