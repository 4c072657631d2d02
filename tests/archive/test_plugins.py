"""An archive and a taxonomy of another package: a corpus is built from them, and nothing of ours is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import rasterio
import shapely
import yaml
from affine import Affine

from landloom.model.ids import SampleId
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    import pytest
    from numpy.typing import NDArray

    from landloom.model.grid import Grid

PLUGINS = Path(__file__).parents[1] / "plugins"
CELL = SampleId.parse("33N_16E-243N_29_01")
TERMS = {"licence": "CC0-1.0", "attribution": "nobody"}
DAYS = ("2018-06-03", "2018-06-13", "2018-06-23")


def write(path: Path, array: NDArray[Any], grid: Grid, size: int) -> None:
    count, height, width = array.shape
    shape = {"count": count, "height": height, "width": width, "dtype": array.dtype.name, "nodata": 0}
    origin = Affine(size, 0, grid.west, 0, -size, grid.north)
    with rasterio.open(path, "w", driver="GTiff", crs=f"EPSG:{grid.epsg}", transform=origin, **shape) as file:
        file.write(array)


def write_inputs(folder: Path) -> NDArray[np.uint16]:
    """Three days of a cell, cloudless, and land in its western half; returns (day, band, y, x)."""
    grid = CELL.grid(10)
    numbers = np.random.default_rng(1).integers(100, 5_000, (3, 2, 60, 60), dtype=np.uint16)
    (folder / "days").mkdir()
    for day, bands in zip(DAYS, numbers, strict=True):
        write(folder / "days" / f"{day}.tif", bands, grid, 10)
        write(folder / "days" / f"{day}.scl.tif", np.full((1, 30, 30), 4, np.uint8), grid, 20)
    west, south, _, north = grid.bounds
    land = geopandas.GeoDataFrame(
        {"code": ["1"]}, geometry=[shapely.box(west, south, west + 300, north)], crs=grid.epsg
    )
    land.to_file(folder / "land.gpkg")
    return numbers


def run(*arguments: str, cwd: Path) -> None:
    command = [sys.executable, "-m", "landloom.cli", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_corpus_of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = write_inputs(tmp_path)
    document = {
        "name": "folder",
        "version": "1.0",
        "region": {"bounds": [13.2, 52.6, 13.4, 52.8]},
        "period": {"start": "2018-06-01", "end": "2018-07-01"},
        "samples": {"draw": "list", "ids": [str(CELL)]},
        "archive": {"kind": "folder", "href": "days"},
        "products": {"s2": {"kind": "composite", "bands": ["B04", "B08"], "terms": TERMS}},
        "labels": {"cover": {"taxonomy": "cover", "file": "land.gpkg", "column": "code", "terms": TERMS}},
        "publication": {"title": "t", "description": "d"},
    }
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with monkeypatch.context() as installed:  # whoever reads the corpus needs none of it
        installed.setenv("PYTHONPATH", str(PLUGINS), prepend=os.pathsep)
        run("build", cwd=tmp_path)
        run("validate", "corpus", cwd=tmp_path)
        run("query", "corpus", "--where", "cov_1 >= 0.5", cwd=tmp_path)
    chosen = Corpus.open(tmp_path / "corpus", cache=tmp_path / "cache").query(where="cov_1 = 0.5")
    assert chosen.ids == (str(CELL),)
    assert (chosen.cube(str(CELL), "s2").values[0] == np.median(numbers, axis=0)).all()
    assert chosen.histogram() == {"cov_1": 0.5, "cov_0": 0.5}
