"""Many windows of one file: the numbers of single reads, and no tile decoded twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidValueError, PermanentFaultError
from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.simulate.safe.images import encode_jp2
from landloom.store.raster import open_raster
from landloom.store.window_reads import TileCache, _inside, _runs, read_open_windows, read_windows

if TYPE_CHECKING:
    from pathlib import Path

GRID = Grid.of_bounds(32633, (300_000, 5_000_000, 302_000, 5_001_500), 10)
NUMBERS = np.random.default_rng(3).integers(1, 9_999, GRID.shape).astype(np.uint16)
WINDOWS = st.lists(
    st.builds(GRID.window, st.integers(-40, 160), st.integers(-40, 210), st.integers(1, 70), st.integers(1, 70)),
    max_size=12,
)


@pytest.fixture(scope="module", params=["jp2", "tif"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("windows") / f"B04.{request.param}"
    jp2 = request.param == "jp2"
    file.write_bytes(encode_jp2(NUMBERS, GRID, block=64) if jp2 else encode_cog(NUMBERS, GRID, nodata=0, block=64))
    return str(file)


@given(windows=WINDOWS)
def test_windows_hold_what_single_reads_hold(path: str, windows: list[Grid]) -> None:
    with open_raster(path) as raster:
        found = read_open_windows(raster, windows, fill=7)
        single = [raster.read(window, fill=7) for window in windows]
    assert len(found) == len(windows)
    for one, other in zip(found, single, strict=True):
        assert one.dtype == np.uint16
        assert np.array_equal(one, other)


@given(windows=WINDOWS)
def test_no_tile_is_asked_for_twice(windows: list[Grid]) -> None:
    parts = _inside(GRID, windows, [window.offset_in(GRID) for window in windows])
    for first in range(0, GRID.height, 64):
        row = [part for part in parts if part.top < first + 64 and part.bottom > first]
        spans = [(left, right) for left, right, _ in _runs(row, 64, GRID.width)]
        tiles = [tile for left, right in spans for tile in range(left // 64, -(-right // 64))]
        assert all(left % 64 == 0 for left, _ in spans)
        assert len(tiles) == len(set(tiles))
        assert set(tiles) == {tile for part in row for tile in range(part.left // 64, (part.right - 1) // 64 + 1)}


def test_mistakes_are_named(path: str) -> None:
    with pytest.raises(PermanentFaultError, match="no band 2"):
        read_windows(path, [], band=2)
    with pytest.raises(InvalidValueError, match="pixel edges"):
        read_windows(path, [GRID.at(20)])
    assert read_windows(path, []) == []


@given(windows=WINDOWS, limit=st.sampled_from([1, 20_000, 10**9]))
def test_cached_tiles_hold_what_single_reads_hold(path: str, windows: list[Grid], limit: int) -> None:
    cache = TileCache(limit)
    with open_raster(path) as raster:
        for window in windows:
            assert np.array_equal(cache.read(raster, window, fill=7), raster.read(window, fill=7))
            assert cache.held <= max(limit, 64 * 64 * 2)


def test_blocks_in_rows_decode_each_tile_once_from_a_cache_of_two_rows(path: str) -> None:
    """Blocks of two tiles a side that lie across the tiles, as the samples of a series are read."""
    tiles = -(-GRID.height // 64) * -(-GRID.width // 64)
    cache = TileCache(limit=2 * 64 * GRID.width * 2)
    with open_raster(path) as raster:
        for row in range(-30, GRID.height, 128):
            for column in range(-50, GRID.width, 128):
                cache.read(raster, GRID.window(row, column, 128, 128))
    assert cache.decoded == tiles
    assert cache.held < GRID.height * GRID.width * 2


def test_a_cache_names_mistakes_too(path: str) -> None:
    with open_raster(path) as raster:
        with pytest.raises(PermanentFaultError, match="no band 2"):
            TileCache().read(raster, GRID, band=2)
        with pytest.raises(InvalidValueError, match="pixel edges"):
            TileCache().read(raster, GRID.at(20))
