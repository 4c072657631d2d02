"""Parcels alone: rasters on disk equal those in memory, whatever the order of rows, with tables that read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from tests.labels.whole import clipped_ids, rasterise_parcels
from tests.products.parcels.squares import COLUMNS, GRID, squares

from landloom.engine.sources.parcels import classes_file, read_parcels
from landloom.errors import InvalidInputError
from landloom.labels.layers import LAYERS
from landloom.labels.parcels import parcels_of
from landloom.products.parcels.rasterise import grid_for, nests, rasterise_files

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, name: str) -> Any:
    with rasterio.open(folder / f"{name}.tif") as file:
        assert file.crs.to_epsg() == GRID.epsg
        assert tuple(file.transform)[:6] == GRID.transform
        return file.read(1)


def test_files_hold_what_memory_holds(tmp_path: Path) -> None:
    frame = squares()
    frame.to_parquet(tmp_path / "parcels.parquet")
    parcels = read_parcels(str(tmp_path / "parcels.parquet"), GRID, columns=COLUMNS)
    report = rasterise_files(parcels, GRID, tmp_path / "out")
    whole, located = rasterise_parcels(frame, GRID, columns=COLUMNS)
    for name in LAYERS:
        np.testing.assert_array_equal(read(tmp_path / "out", name), getattr(whole, name))
    assert report.parcels == len(located.parcels)
    assert report.clipped == len(clipped_ids(located)) > 0
    assert read(tmp_path / "out", "ids").max() > 2**40
    lines = (tmp_path / "out" / "rejected.csv").read_text().splitlines()
    assert any(line.startswith(f"{2**40 + 7},") and "Self-intersection" in line for line in lines)


def test_the_order_of_rows_changes_no_byte(tmp_path: Path) -> None:
    frame = squares()
    folders = (tmp_path / "a", tmp_path / "b")
    for folder, rows in zip(folders, (frame, frame.sample(frac=1, random_state=3)), strict=True):
        rasterise_files(parcels_of(rows, columns=COLUMNS), GRID, folder)
    one, other = ({path.name: path.read_bytes() for path in sorted(folder.iterdir())} for folder in folders)
    assert one == other


def test_a_mapping_reads_back(tmp_path: Path) -> None:
    frame = squares()
    parcels = parcels_of(frame, columns=COLUMNS, classes={"maize": 5, "wheat": 5}, unmapped="ignore")
    rasterise_files(parcels, GRID, tmp_path)
    classes, codes = classes_file(tmp_path / "classes.csv")
    assert classes == {"maize": 5, "meadow": 255, "wheat": 5}
    again = parcels_of(frame, columns=COLUMNS, classes=classes, codes=codes)
    np.testing.assert_array_equal(again.values, parcels.values)


def test_ids_that_are_no_numbers_are_listed(tmp_path: Path) -> None:
    frame = squares()
    frame["key"] = [f"field {number}" for number in range(len(frame))]
    parcels = parcels_of(frame, columns=COLUMNS)
    grid = GRID.window(0, 0, 60, 60)
    rasterise_files(parcels, grid, tmp_path)
    lines = (tmp_path / "ids.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "id,name"
    assert all(line.split(",")[1].startswith("field ") for line in lines[1:])
    with rasterio.open(tmp_path / "ids.tif") as file:
        known = {int(line.split(",")[0]) for line in lines[1:]}
        assert set(np.unique(file.read(1)).tolist()) <= {0, *known}


def test_a_folder_of_something_else_and_a_grid_of_the_world_are_refused(tmp_path: Path) -> None:
    parcels = parcels_of(squares(), columns=COLUMNS)
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InvalidInputError, match=r"contains thesis\.tex"):
        rasterise_files(parcels, GRID, tmp_path)
    rasterise_files(parcels, GRID.window(0, 0, 60, 60), tmp_path, force=True)
    with pytest.raises(InvalidInputError, match="GB before compression"):
        rasterise_files(parcels, GRID.window(0, 0, 10**7, 10**7), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InvalidInputError, match="is a file"):
        rasterise_files(parcels, GRID, tmp_path / "thesis.tex")


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


@pytest.mark.parametrize("metres", [0, -10, 3, 7.5, 25])
def test_pixels_nest_with_those_of_the_imagery(metres: float) -> None:
    with pytest.raises(InvalidInputError, match="divides or multiplies 10 m"):
        nests(metres)
