"""Real rasters: JPEG 2000 named .tif without a place, pixels of odd sizes, types of all kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio

from landloom.formats.geotiff import decode_geotiff, encode_geotiff
from landloom.model.grid import Grid
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_jpeg_2000_named_tif_is_read_by_content(shared_data: Path) -> None:
    stated = Grid.of_transform(32633, (10, 0, 499_980, 0, -10, 5_100_000), (10_980, 10_980))
    scenes = sorted((shared_data / "s2_l2a_120m_33TWL").rglob("*20230815*/*.tif"))
    assert scenes
    drivers = set()
    for path in scenes:
        with open_raster(str(path), stated=stated) as raster:
            drivers.add(raster.driver)
            assert raster.grid == Grid.of_transform(32633, (120, 0, 499_980, 0, -120, 5_100_000), (915, 915))
            got = raster.read(raster.grid.window(500, 900, 60, 60), fill=7)
        dataset = rasterio.open(path)
        whole = dataset.read(1)
        dataset.close()
        np.testing.assert_array_equal(got[:, :15], whole[500:560, 900:])
        assert (got[:, 15:] == 7).all()
    assert drivers == {"JP2OpenJPEG"}


@pytest.mark.parametrize(
    "name",
    [
        "s2_chip_sen2r_barbellino/S2A2A_20170703_022_Barbellino_BOA_10.tif",
        "clc_lanjaron/clc.tif",
        "s2_eolearn_slovenia/lulc/DEM.tif",
        "s2_eolearn_slovenia/l1c_masked/L1C_20170220T100635_B04.tif",
    ],
)
def test_real_rasters_survive_our_geotiff(shared_data: Path, name: str, tmp_path: Path) -> None:
    path = shared_data / name
    if not path.exists():
        path = min(path.parent.glob("*.tif"))
    pixels, grid, info = decode_geotiff(path.read_bytes())
    data = encode_geotiff(pixels, grid, nodata=info.nodata, bands=info.bands)
    again, same, _ = decode_geotiff(data)
    np.testing.assert_array_equal(again, pixels)
    assert same == grid
    (tmp_path / "ours.tif").write_bytes(data)
    with rasterio.open(path) as peer, rasterio.open(tmp_path / "ours.tif") as ours:
        np.testing.assert_array_equal(ours.read(), peer.read())
        assert Grid.of_transform(grid.epsg, ours.transform, ours.shape) == grid
        np.testing.assert_equal(ours.nodata, peer.nodata)
