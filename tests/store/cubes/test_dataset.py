"""Pixels, nodata, scales and georeferencing of Zarr version 3: those of NetCDF and version 2 by GDAL, and of xarray."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
from tests.cases.test_files import HLS, cube
from tests.corpora import write_corpus

from landloom.archive.files.cube import CubeArchive
from landloom.errors import PermanentFaultError
from landloom.model.ids import SampleId
from landloom.model.sensor import SENTINEL_2_L2A
from landloom.model.time import Period
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.store.raster import RasterFile

pytestmark = pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not")
ENCODINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "fill": {"_FillValue": -9999},
    "packed": {"_FillValue": -9999, "scale_factor": 0.0002, "add_offset": -0.1, "dtype": "int32"},
    "float": {"_FillValue": np.float32("nan"), "dtype": "float32"},
    "odd-chunks": {"_FillValue": -9999, "chunks": (3, 17, 23)},
    "big-endian": {"_FillValue": -9999, "dtype": ">i2"},
}


def _written(folder: Path, encoding: dict[str, Any]) -> dict[str, str]:
    """Form → address of the same variable."""
    made = cube(HLS)[["B04", "spatial_ref"]]
    if "scale_factor" in encoding:
        made["B04"] = made["B04"].astype(float) * 0.0002 - 0.1
        made["B04"].attrs["grid_mapping"] = "spatial_ref"
    made["B04"].encoding = encoding
    made.to_zarr(folder / "c3.zarr", zarr_format=3)
    made.to_zarr(folder / "c2.zarr", zarr_format=2)
    made["B04"].encoding = {key: value for key, value in encoding.items() if key != "chunks"}
    made.to_netcdf(folder / "c.nc", engine="h5netcdf")
    return {
        "v3": f'ZARR:"{folder / "c3.zarr"}":/B04',
        "v2": f'ZARR:"{folder / "c2.zarr"}":/B04',
        "netcdf": f'NETCDF:"{folder / "c.nc"}":B04',
    }


@contextlib.contextmanager
def _opened(addresses: dict[str, str]) -> Iterator[dict[str, RasterFile]]:
    with contextlib.ExitStack() as stack:
        yield {form: stack.enter_context(open_raster(address)) for form, address in addresses.items()}


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_same_data_is_the_same_in_every_form(name: str, tmp_path: Path) -> None:
    with _opened(_written(tmp_path, ENCODINGS[name])) as files:
        own, others = files.pop("v3"), files
        for form, other in others.items():
            assert own.grid == other.grid
            assert (own.count, own.dtype, own.scaling_of(2)) == (other.count, other.dtype, other.scaling_of(2)), form
            np.testing.assert_equal(own.nodata_of(1), other.nodata_of(1))
            assert own.times == other.times
            for band, window in ((1, own.grid), (4, own.grid.window(5, 11, 33, 40))):
                np.testing.assert_array_equal(own.read(window, band=band), other.read(window, band=band))


def test_numbers_decode_to_those_of_xarray(tmp_path: Path) -> None:
    address = _written(tmp_path, ENCODINGS["packed"])["v3"]
    wanted = xr.open_zarr(tmp_path / "c3.zarr", chunks=None)["B04"].values[2]
    with open_raster(address) as raster:
        factor, offset = raster.scaling_of(3) or (1.0, 0.0)
        numbers = raster.read(raster.grid, band=3)
        found = np.where(numbers == raster.nodata_of(3), np.nan, numbers * factor + offset)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_rows_from_south_to_north_are_turned(tmp_path: Path) -> None:
    made = cube(HLS)
    made.to_zarr(tmp_path / "a.zarr", zarr_format=3)
    made.isel(y=slice(None, None, -1)).to_zarr(tmp_path / "b.zarr", zarr_format=3)
    with _opened({name: f'ZARR:"{tmp_path / name}.zarr":/B04' for name in "ab"}) as files:
        assert files["a"].grid == files["b"].grid
        window = files["a"].grid.window(3, 4, 20, 31)
        np.testing.assert_array_equal(files["a"].read(window, band=2), files["b"].read(window, band=2))
        assert files["b"].preview().shape == (60, 60)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda made: made.drop_vars("spatial_ref"), "CRS"),
        (lambda made: made.assign_coords(x=made.x.values + 30 * (np.arange(60) > 30)), "evenly spaced"),
        (lambda made: made.drop_vars("x"), "coordinates of x"),
        (lambda made: made.expand_dims(level=[1.0]), "level"),
        (lambda made: made.assign(B04=made.B04.astype(complex)), "complex"),
        (lambda made: made.assign_coords(x=made.x.values[::-1]), "north-up"),
    ],
)
def test_what_is_not_understood_is_said(change: Any, what: str, tmp_path: Path) -> None:
    change(cube(HLS)).to_zarr(tmp_path / "c.zarr", zarr_format=3)
    with pytest.raises(PermanentFaultError, match=what), open_raster(f'ZARR:"{tmp_path / "c.zarr"}":/B04'):
        pass


def test_geozarr_attributes_serve_instead_of_coordinates(tmp_path: Path) -> None:
    made = cube(HLS)
    place = [30.0, 0.0, float(made.x[0]) - 15, 0.0, -30.0, float(made.y[0]) + 15]
    bare = made.drop_vars(["x", "y", "spatial_ref"]).assign_attrs(
        {"proj:code": "EPSG:32633", "spatial:transform": place}
    )
    bare.to_zarr(tmp_path / "a.zarr", zarr_format=3)
    made.to_zarr(tmp_path / "b.zarr", zarr_format=3)
    with _opened({name: f'ZARR:"{tmp_path / name}.zarr":/B04' for name in "ab"}) as files:
        assert files["a"].grid == files["b"].grid


def test_unsigned_numbers_in_signed_types(tmp_path: Path) -> None:
    made = cube(HLS)
    numbers = np.array([[[-1, 5], [-2, 7]]] * 4, np.int16)
    own = made.isel(y=slice(2), x=slice(2)).assign(B04=(("time", "y", "x"), numbers))
    own["B04"].attrs = {"grid_mapping": "spatial_ref", "_Unsigned": "true", "missing_value": np.int16(-1)}
    own.to_zarr(tmp_path / "c.zarr", zarr_format=3)
    with open_raster(f'ZARR:"{tmp_path / "c.zarr"}":/B04') as raster:
        np.testing.assert_array_equal(raster.read(raster.grid), [[65_535, 5], [65_534, 7]])
        assert raster.nodata_of(1) == 65_535


def test_own_cubes_are_scenes_of_every_sample_and_timestep(tmp_path: Path) -> None:
    made = write_corpus(tmp_path / "corpus", layouts=("cubes",))
    folder = next(path for path in (tmp_path / "corpus").rglob("*.zarr") if path.is_dir())
    samples = [sample for sample in made.ids if sample.startswith("33N")]
    outline = SampleId.parse(samples[0]).grid(10).footprint().buffer(0.5)
    scenes = CubeArchive(folder, SENTINEL_2_L2A).search(outline, Period.year(2018))
    assert len(scenes) == 3 * len(samples)
    for scene in scenes:
        (sample,) = (one for one in samples if one in scene.id)
        for position, band in enumerate(("B04", "B08", "B11")):
            with open_raster(scene.bands[band].href) as raster:
                assert raster.grid == SampleId.parse(sample).grid(raster.grid.resolution)
                found = raster.read(raster.grid, band=scene.bands[band].band)
            np.testing.assert_array_equal(found, made.series[sample][scene.time.month - 1, position])
