"""Headers of remote files are asked for once; a file that is replaced is never read by the header of another."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.store.network.headers import Header, Headers, StaleHeaderError, kept_headers
from landloom.store.patience import Patience
from landloom.store.raster import open_raster
from landloom.store.versions import Version

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web import FaultyServer

GRID = Grid.of_bounds(32633, (500_000, 5_000_000, 507_000, 5_006_000), 10)
PIXELS = np.random.default_rng(5).integers(0, 9000, (1, *GRID.shape), np.uint16)
CORNER = GRID.window(400, 500, 100, 100)
HASTY = Patience(attempts=1, first_wait=0, longest_wait=0)
KNOWN = Version(size=900, etag='"1"')


def serve(faulty: FaultyServer, pixels: np.ndarray, version: str, block: int = 128) -> str:
    """A file larger than what is asked for at first; returns its address."""
    (faulty.root / "a.tif").write_bytes(encode_cog(pixels, GRID, nodata=0, block=block, overviews=False))
    faulty.stamps = {"ETag": f'"{version}"'}
    return f"{faulty.address}/a.tif"


def corner(href: str, folder: Path, *, afresh: bool = False) -> np.ndarray:
    """Pixels far from the beginning of the file."""
    with kept_headers(folder, afresh=afresh), open_raster(href, patience=HASTY) as raster:
        return raster.read(CORNER)


def test_a_file_is_opened_once(faulty: FaultyServer, tmp_path: Path) -> None:
    href = serve(faulty, PIXELS, "1")
    wanted = PIXELS[0, 400:500, 500:600]
    np.testing.assert_array_equal(corner(href, tmp_path), wanted)
    first = len(faulty.requests)
    np.testing.assert_array_equal(corner(f"{href}?sig=other", tmp_path), wanted)
    assert len(faulty.requests) == 2 * first - 1
    with kept_headers(tmp_path), open_raster(href) as raster:
        assert (raster.grid, raster.nodata, raster.block_shape()) == (GRID, 0, (128, 128))
    assert len(faulty.requests) == 2 * first - 1


@pytest.mark.parametrize("block", [128, 256])
def test_a_replaced_file_is_noticed_at_the_first_answer(faulty: FaultyServer, tmp_path: Path, block: int) -> None:
    href = serve(faulty, PIXELS, "1")
    corner(href, tmp_path)
    serve(faulty, PIXELS + 1, "2", block)
    with pytest.raises(StaleHeaderError):
        corner(href, tmp_path)
    np.testing.assert_array_equal(corner(href, tmp_path), PIXELS[0, 400:500, 500:600] + 1)


def test_a_file_that_is_gone_is_stale_and_then_missing(faulty: FaultyServer, tmp_path: Path) -> None:
    href = serve(faulty, PIXELS, "1")
    corner(href, tmp_path)
    (faulty.root / "a.tif").unlink()
    with pytest.raises(StaleHeaderError):
        corner(href, tmp_path)
    with pytest.raises(PermanentFaultError, match="404"):
        corner(href, tmp_path)


def test_a_server_in_trouble_does_not_make_a_header_stale(faulty: FaultyServer, tmp_path: Path) -> None:
    href = serve(faulty, PIXELS, "1")
    corner(href, tmp_path)
    faulty.fail()
    with pytest.raises(TransientFaultError, match="503") as caught:
        corner(href, tmp_path)
    assert not isinstance(caught.value, StaleHeaderError)
    faulty.heal()
    faulty.requests.clear()
    corner(href, tmp_path)
    assert len(faulty.requests) == 1


def test_what_was_truncated_is_asked_whether_it_still_is(faulty: FaultyServer, tmp_path: Path) -> None:
    href = serve(faulty, PIXELS, "1")
    whole = (faulty.root / "a.tif").read_bytes()
    (faulty.root / "a.tif").write_bytes(whole[: len(whole) // 2])
    for _ in range(2):
        with pytest.raises(PermanentFaultError, match="truncated"):
            corner(href, tmp_path)
    (faulty.root / "a.tif").write_bytes(whole)
    with pytest.raises(StaleHeaderError):
        corner(href, tmp_path)
    np.testing.assert_array_equal(corner(href, tmp_path, afresh=True), PIXELS[0, 400:500, 500:600])


@pytest.mark.parametrize("stamps", [{}, {"ETag": 'W/"1"'}])
def test_a_file_without_a_version_is_opened_every_time(
    faulty: FaultyServer, tmp_path: Path, stamps: dict[str, str]
) -> None:
    href = serve(faulty, PIXELS, "1")
    faulty.stamps = stamps
    corner(href, tmp_path)
    first = len(faulty.requests)
    corner(href, tmp_path)
    assert len(faulty.requests) == 2 * first


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=8))
def test_a_header_gives_what_was_asked_for_and_nothing_else(spans: list[tuple[int, int]]) -> None:
    data = bytes(range(100))
    header = Header.of(KNOWN, [(start, data[start : start + size]) for start, size in spans])
    assert header is not None
    assert Header.unpacked('[900, "\\"1\\"", null, false]', header.packed()) == header
    known = {at for start, size in spans for at in range(start, start + size)}
    for start in range(95):
        for stop in (start + 1, start + 5):
            wanted = data[start:stop] if known.issuperset(range(start, stop)) else None
            assert header.cut(start, stop) == wanted


def test_headers_are_bounded_and_shared(tmp_path: Path) -> None:
    parts = np.random.default_rng(1).bytes(4096)
    header = Header.of(KNOWN, [(0, parts)])
    assert header is not None
    limit = 2**21
    one, other = Headers(tmp_path, limit), Headers(tmp_path, limit)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: (one, other)[number % 2].keep(f"https://a.org/{number}.tif", header), range(1024)))
    held = [number for number in range(1024) if one.of(f"https://a.org/{number}.tif") is not None]
    assert 200 < len(held) < 600
    assert max(held) > 1000
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 5 * limit
    for headers in (one, other):
        headers.close()
        headers.keep("https://a.org/x.tif", header)
        assert headers.of("https://a.org/x.tif") is None


def test_a_damaged_database_or_row_is_begun_anew_and_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    header = Header.of(KNOWN, [(0, b"II*")])
    assert header is not None
    away = Headers(tmp_path / "elsewhere")
    away.keep("https://a.org/a.tif", header)
    assert away.of("https://a.org/a.tif") is None
    assert not (tmp_path / "elsewhere").exists()
    Headers(tmp_path).close()
    (path,) = tmp_path.glob("*.sqlite")
    path.write_bytes(b"no database " * 999)
    Headers(tmp_path).close()
    headers = Headers(tmp_path)
    headers.keep("https://a.org/a.tif", header)
    assert headers.of("https://a.org/a.tif") == header
    with sqlite3.connect(path) as database:
        database.execute("update header set parts = x'00'")
    database.close()
    assert headers.of("https://a.org/a.tif") is None
    headers.close()
