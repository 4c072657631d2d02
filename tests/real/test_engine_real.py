"""The engine on real scenes: composites equal an independent median, and cloudy months stay empty."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.errors import NotGeoreferencedWarning

from landloom.corpus.audit.validate import audit
from landloom.formats.geotiff import decode_geotiff
from landloom.imagery.composite import Observation, composite
from landloom.imagery.valid import data_valid, scl_valid
from landloom.pipelines.build import build
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BANDS = {"B02": "blue", "B03": "green", "B04": "red", "B08": "nir"}
CLEAR = [4, 5, 6, 7, 11]
TERMS = {"licence": "proprietary", "attribution": "contains modified Copernicus Sentinel data 2023"}


def recipe(shared_data: Path, samples: dict[str, Any], resolution: float) -> dict[str, Any]:
    return {
        "name": "zagreb",
        "version": "1.0",
        "region": {"bounds": [15.0, 45.0, 16.5, 46.2]},
        "period": {"start": "2023-08-01", "end": "2023-09-01"},
        "samples": samples,
        "archive": {"kind": "static", "href": str(shared_data / "s2_l2a_120m_33TWL" / "catalog.json")},
        "products": {
            "s2": {"kind": "composite", "bands": list(BANDS), "resolution": resolution, "dilate": 0, "terms": TERMS}
        },
        "publication": {"title": "Zagreb", "description": "One real month"},
    }


def built(folder: Path, document: dict[str, Any]) -> tuple[Path, tuple[str, ...]]:
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    done = build(folder)
    return folder / "corpus", done.notes


def pixels_of(path: Path) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            found: NDArray[Any] = file.read(1)
    return found


def scenes(shared_data: Path) -> list[tuple[NDArray[np.uint16], NDArray[np.bool_]]]:
    """Bands and valid pixels of the five scenes, read by rasterio alone."""
    found = []
    for item in sorted((shared_data / "s2_l2a_120m_33TWL").rglob("S2*.json")):
        assets = json.loads(item.read_text())["assets"]
        arrays = {}
        for name in [*BANDS.values(), "scl"]:
            arrays[name] = pixels_of(item.parent / assets[name]["href"])
        bands = np.stack([arrays[name] for name in BANDS.values()])
        found.append((bands, np.isin(arrays["scl"], CLEAR) & (bands > 0).all(axis=0) & (bands < 65_535).all(axis=0)))
    return found


def independent_median(shared_data: Path) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """NumPy's median of the valid values, rounded down."""
    stacks = scenes(shared_data)
    assert len(stacks) == 5
    values = np.stack([np.where(valid, bands.astype(np.float64), np.nan) for bands, valid in stacks])
    count = np.stack([valid for _, valid in stacks]).sum(axis=0)
    filled = np.where(count > 0, values, 0.0)
    return np.floor(np.nanmedian(filled, axis=0)).astype(np.uint16), count


@pytest.mark.slow
def test_a_real_month_on_its_own_pixels(shared_data: Path, tmp_path: Path) -> None:
    samples = {
        "draw": "windows",
        "anchor": "33N-499980E-5100000N",
        "size": 200,
        "resolution": 120,
        "rows": 4,
        "columns": 4,
    }
    corpus, notes = built(tmp_path, recipe(shared_data, samples, 120))
    assert audit(open_store(str(corpus))).problems == ()
    assert any("33TWM" in note for note in notes), "dangling links are reported"
    wanted, count = independent_median(shared_data)
    chips = sorted(corpus.rglob("S2-SR/2023-08.tif"))
    assert len(chips) == 16
    for path in chips:
        chip, grid, _ = decode_geotiff(path.read_bytes())
        row, column = round((5_100_000 - grid.north) / 120), round((grid.west - 499_980) / 120)
        part = np.s_[..., row : row + 200, column : column + 200]
        height, width = wanted[part].shape[1:]
        assert np.array_equal(chip[:, :height, :width], wanted[part])
        counts = decode_geotiff((path.parents[1] / "S2-COUNT" / path.name).read_bytes())[0][0]
        assert np.array_equal(counts[:height, :width], count[part])
        assert not chip[:, height:].any()
        assert not chip[:, :, width:].any()


def test_the_same_scenes_on_the_tile_grid(shared_data: Path, tmp_path: Path) -> None:
    """Tile pixels lie half a pixel off in x: a source centre on a boundary goes to the cell east and south of it."""
    samples = {"draw": "list", "ids": ["33N_21E-211N_03_04", "33N_21E-211N_40_40", "33N_22E-210N_01_01"]}
    corpus, _ = built(tmp_path, recipe(shared_data, samples, 120))
    wanted, _ = independent_median(shared_data)
    for path in sorted(corpus.rglob("S2-SR/2023-08.tif")):
        chip, grid, _ = decode_geotiff(path.read_bytes())
        rows = [round((5_100_000 - (grid.north - 120 * r)) / 120) for r in range(grid.height)]
        columns = [round((grid.west + 120 * c - 499_980 - 60) / 120) for c in range(grid.width)]
        assert np.array_equal(chip, wanted[:, rows][:, :, columns])


def test_a_month_without_a_clear_pixel_is_nodata_with_count_0(shared_data: Path) -> None:
    import xarray as xr

    path = shared_data / "s2_gfmap_antwerp" / "test_optical_cube.nc"
    with xr.open_dataset(path, engine="scipy") as cube:
        names = [f"S2-L2A-{band}" for band in BANDS]
        pixels = np.stack([cube[name].to_numpy() for name in names], axis=1).astype(np.uint16)
        scl = cube["S2-L2A-SCL"].to_numpy().astype(np.uint8)
        months = cube["t"].dt.month.to_numpy()
    shown = {}
    for month in (10, 11, 12):
        seen = []
        for bands, classes in zip(pixels[months == month], scl[months == month], strict=True):
            valid = scl_valid(classes, clear=CLEAR) & data_valid(bands).all(axis=0)
            seen.append(Observation(bands=bands, valid=valid))
        shown[month] = composite(seen)
    assert shown[10].count.max() >= 1
    assert shown[12].count.max() >= 1
    assert shown[11].count.max() == 0
    assert not shown[11].bands.any()
    values = np.where(scl_valid(scl, clear=CLEAR)[months == 10][:, None], pixels[months == 10].astype(float), np.nan)
    with np.errstate(all="ignore"):
        clear = shown[10].count > 0
        assert np.array_equal(shown[10].bands[:, clear], np.floor(np.nanmedian(values[..., clear], axis=0)))
