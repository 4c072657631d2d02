"""Block by block, a file has the pixels and the faults that it has for GDAL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rasters import PLACE, both_ways, flipped, layouts, outcome, write_layout

from landloom.errors import FaultError, TransientFaultError
from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web import FaultyServer

MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
GRID = Grid.of_bounds(32633, (500_000, 5_000_000, 507_000, 5_006_000), 10)
WINDOWS = st.tuples(st.integers(-20, 95), st.integers(-20, 95), st.integers(1, 120), st.integers(1, 120))


@MANY
@given(layouts(), WINDOWS, st.integers(1, 4))
def test_every_layout_has_the_pixels_that_were_written(
    tmp_path: Path, options: dict[str, Any], window: tuple[int, int, int, int], band: int
) -> None:
    array = write_layout(tmp_path / "a.tif", options)
    with both_ways(str(tmp_path / "a.tif")) as (ours, peer):
        # GDAL itself divides long strips of raw numbers.
        assert ours.blocks is not None or (options["compress"] == "NONE" and "tiled" not in options)
        band = min(band, ours.count)
        cut = ours.grid.window(*window)
        np.testing.assert_array_equal(ours.read(ours.grid, band=band), array[band - 1])
        assert outcome(ours, cut, band) == outcome(peer, cut, band)


@MANY
@given(layouts(), st.lists(st.integers(0, 2**40), max_size=3), st.floats(0.3, 1.0))
def test_a_damaged_file_is_what_it_is_for_gdal(
    tmp_path: Path, options: dict[str, Any], places: list[int], share: float
) -> None:
    path = tmp_path / "a.tif"
    write_layout(path, options)
    data = path.read_bytes()
    path.write_bytes(flipped(data, places)[: int(len(data) * share)])
    try:
        with both_ways(str(path)) as (ours, peer):
            for band in range(1, ours.count + 1):
                own, theirs = outcome(ours, ours.grid, band), outcome(peer, ours.grid, band)
                assert own[0] == theirs[0]
                # Both share GDAL's handle, whose words about a damaged directory are others the second time.
                assert own[1] == theirs[1] or own[0].endswith("Error")
    except FaultError:
        return  # GDAL cannot open it


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "uint8", "nbits": 4},
        {"dtype": "uint8", "compress": "JPEG"},
        {"dtype": "uint8", "compress": "PACKBITS"},
        {"dtype": "complex64"},
        {"dtype": "uint8", "photometric": "MINISWHITE"},
        {"dtype": "float32", "compress": "DEFLATE", "predictor": 2},
    ],
)
def test_what_is_stored_otherwise_is_read_by_gdal(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "a.tif"
    profile = {"driver": "GTiff", "width": 40, "height": 30, "count": 1, "crs": "EPSG:32633", "transform": PLACE.affine}
    with rasterio.open(path, "w", **profile, **options) as dataset:
        dataset.write((np.arange(1200) % 9).reshape(1, 30, 40).astype(options["dtype"]))
    with open_raster(str(path)) as raster, rasterio.open(path) as peer:
        assert raster.blocks is None
        np.testing.assert_array_equal(raster.read(raster.grid), peer.read(1))


def test_files_of_archives_are_the_same_both_ways(tiny_archive: Path, granule_archive: Path) -> None:
    """Every raster of the simulated archives, a window of it off its blocks."""
    files = sorted(path for root in (tiny_archive, granule_archive) for path in root.rglob("*.tif"))
    assert files
    for path in files[:: max(len(files) // 60, 1)]:
        with both_ways(str(path)) as (ours, peer):
            assert ours.blocks is not None
            height, width = ours.grid.shape
            window = ours.grid.window(height // 3, -5, height, width // 2)
            for band in range(1, ours.count + 1):
                assert outcome(ours, window, band) == outcome(peer, window, band)


def test_overviews_and_masks_are_not_mistaken_for_pixels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 9000, (2, *GRID.shape), np.uint16)
    (tmp_path / "a.tif").write_bytes(encode_cog(pixels, GRID, nodata=0, block=128))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(tmp_path / "a.tif") as dataset:
        assert dataset.overviews(1)
    with both_ways(str(tmp_path / "a.tif")) as (ours, peer):
        np.testing.assert_array_equal(ours.read(GRID, band=2), pixels[1])
        np.testing.assert_array_equal(ours.preview(), peer.preview())


def test_a_file_that_is_replaced_while_it_is_read_is_never_mixed(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(encode_cog(np.full((1, *GRID.shape), 5, np.uint16), GRID, block=128))
    with open_raster(str(path)) as raster:
        path.with_name("b.tif").write_bytes(encode_cog(np.full((1, *GRID.shape), 6, np.uint16), GRID, block=256))
        os.replace(path.with_name("b.tif"), path)  # noqa: PTH105
        with pytest.raises(TransientFaultError, match=r"a\.tif: the file changed"):
            raster.read(GRID)


def test_neighbouring_blocks_are_one_request_and_are_fetched_once(faulty: FaultyServer) -> None:
    pixels = np.random.default_rng(3).integers(0, 9000, (1, *GRID.shape), np.uint16)
    (faulty.root / "a.tif").write_bytes(encode_cog(pixels, GRID, nodata=0, block=128, overviews=False))
    with open_raster(f"{faulty.address}/a.tif") as raster:
        before = len(faulty.requests)
        np.testing.assert_array_equal(raster.read(GRID), pixels[0])
        np.testing.assert_array_equal(raster.read(GRID.window(100, 300, 200, 200)), pixels[0, 100:300, 300:500])
    assert (before, len(faulty.requests)) == (1, 2)
