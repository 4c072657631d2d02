"""Parcels alone: rasters on disk equal those in memory, tables read back, extents against shapely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely

from landloom.engine.sources.parcels import classes_file, grid_for, rasterise_files, read_parcels
from landloom.errors import InvalidInputError
from landloom.labels.layers import LAYERS, rasterise_parcels
from landloom.labels.parcels import parcels_of
from landloom.model.grid import Grid
from landloom.products.parcels.extents import centred_window, describe_parcels

if TYPE_CHECKING:
    from pathlib import Path

GRID = Grid.of_bounds(32633, (500_000, 5_000_000, 512_000, 5_011_000), 10)


@pytest.fixture(scope="module")
def frame() -> geopandas.GeoDataFrame:
    """Squares of all sizes and places, some across the edge, some on top of each other, one broken."""
    rng = np.random.default_rng(4)
    x, y = 500_000 + rng.uniform(-100, 12_000, 300), 5_000_000 + rng.uniform(-100, 11_000, 300)
    side = rng.uniform(20, 400, 300)
    shapes = shapely.box(x, y, x + side, y + 0.7 * side)
    shapes[7] = shapely.Polygon(
        [(501_000, 5_001_000), (501_100, 5_001_100), (501_100, 5_001_000), (501_000, 5_001_100)]
    )
    crops = np.array(["maize", "wheat", "meadow"])[rng.integers(0, 3, 300)]
    return geopandas.GeoDataFrame({"key": np.arange(300) + 2**40, "crop": crops}, geometry=shapes, crs=32633)


COLUMNS = {"id": "key", "ground_truth": "crop"}


def read(folder: Path, name: str) -> Any:
    with rasterio.open(folder / f"{name}.tif") as file:
        assert file.crs.to_epsg() == GRID.epsg
        assert tuple(file.transform)[:6] == GRID.transform
        return file.read(1)


def test_files_hold_what_memory_holds(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    frame.to_parquet(tmp_path / "parcels.parquet")
    parcels = read_parcels(str(tmp_path / "parcels.parquet"), GRID, columns=COLUMNS)
    report = rasterise_files(parcels, GRID, tmp_path / "out")
    whole, located = rasterise_parcels(frame, GRID, columns=COLUMNS)
    for name in LAYERS:
        np.testing.assert_array_equal(read(tmp_path / "out", name), getattr(whole, name))
    assert report.parcels == len(located.parcels)
    assert report.clipped == len(located.clipped_ids) > 0
    assert read(tmp_path / "out", "ids").max() > 2**40
    lines = (tmp_path / "out" / "rejected.csv").read_text().splitlines()
    assert any(line.startswith(f"{2**40 + 7},") and "Self-intersection" in line for line in lines)


def test_the_order_of_rows_changes_no_byte(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    folders = (tmp_path / "a", tmp_path / "b")
    for folder, rows in zip(folders, (frame, frame.sample(frac=1, random_state=3)), strict=True):
        rasterise_files(parcels_of(rows, columns=COLUMNS), GRID, folder)
    one, other = ({path.name: path.read_bytes() for path in sorted(folder.iterdir())} for folder in folders)
    assert one == other


def test_a_mapping_reads_back(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    parcels = parcels_of(frame, columns=COLUMNS, classes={"maize": 5, "wheat": 5}, unmapped="ignore")
    rasterise_files(parcels, GRID, tmp_path)
    classes, codes = classes_file(tmp_path / "classes.csv")
    assert classes == {"maize": 5, "meadow": 255, "wheat": 5}
    again = parcels_of(frame, columns=COLUMNS, classes=classes, codes=codes)
    np.testing.assert_array_equal(again.values, parcels.values)
    (tmp_path / "classes.yaml").write_text("maize: 1\n0513: 2\n'0513': 2\n3: 9\n")
    assert classes_file(tmp_path / "classes.yaml")[0]["maize"] == 1


def test_far_parcels_end_clearly(frame: geopandas.GeoDataFrame, tmp_path: Path) -> None:
    frame.to_file(tmp_path / "parcels.gpkg")
    elsewhere = Grid.of_bounds(32633, (700_000, 5_000_000, 701_000, 5_001_000), 10)
    with pytest.raises(InvalidInputError, match="no parcel lies near"):
        read_parcels(str(tmp_path / "parcels.gpkg"), elsewhere, columns=COLUMNS)


def test_extents_are_those_of_shapely(frame: geopandas.GeoDataFrame) -> None:
    described = describe_parcels(parcels_of(frame, columns=COLUMNS), sizes=[24])
    kept = frame.drop(index=7)
    spans = kept.bounds.maxx - kept.bounds.minx
    np.testing.assert_allclose(described.extents[:, 0], spans, atol=1e-6)
    assert described.percentiles()["east_west"][-1] == pytest.approx(spans.max(), abs=0.01)
    share, centred = described.fits[24]
    assert share == pytest.approx((spans <= 240).mean())
    assert 0 < centred < share
    assert sum(described.classes.values()) == 299


def test_windows_are_centred_on_multiples_of_60() -> None:
    rng = np.random.default_rng(0)
    south_west = rng.uniform(0, 10_000, (500, 2))
    bounds = np.hstack([south_west, south_west + rng.uniform(10, 300, (500, 2))])
    corner = centred_window(bounds, 240.0)
    assert (corner % 60 == 0).all()
    off = np.abs(corner + 120 - (bounds[:, :2] + bounds[:, 2:]) / 2)
    assert off.max() <= 30


def test_grids_are_asked_for_in_one_way(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="either"):
        grid_for()
    with pytest.raises(InvalidInputError, match="--crs"):
        grid_for(bounds=(0, 0, 10, 10))
    with pytest.raises(InvalidInputError, match="degrees"):
        grid_for(bounds=(0, 0, 1, 1), epsg=4326)
    profile = {"driver": "GTiff", "width": 6, "height": 3, "count": 1, "dtype": "uint8", "crs": "EPSG:32633"}
    with rasterio.open(tmp_path / "like.tif", "w", transform=rasterio.Affine(20, 0, 60, 0, -20, 120), **profile):
        pass
    assert grid_for(like=str(tmp_path / "like.tif")).shape == (3, 6)
    assert grid_for(like=str(tmp_path / "like.tif"), resolution=2.5).shape == (24, 48)
