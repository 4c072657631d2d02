"""Cubes of Zarr version 3 that cannot be read: each is told in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import zarr
from tests.cases.test_files import HLS, cube

from landloom.errors import PermanentFaultError
from landloom.store.raster import cube_layers, open_raster

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not")


def _edit(path: Path, **changes: Any) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | changes), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = cube(HLS)
    made["B04"].encoding = {"chunks": (1, 60, 60)}
    made.to_zarr(tmp_path / "c.zarr", zarr_format=3, consolidated=False)
    return tmp_path / "c.zarr"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"codecs": [{"name": "bytes"}, {"name": "squeeze"}]}, "squeeze"),
        ({"chunk_grid": {"name": "rectilinear", "configuration": {}}}, "chunk grid"),
        ({"data_type": "float13"}, "float13"),
        ({"shape": "many"}, "Zarr version 3"),
    ],
)
def test_what_zarr_does_not_know_is_named(folder: Path, changes: dict[str, Any], what: str) -> None:
    _edit(folder / "B04" / "zarr.json", **changes)
    with pytest.raises(PermanentFaultError, match=what):
        cube_layers(str(folder))


def test_documents_that_are_no_json_are_faults(folder: Path) -> None:
    (folder / "zarr.json").write_text("{", encoding="utf-8")
    with pytest.raises(PermanentFaultError, match="Zarr version 3"):
        cube_layers(str(folder))


def test_inner_groups_are_named(tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "c.zarr", mode="w", zarr_format=3)
    cube(HLS).to_zarr(tmp_path / "c.zarr", group="north", zarr_format=3)
    with pytest.raises(PermanentFaultError, match=r"groups \(north\): name the one to read"):
        cube_layers(str(tmp_path / "c.zarr"))
    assert "B04" in [layer.variable.name for layer in cube_layers(str(tmp_path / "c.zarr" / "north"))]


def test_a_single_array_and_an_empty_group_are_no_cubes(folder: Path, tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "e.zarr", mode="w", zarr_format=3)
    for path, what in ((folder / "B04", "is a Zarr array"), (tmp_path / "e.zarr", "holds nothing")):
        with pytest.raises(PermanentFaultError, match=what):
            cube_layers(str(path))


def test_a_damaged_chunk_is_a_fault_of_its_date_alone(folder: Path) -> None:
    (folder / "B04" / "c" / "1" / "0" / "0").write_bytes(b"no zstd")
    with open_raster(f'ZARR:"{folder}":/B04') as raster:
        assert raster.read(raster.grid, band=1).any()
        with pytest.raises(PermanentFaultError, match="B04"):
            raster.read(raster.grid, band=2)
