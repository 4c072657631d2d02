"""Documents and coordinates of cubes against zarr-python, and against themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.formats.zarr.metadata import DIMENSIONS, cube_documents, read_cube_spec
from landloom.formats.zarr.spec import CubeSpec
from landloom.model.grid import Grid

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
START = datetime(2018, 1, 15, 10, 30, tzinfo=UTC)


def spec(samples: tuple[str, ...] = ("a", "b"), steps: int = 3, **changes: Any) -> CubeSpec:
    made = CubeSpec(
        samples=samples,
        timesteps=tuple(f"2018-01-{n + 1:02}" for n in range(steps)),
        times=tuple(START + timedelta(days=n) for n in range(steps)),
        bands=("B02", "é"),
        corners=tuple((500_000.0 + 600 * n, 5_000_000.5 - n) for n in range(len(samples))),
        height=5,
        width=7,
        dtype="uint16",
        nodata=0,
        epsg=32633,
        resolution=10.0,
    )
    return replace(made, **changes)


@given(
    samples=st.lists(NAMES, min_size=1, max_size=5, unique=True).map(tuple),
    bands=st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    steps=st.integers(1, 4),
    kind=st.sampled_from([("uint16", None), ("uint8", 255), ("int16", -1), ("float32", -9999.5), ("float64", 0)]),
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    mask=st.none() | st.integers(0, 2**20 - 1),
)
def test_what_is_written_is_read_back(
    samples: tuple[str, ...],
    bands: tuple[str, ...],
    steps: int,
    kind: tuple[str, float | None],
    title: str,
    mask: int | None,
) -> None:
    seen = (
        None
        if mask is None
        else tuple(
            tuple(bool(mask >> (row * steps + step) & 1) for step in range(steps)) for row in range(len(samples))
        )
    )
    wanted = spec(samples, steps, bands=bands, dtype=kind[0], nodata=kind[1], title=title, observed=seen)
    files = cube_documents(wanted, shard=16, level=5)
    assert list(files)[-1] == "zarr.json"
    assert read_cube_spec(files.__getitem__, shard=16) == wanted


def test_nodata_that_is_no_number_comes_back() -> None:
    files = cube_documents(spec(dtype="float32", nodata=float("nan")), shard=16, level=5)
    nodata = read_cube_spec(files.__getitem__, shard=16).nodata
    assert nodata is not None
    assert np.isnan(nodata)


def test_zarr_reads_the_documents_and_takes_absent_shards_for_nodata() -> None:
    wanted = spec(nodata=9, observed=((True, False, True), (False, True, True)))
    buffer = zarr.core.buffer.default_buffer_prototype().buffer
    files = cube_documents(wanted, shard=16, level=5)
    store = MemoryStore({key: buffer.from_bytes(data) for key, data in files.items()})
    group = zarr.open_group(store, mode="r")
    data = group["data"]
    assert isinstance(data, zarr.Array)
    assert data.metadata.dimension_names == DIMENSIONS  # type: ignore[union-attr]
    assert data.shape == wanted.shape
    np.testing.assert_array_equal(data[:], np.full(wanted.shape, 9))
    for name, values in (("sample", wanted.samples), ("observed", wanted.observed), ("timestep", wanted.timesteps)):
        array = group[name]
        assert isinstance(array, zarr.Array)
        np.testing.assert_array_equal(array[:], values)


def test_a_sample_has_its_grid() -> None:
    assert spec().grid(1) == Grid.of_bounds(32633, (500_600, 4_999_949.5, 500_670, 4_999_999.5), 10)


def test_another_encoding_is_refused() -> None:
    files = cube_documents(spec(), shard=16, level=5)
    with pytest.raises(InvalidInputError, match="encoded in another way"):
        read_cube_spec(files.__getitem__, shard=8)
    group = json.loads(files["zarr.json"])
    del group["attributes"]["nodata"]
    for change in ({"zarr.json": json.dumps(group).encode()}, {"sample/c/0": b"\1"}, {"north/c/0": bytes(8)}):
        with pytest.raises(InvalidInputError, match=r"no cubes array|damaged"):
            read_cube_spec((files | change).__getitem__, shard=16)


@pytest.mark.parametrize(
    "changes",
    [
        {"samples": ()},
        {"samples": ("a", "a")},
        {"bands": ()},
        {"height": 0},
        {"times": ()},
        {"corners": ((0.0, 0.0),)},
        {"observed": ((True,), (True,))},
    ],
)
def test_what_does_not_agree_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="got"):
        replace(spec(), **changes)
