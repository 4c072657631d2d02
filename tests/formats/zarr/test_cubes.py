"""Our cubes against zarr-python and xarray, which must read the same values, and against damage."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError
from landloom.formats.zarr.codecs import CODECS
from landloom.formats.zarr.cubes import (
    SHARD,
    CubeReader,
    encode_cube_shard,
    encode_cubes,
    shard_count,
    shard_key,
)
from landloom.formats.zarr.spec import CubeSpec
from landloom.model.grid import Grid
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.formats.zarr.codecs import Codec


def _spec(samples: int = 3, **changes: Any) -> CubeSpec:
    steps = 4
    spec = CubeSpec(
        samples=tuple(f"33N_16E-243N_29_{n + 1:02}" for n in range(samples)),
        timesteps=tuple(f"2018-{n + 1:02}" for n in range(steps)),
        times=tuple(datetime(2018, n + 1, 15, 10, 30, tzinfo=UTC) for n in range(steps)),
        bands=("B02", "B03", "é"),
        corners=tuple((500_000.0 + 600 * n, 5_000_000.0) for n in range(samples)),
        height=5,
        width=7,
        dtype="uint16",
        nodata=0,
        epsg=32633,
        resolution=10.0,
    )
    return replace(spec, **changes)


def _cubes(spec: CubeSpec) -> NDArray[Any]:
    return np.random.default_rng(5).integers(0, 200, spec.shape).astype(spec.dtype)


def _reader(files: dict[str, bytes]) -> CubeReader:
    return CubeReader(files.__getitem__, lambda key, start, length: files[key][start : start + length])


def _mask(samples: int) -> tuple[tuple[bool, ...], ...]:
    return tuple(tuple(bool((n + step) % 3) for step in range(4)) for n in range(samples))


@pytest.mark.parametrize("samples", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32"])
def test_zarr_and_xarray_read_the_same(tmp_path: Path, samples: int, dtype: str) -> None:
    codec = CODECS[samples > 15]
    spec = _spec(samples, dtype=dtype, codec=codec, observed=_mask(samples) if samples % 2 else None)
    cubes = _cubes(spec)
    store = LocalStore(tmp_path / "S2-SR.zarr")
    for key, data in encode_cubes(spec, cubes):
        store.put(key, data)
    group = zarr.open_group(store.uri, mode="r")
    array = group["data"]
    assert isinstance(array, zarr.Array)
    assert array.shards == (SHARD, *spec.shape[1:])
    assert array.chunks == (1, *spec.shape[1:])
    np.testing.assert_array_equal(array[:], cubes)
    for consolidated in (None, True, False):
        with xr.open_zarr(store.uri, consolidated=consolidated, mask_and_scale=False) as dataset:
            assert dataset["data"].dims == ("sample", "time", "band", "y", "x")
            assert dataset["data"].dtype == np.dtype(dtype)
            np.testing.assert_array_equal(dataset["data"], cubes)
            np.testing.assert_array_equal(dataset["sample"], list(spec.samples))
            np.testing.assert_array_equal(dataset["band"], list(spec.bands))
            np.testing.assert_array_equal(dataset["timestep"], list(spec.timesteps))
            np.testing.assert_array_equal(
                dataset["time"], np.array([time.replace(tzinfo=None) for time in spec.times], "datetime64[ns]")
            )
            np.testing.assert_array_equal(np.stack([dataset["west"], dataset["north"]], axis=1), spec.corners)
            assert ("observed" in dataset.coords) == (spec.observed is not None)
            if spec.observed is not None:
                np.testing.assert_array_equal(dataset["observed"], spec.observed)
            assert dataset.attrs["proj:code"] == "EPSG:32633"
    reader = CubeReader(store.get, store.get_range)
    assert reader.spec == spec
    for place, sample in enumerate(spec.samples):
        got = reader.read(sample)
        assert got.dtype == cubes.dtype
        np.testing.assert_array_equal(got, cubes[place])


def test_xarray_finds_nodata_scale_crs_and_places(tmp_path: Path) -> None:
    spec = replace(_spec(3), scale=0.0001, unit="1")
    cubes, store = _cubes(spec), LocalStore(tmp_path / "S2-SR.zarr")
    cubes[1, 0, 0, 0, 0] = 0
    for key, data in encode_cubes(spec, cubes):
        store.put(key, data)
    with xr.open_zarr(store.uri) as dataset:
        data = dataset["data"]
        assert (data.encoding["_FillValue"], data.encoding["scale_factor"], data.attrs["units"]) == (0, 0.0001, "1")
        np.testing.assert_allclose(data.fillna(0), cubes * 0.0001)
        assert bool(data[1, 0, 0, 0, 0].isnull())
        assert CRS.from_wkt(dataset[data.attrs["grid_mapping"]].attrs["crs_wkt"]).to_epsg() == spec.epsg
        own, grid = dataset.isel(sample=1), spec.grid(1)
        assert (own["x"].dims, own["y"].dims) == (("x",), ("y",))
        assert own["x"].values.tolist() == [grid.west + (at + 0.5) * grid.pixel_width for at in range(grid.width)]
        assert own["y"].values.tolist() == [grid.north - (at + 0.5) * grid.pixel_height for at in range(grid.height)]
    assert CubeReader(store.get, store.get_range).spec == spec


def test_zarr_written_shards_are_read(tmp_path: Path) -> None:
    spec = _spec(20)
    cubes = _cubes(spec)
    cubes[3] = 0
    store = LocalStore(tmp_path)
    for key, data in encode_cubes(spec, cubes):
        store.put(key, data)
    for shard in range(2):
        store.delete(shard_key(shard))
    array = zarr.open_array(tmp_path / "data", mode="r+", config={"write_empty_chunks": False})
    array[:] = cubes
    reader = CubeReader(store.get, store.get_range)
    for place in range(20):
        np.testing.assert_array_equal(reader.read(place), cubes[place])


@given(
    samples=st.integers(1, 36),
    dtype=st.sampled_from(["uint8", "uint16", "int32", "float64"]),
    nodata=st.sampled_from([None, 0, 255]),
    epsg=st.sampled_from([32633, 32701]),
    codec=st.sampled_from(CODECS),
    seconds=st.integers(0, 86_399),
)
@settings(max_examples=25)
def test_spec_and_pixels_come_back(
    samples: int, dtype: str, nodata: int | None, epsg: int, codec: Codec, seconds: int
) -> None:
    spec = _spec(samples, dtype=dtype, nodata=nodata, epsg=epsg, codec=codec, observed=_mask(samples))
    spec = replace(spec, times=tuple(time + timedelta(seconds=seconds) for time in spec.times))
    cubes = _cubes(spec)
    files = dict(encode_cubes(spec, cubes))
    assert files == dict(encode_cubes(spec, cubes.copy()))
    assert sum(key.startswith("data/c/") for key in files) == shard_count(samples)
    reader = _reader(files)
    assert reader.spec == spec
    for place in range(samples):
        np.testing.assert_array_equal(reader.read(place), cubes[place])


def test_nan_may_stand_for_nothing(tmp_path: Path) -> None:
    spec = _spec(2, dtype="float32", nodata=float("nan"))
    cubes = _cubes(spec)
    files = dict(encode_cubes(spec, cubes))
    assert np.isnan(_reader(files).spec.fill)
    store = LocalStore(tmp_path)
    for key, data in files.items():
        store.put(key, data)
    array = zarr.open_array(tmp_path / "data", mode="r")
    assert np.isnan(array.fill_value)
    np.testing.assert_array_equal(array[:], cubes)


def test_a_sample_is_one_small_read_and_the_index_is_read_once() -> None:
    spec = _spec(20)
    files = dict(encode_cubes(spec, _cubes(spec)))
    reads: list[tuple[str, int]] = []

    def get_range(key: str, start: int, length: int) -> bytes:
        reads.append((key, length))
        return files[key][start : start + length]

    reader = CubeReader(files.__getitem__, get_range)
    reader.read(17)
    reader.read(18)
    reader.read(17)
    assert [key for key, _ in reads] == [shard_key(1)] * 4
    assert sum(length for _, length in reads) < 2 * len(files[shard_key(1)])


def test_a_prefix_goes_before_every_key() -> None:
    spec = _spec(2)
    cubes = _cubes(spec)
    files = {f"imagery/S2.zarr/{key}": data for key, data in encode_cubes(spec, cubes)}
    reader = CubeReader(
        files.__getitem__, lambda key, start, length: files[key][start : start + length], "imagery/S2.zarr/"
    )
    np.testing.assert_array_equal(reader.read(1), cubes[1])


def test_grids_and_places() -> None:
    spec = _spec(3)
    reader = _reader(dict(encode_cubes(spec, _cubes(spec))))
    assert reader.grid(spec.samples[2]) == reader.grid(2)
    assert reader.grid(2) == Grid.of_bounds(32633, (501_200, 4_999_950, 501_270, 5_000_000), 10)
    with pytest.raises(NotFoundError, match="33N_16E-243N_29_01"):
        reader.read("33N_16E-243N_29_99")
    for place in (-1, 3):
        with pytest.raises(NotFoundError, match="position"):
            reader.read(place)


@pytest.mark.parametrize("place", [0, 8, 250, 259, 300, -1])
def test_damage_is_named(place: int) -> None:
    spec = _spec(16, codec=CODECS[place % 2])
    cubes = _cubes(spec)
    files = dict(encode_cubes(spec, cubes))
    shard = bytearray(files[shard_key(0)])
    shard[place] ^= 0x55
    files[shard_key(0)] = bytes(shard)
    reader, wrong = _reader(files), 0
    for sample in range(16):
        try:
            got = reader.read(sample)
        except InvalidInputError as error:
            assert shard_key(0) in str(error)  # noqa: PT017 - most samples are read well
            wrong += 1
        else:
            wrong += not np.array_equal(got, cubes[sample])
    assert wrong == (16 if 0 <= place < 260 else 1)


def test_other_groups_are_refused() -> None:
    spec = _spec(2)
    files = dict(encode_cubes(spec, _cubes(spec)))
    for change in (
        {"zarr.json": b"{}"},
        {"zarr.json": b"not json"},
        {"zarr.json": files["zarr.json"].replace(b'"start"', b'"end"')},
        {"sample/c/0": files["sample/c/0"][:-40]},
        {"west/c/0": b""},
    ):
        with pytest.raises(InvalidInputError, match=r"no cubes array|damaged"):
            _reader(files | change)


def test_what_does_not_fit_is_refused() -> None:
    spec = _spec(3)
    cubes = _cubes(spec)
    for wrong in (cubes[:2], cubes.astype(np.int16), cubes[..., :-1]):
        with pytest.raises(InvalidValueError, match="expected uint16"):
            list(encode_cubes(spec, wrong))
    for wrong in (cubes[0], cubes[:0], np.repeat(cubes, 6, axis=0)):
        with pytest.raises(InvalidValueError, match="expected"):
            encode_cube_shard(wrong)
    for changes in (
        {"samples": ()},
        {"bands": ()},
        {"width": 0},
        {"samples": ("a", "a", "b")},
        {"times": ()},
        {"corners": ()},
        {"observed": ((True,),)},
    ):
        with pytest.raises(InvalidValueError, match="got"):
            replace(spec, **changes)
