"""A plain GeoTIFF is what it is for GDAL, and what is not plain is left to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rasters import PLACE, flipped, layouts, write_layout

from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.store.raster import open_raster
from landloom.store.rasters.plain import PlainTiff, plain_tiff

if TYPE_CHECKING:
    from pathlib import Path

MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
USUAL: dict[str, Any] = {
    "driver": "GTiff",
    "width": 70,
    "height": 40,
    "count": 2,
    "dtype": "uint16",
    "crs": "EPSG:32633",
    "transform": PLACE.affine,
    "tiled": True,
    "blockxsize": 32,
    "blockysize": 16,
    "compress": "DEFLATE",
    "nodata": 0,
}


def described(path: Path) -> PlainTiff | None:
    data = path.read_bytes()
    return plain_tiff(lambda start, stop: data[start:stop])


def written(path: Path, **options: Any) -> Path:
    with rasterio.open(path, "w", **USUAL | options) as dataset:
        dataset.write(np.ones((dataset.count, *dataset.shape), dataset.dtypes[0]))
    return path


def agrees(found: PlainTiff, path: Path) -> None:
    """With what GDAL says of the file."""
    table = found.table
    with rasterio.open(path) as dataset:
        assert found.grid == Grid.of_transform(dataset.crs.to_epsg(), dataset.transform, dataset.shape)
        assert (table.bands, table.height, table.width) == (dataset.count, *dataset.shape)
        assert {*dataset.nodatavals} == {found.nodata}
        assert {np.dtype(one) for one in dataset.dtypes} == {table.dtype.newbyteorder("=")}
        assert {*dataset.block_shapes} == {table.block}
        assert {*dataset.scales, *dataset.offsets} == {1.0, 0.0}
        assert not any(dataset.descriptions)


@MANY
@given(layouts(), st.lists(st.integers(0, 8 * 700), max_size=2))
def test_whatever_is_plain_is_that_for_gdal(tmp_path: Path, options: dict[str, Any], places: list[int]) -> None:
    path = tmp_path / "a.tif"
    write_layout(path, options)
    whole = described(path)
    assert (whole is not None) == ("tiled" in options and np.dtype(options["dtype"]).itemsize <= 4)
    path.write_bytes(flipped(path.read_bytes(), places))
    found = described(path)
    if found is not None:
        agrees(found, path)


@pytest.mark.parametrize("epsg", [32601, 32660, 32733])
def test_files_of_gdals_drivers_and_of_our_own_are_plain(tmp_path: Path, epsg: int) -> None:
    grid = Grid.of_bounds(epsg, (600_000, 5_000_000, 607_000, 5_006_000), 10)
    own = tmp_path / "own.tif"
    own.write_bytes(encode_cog(np.ones(grid.shape, np.uint16), grid, nodata=0, block=256))
    size = {"width": grid.width, "height": grid.height, "crs": f"EPSG:{epsg}", "transform": grid.affine}
    cog = tmp_path / "cog.tif"
    with rasterio.open(cog, "w", driver="COG", count=1, dtype="int16", nodata=-99, compress="ZSTD", **size) as dataset:
        dataset.write(np.ones((1, *grid.shape), np.int16))
    for path in (own, cog, written(tmp_path / "tiled.tif", **size)):
        found = described(path)
        assert found is not None
        assert found.grid == grid
        agrees(found, path)
        with open_raster(str(path)) as raster:
            assert (raster.read(grid) == 1).all()


@pytest.mark.parametrize(
    "options",
    [
        {"crs": "EPSG:3035"},
        {"crs": "+proj=utm +zone=33 +ellps=GRS80 +units=m"},
        {"crs": None},
        {"transform": PLACE.affine @ Affine.rotation(10)},
        {"transform": PLACE.affine @ Affine.scale(1, -1)},
        {"nodata": 0.5, "dtype": "float32"},
        {"nodata": float("nan"), "dtype": "float32"},
        {"tiled": False, "blockxsize": 70},
        {"compress": "PACKBITS"},
    ],
)
def test_what_is_not_plain_is_left_to_gdal(tmp_path: Path, options: dict[str, Any]) -> None:
    assert described(written(tmp_path / "a.tif")) is not None
    assert described(written(tmp_path / "a.tif", **options)) is None


@pytest.mark.parametrize("what", ["scales", "offsets", "descriptions", "point"])
def test_what_a_file_says_beside_its_grid_is_left_to_gdal(tmp_path: Path, what: str) -> None:
    path = written(tmp_path / "a.tif")
    with rasterio.open(path, "r+") as dataset:
        if what == "point":
            dataset.update_tags(AREA_OR_POINT="Point")
        else:
            setattr(dataset, what, ("a", "b") if what == "descriptions" else (0.5, 0.5))
    assert described(path) is None
    with open_raster(str(path)) as raster, rasterio.open(path) as dataset:
        scaling = dataset.scales[0], dataset.offsets[0]
        assert raster.scaling_of(1) == (None if scaling == (1.0, 0.0) else scaling)
        assert raster.grid == Grid.of_transform(32633, dataset.transform, dataset.shape)
