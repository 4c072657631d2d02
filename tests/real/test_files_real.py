"""Real files on disk as archives: a cube of openEO, and stacks with a mask in another file and resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import xarray as xr

from landloom.archive.open import open_archive
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.reading import SceneReader
from landloom.model.grid import Grid
from landloom.model.recipe.sensors import SensorSection
from landloom.model.time import Period

if TYPE_CHECKING:
    from pathlib import Path

CLEAR = [4, 5, 6, 7, 11]


def described(bands: list[Any], **mask: Any) -> SensorSection:
    document = {"name": "own", "resolution": 10, "bands": bands, "mask": {"clear": CLEAR, **mask}}
    return SensorSection.model_validate(document)


def test_a_cube_of_openeo_is_read_date_by_date(shared_data: Path) -> None:
    """Compared with scipy's own reading: uint16 stored as int16, times along `t`, SCL on the grid of 10 m."""
    path = shared_data / "s2_gfmap_antwerp" / "test_optical_cube.nc"
    names = ["B02", "B03", "B04", "B08"]
    bands = [{"name": name, "file": f"S2-L2A-{name}"} for name in names]
    sensor = described(bands, name="SCL", file="S2-L2A-SCL").sensor
    grid = Grid.of_bounds(32631, (587_880, 5_684_910, 588_340, 5_685_430), 10)
    archive = open_archive("files", str(path), sensor=sensor)
    scenes = archive.search(grid.footprint(), Period.year(2023))
    assert archive.problems == ()
    with xr.open_dataset(path, engine="scipy", mask_and_scale=False) as cube:
        stored = np.stack([cube[f"S2-L2A-{name}"].values.astype(np.uint16) for name in names], axis=1)
        scl = cube["S2-L2A-SCL"].values
        days = [str(day)[:10] for day in cube["t"].values]
    assert [f"{scene.time:%Y-%m-%d}" for scene in scenes] == days
    seen = 0
    for number, scene in enumerate(scenes):
        with SceneReader(scene, bands=names, mask=PixelMask()) as reader:
            found = reader.observe(grid)
        valid = np.isin(scl[number], CLEAR) & (stored[number] > 0).all(axis=0)
        valid &= (stored[number] != 32_769).all(axis=0)
        seen += int(valid.sum())
        if found is None:
            assert not valid.any()
            continue
        np.testing.assert_array_equal(found.valid, valid)
        np.testing.assert_array_equal(found.bands[:, valid], stored[number][:, valid])
    assert seen > 1_000


def test_stacks_with_the_mask_in_a_file_of_its_own(shared_data: Path) -> None:
    folder = shared_data / "s2_chip_sen2r_barbellino"
    names = ["B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B11", "B12"]
    sensor = described(names, name="SCL", cloudy=[1, 2, 3, 8, 9, 10], nodata=0).sensor
    pattern = ("S2A2A_{date}_*_BOA_10.tif", "S2A2A_{date}_*_{band}_10.tif")
    archive = open_archive("files", str(folder), sensor=sensor, pattern=pattern)
    grid = Grid.of_bounds(32632, (580_560, 5_101_700, 580_800, 5_102_120), 10)
    scenes = archive.search(grid.footprint(), Period.parse("2017-01-01", "2020-01-01"))
    assert [scene.id for scene in scenes] == ["2017-07-03", "2019-07-23"]
    assert [problem.where.rpartition("/")[2] for problem in archive.problems] == ["barbellino.geojson"]
    for scene in scenes:
        day = f"{scene.time:%Y%m%d}"
        with rasterio.open(folder / f"S2A2A_{day}_022_Barbellino_BOA_10.tif") as file:
            red, short = file.read(4), file.read(10)
        with rasterio.open(folder / f"S2A2A_{day}_022_Barbellino_SCL_10.tif") as file:
            scl = file.read(1).repeat(2, axis=0).repeat(2, axis=1)
        with SceneReader(scene, bands=("B04", "B11"), mask=PixelMask()) as reader:
            found = reader.observe(grid)
        assert found is not None
        usable = np.isin(scl, CLEAR) & (red != 65_535) & (red > 0) & (short != 65_535) & (short > 0)
        np.testing.assert_array_equal(found.valid, usable)
        np.testing.assert_array_equal(found.bands[0][usable], red[usable])
        np.testing.assert_array_equal(found.bands[1][usable], short[usable])
