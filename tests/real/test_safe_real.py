"""The metadata of two real products, of baselines 02.12 and 04.00."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from tests.formats.safe.manifest import manifest_names

from landloom.archive.safe.products import SafeArchive
from landloom.formats.safe.directions import parse_angles, scene_angles
from landloom.formats.safe.safe_product import L2A_BANDS, SafeProduct, parse_product
from landloom.imagery.harmonise.directions import factors_on, node_factors
from landloom.model.grid import Grid
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Period

if TYPE_CHECKING:
    from pathlib import Path

NEW = "S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126"
OLD = "S2A_MSIL2A_20190212T192651_N0212_R013_T07HFE_20201007T160857"


def parsed(folder: Path) -> SafeProduct:
    names = manifest_names((folder / "manifest.safe").read_bytes())
    return parse_product(names, lambda name: (folder / name).read_bytes(), where=folder.name)


@pytest.fixture(scope="module")
def products(shared_data: Path) -> dict[str, SafeProduct]:
    return {name: parsed(shared_data / "safe_metadata" / f"{name}.SAFE") for name in (NEW, OLD)}


WANTED = {
    NEW: ("04.00", -1000, 25, "33XWJ", 32633, 98.9, 98.4, "2022-04-13T15:07:59.024+00:00"),
    OLD: ("02.12", 0, 13, "07HFE", 32707, 51.6, 96.8, "2019-02-12T19:26:51.024+00:00"),
}


@pytest.mark.parametrize("name", WANTED)
def test_what_the_metadata_says(products: dict[str, SafeProduct], name: str) -> None:
    baseline, offset, *place, cloud, nodata, time = WANTED[name]
    product = products[name]
    (tile,) = product.granules
    assert (product.name, product.level, product.baseline) == (name, "L2A", baseline)
    assert set(product.offsets.values()) == {offset}
    assert len(product.offsets) == 13
    assert product.quantification == 10_000
    assert [product.orbit, tile.granule, tile.epsg] == place
    assert product.platform == f"sentinel-{name[1:3].lower()}"
    assert product.time == datetime.fromisoformat(str(time))
    assert round(product.cloud_cover or 0, 1) == cloud
    assert round(tile.nodata_share or 0, 1) == nodata
    assert product.datatake is not None
    assert product.datatake.startswith(f"G{name[:3]}_{name[11:26]}")


def test_grids_of_a_granule(products: dict[str, SafeProduct]) -> None:
    (tile,) = products[NEW].granules
    assert tile.grids[10] == Grid.of_bounds(32633, (499_980, 8_790_240, 609_780, 8_900_040), 10)
    assert {grid.bounds for grid in tile.grids.values()} == {tile.grids[10].bounds}
    assert [tile.grids[metres].shape for metres in (10, 20, 60)] == [(10980,) * 2, (5490,) * 2, (1830,) * 2]


@pytest.mark.parametrize("name", [NEW, OLD])
def test_every_band_is_found_at_its_native_resolution(products: dict[str, SafeProduct], name: str) -> None:
    (tile,) = products[name].granules
    assert products[name].missing == ()
    for band in L2A_BANDS:
        path = tile.native(band)
        metres = int(SENTINEL2[band].resolution)
        assert path is not None
        assert path.endswith(f"_{band}_{metres}m.tif")
        assert f"/R{metres}m/" in path
    assert (20 in tile.images["B01"]) == (name == NEW)  # resampled, not native
    assert tile.native("SCL") == tile.images["SCL"][20]


def test_masks_of_both_generations(products: dict[str, SafeProduct]) -> None:
    assert products[OLD].granules[0].masks["MSK_CLOUDS_B00"].endswith("/QI_DATA/MSK_CLOUDS_B00.gml")
    assert not any(mask.startswith("MSK_CLOUDS") for mask in products[NEW].granules[0].masks)


@pytest.mark.parametrize("name", [NEW, OLD])
def test_footprints_lie_in_their_granules(products: dict[str, SafeProduct], name: str) -> None:
    (tile,) = products[name].granules
    product = products[name]
    square = tile.grids[60].footprint(densify=16)
    assert product.footprint.is_valid
    assert shapely.area(product.footprint - square) < 0.01 * product.footprint.area
    share = product.footprint.area / square.area
    assert tile.nodata_share is not None
    assert share == pytest.approx(1 - tile.nodata_share / 100, abs=0.01)


@pytest.mark.parametrize("name", [NEW, OLD])
def test_angles_are_finite_where_defined(products: dict[str, SafeProduct], name: str) -> None:
    (tile,) = products[name].granules
    assert tile.sun is not None
    assert tile.sun.step == 5000
    assert tile.sun.zenith.shape == tile.sun.azimuth.shape == (23, 23)
    assert np.isfinite(tile.sun.zenith).all()
    assert len(tile.view) == 13
    for grid in tile.view.values():
        seen = np.isfinite(grid.zenith)
        assert grid.zenith.shape == (23, 23)
        assert 0 < seen.sum() < seen.size
        assert np.array_equal(seen, np.isfinite(grid.azimuth))
        assert grid.zenith[seen].max() < 13
        assert (grid.zenith[seen] > 0).all()
        assert ((grid.azimuth[seen] >= 0) & (grid.azimuth[seen] < 360)).all()


@pytest.mark.parametrize(("name", "low", "high"), [(OLD, 0.97, 1.01), (NEW, 1.15, 1.41)])
def test_angles_give_a_factor_for_every_pixel(
    products: dict[str, SafeProduct], shared_data: Path, name: str, low: float, high: float
) -> None:
    """Under a sun at 33°, factors are about 1; under one at 77°, kernels see much shadow that a higher sun lacks."""
    (tile,) = products[name].granules
    found = scene_angles(tile.sun, tile.view, tile.grids)
    (path,) = (shared_data / "safe_metadata" / f"{name}.SAFE").rglob("MTD_TL.xml")
    read = parse_angles("MTD_TL.xml", path.read_bytes())
    assert found is not None
    assert read is not None
    assert (found.west, found.north, found.step) == (read.west, read.north, read.step)
    for band in ("B02", "B04", "B05", "B08", "B12"):
        nodes, again = (node_factors(one, SENTINEL2[band]) for one in (found, read))
        assert nodes is not None
        np.testing.assert_array_equal(nodes, again)
        pixels = factors_on(nodes, found, tile.grids[60])
        assert low < pixels.min() <= pixels.max() < high


def test_products_without_images_are_named_not_found(shared_data: Path) -> None:
    archive = SafeArchive(shared_data / "safe_metadata")
    assert archive.search(shapely.box(-180, -90, 180, 90), Period.parse("2015-01-01", "2030-01-01")) == ()
    assert {problem.where.rpartition("/")[2] for problem in archive.problems} == {f"{NEW}.SAFE", f"{OLD}.SAFE"}
    assert all("not there" in problem.what for problem in archive.problems)
