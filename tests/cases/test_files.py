"""Files on disk as an archive: a folder of bands or stacks, a NetCDF or Zarr cube, of known and described sensors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pyproj import CRS
from tests.cases.sensor_archives import CASES, CELLS, DAYS, SIZE, Case, recipe, transform, write_archive, write_tif
from tests.cases.test_sensors import built, require_truth

from landloom.archive.open import open_archive
from landloom.errors import PermanentFaultError, RecipeError
from landloom.model.recipe import ArchiveSection
from landloom.model.time import Period
from landloom.pipelines.registry import Recipe
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Layout = Callable[[Path, Case], dict[str, Any]]

OWN: dict[str, Any] = {
    "name": "planet",
    "resolution": 30,
    "scale": 0.0002,
    "offset": -0.1,
    "nodata": 7,
    "bands": ["red", {"name": "nir", "file": "N"}],
    "mask": {"name": "udm", "clear": [0, 4], "cloudy": [1, 3], "nodata": 9},
}
PLANET = Case(
    sensor="planet",
    name="",
    red="red",
    nir="N",
    mask="udm",
    bands=("red", "nir"),
    clear=(0, 4),
    cloudy=(1, 3, 77),  # the last one is unknown
    missing=9,
    mask_dtype="uint8",
    fill=7,
    factor=(2, -1_000, 1),
)
HLS = CASES["hls-l30"]
pytestmark = pytest.mark.filterwarnings("ignore:All-NaN slice", "ignore:Consolidated metadata is currently not")


def write_bands(folder: Path, case: Case, name: str) -> None:
    numbers, mask = case.truth()
    for at, day in enumerate(DAYS):
        files = {case.red: numbers[at, 0], case.nir: numbers[at, 1], case.mask: mask[at]}
        for key, array in files.items():
            path = folder / name.format(day=day.replace("-", ""), band=key)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_tif(path, array[None])


def write_stacks(folder: Path, case: Case, name: str) -> None:
    numbers, mask = case.truth()
    for at, day in enumerate(DAYS):
        stack = np.stack([*numbers[at], mask[at].astype(case.dtype)])
        write_tif(folder / name.format(day=day), stack)


def cube(case: Case) -> xr.Dataset:
    numbers, mask = case.truth()
    place = transform()
    x, y = place.c + 30 * (np.arange(SIZE) + 0.5), place.f - 30 * (np.arange(SIZE) + 0.5)
    axes = ("time", "y", "x")
    data: dict[str, Any] = {case.red: (axes, numbers[:, 0]), case.nir: (axes, numbers[:, 1]), case.mask: (axes, mask)}
    made = xr.Dataset(data, coords={"time": pd.to_datetime([f"{day}T10:02:11" for day in DAYS]), "y": y, "x": x})
    made["spatial_ref"] = ((), 0, CRS.from_epsg(32633).to_cf())
    for name in data:
        made[name].attrs["grid_mapping"] = "spatial_ref"
    for name in ("x", "y"):
        made[name].attrs = {"standard_name": f"projection_{name}_coordinate", "units": "m"}
    return made


def _folder(
    name: str, pattern: str, write: Callable[[Path, Case, str], None]
) -> Callable[[Path, Case], dict[str, Any]]:
    def made(folder: Path, case: Case) -> dict[str, Any]:
        write(folder, case, name)
        return {"href": str(folder), "pattern": pattern}

    return made


def _netcdf(folder: Path, case: Case) -> dict[str, Any]:
    cube(case).to_netcdf(folder / "cube.nc", engine="h5netcdf")
    return {"href": str(folder / "cube.nc")}


def _zarr(folder: Path, case: Case) -> dict[str, Any]:
    cube(case).to_zarr(folder / "cube.zarr", zarr_format=2)
    return {"href": str(folder / "cube.zarr")}


def _zarr3(**changes: Any) -> Layout:
    def made(folder: Path, case: Case) -> dict[str, Any]:
        own = cube(case)
        for name in (case.red, case.nir, case.mask):
            own[name].encoding = {"chunks": (2, 30, 30), "shards": (4, 60, 60)} if changes.get("sharded") else {}
        own = own.isel(y=slice(None, None, -1)) if changes.get("turned") else own
        own.to_zarr(folder / "cube.zarr", zarr_format=3, consolidated=not changes.get("sharded"))
        return {"href": str(folder / "cube.zarr")}

    return made


def _axis_of_bands(folder: Path, case: Case) -> dict[str, Any]:
    own = cube(case)
    bands = xr.concat([own[name] for name in (case.red, case.nir, case.mask)], dim="band")
    bands = bands.assign_coords(band=np.array([case.red, case.nir, case.mask], object)).transpose(
        "time", "band", "y", "x"
    )
    bands.attrs["grid_mapping"] = "spatial_ref"
    xr.Dataset({"reflectance": bands, "spatial_ref": own["spatial_ref"]}).to_zarr(folder / "c.zarr", zarr_format=3)
    return {"href": str(folder / "c.zarr")}


LAYOUTS = {
    "bands": _folder("{day}_{band}.tif", "{date}_{band}.tif", write_bands),
    "folders": _folder("{day}/x_{band}_30m.tif", "{date}/*_{band}_*m.tif", write_bands),
    "stacks": _folder("s_{day}.tif", "s_{date}.tif", write_stacks),
    "netcdf": _netcdf,
    "zarr": _zarr,
    "zarr3": _zarr3(),
    "zarr3-sharded": _zarr3(sharded=True),
    "zarr3-turned": _zarr3(turned=True),
    "zarr3-bands": _axis_of_bands,
}


@pytest.mark.parametrize(("layout", "case"), [*((name, PLANET) for name in LAYOUTS), ("bands", HLS), ("netcdf", HLS)])
def test_every_layout_gives_the_same_composites(layout: str, case: Case, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    archive = {"kind": "files", **LAYOUTS[layout](tmp_path / "files", case)}
    archive |= {"own_sensor": OWN} if case is PLANET else {"sensor": case.sensor}
    require_truth(built(tmp_path, recipe(archive, case.bands)), case)


def test_cubes_that_landloom_writes_are_input(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    archive = {"kind": "files", "sensor": HLS.sensor, **_zarr3()(tmp_path / "files", HLS)}
    first = built(tmp_path, recipe(archive, HLS.bands) | {"layouts": ["cubes"]})
    (cubes,) = (path for path in first.rglob("*.zarr") if "count" not in path.name.lower())
    own = {"name": "again", "resolution": 30, "bands": list(HLS.bands)}
    (tmp_path / "again").mkdir()
    second = built(tmp_path / "again", recipe({"kind": "files", "href": str(cubes), "own_sensor": own}, HLS.bands))
    before, after = (Corpus.open(corpus).query() for corpus in (first, second))
    for cell in CELLS:
        np.testing.assert_array_equal(after.cube(str(cell), "own").values, before.cube(str(cell), "own").values)


def test_a_described_sensor_is_read_from_stac_too(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    case = replace(PLANET, name="scene_{day}")
    archive = {"kind": "static", "href": str(write_archive(tmp_path / "archive", case)), "own_sensor": OWN}
    require_truth(built(tmp_path, recipe(archive, case.bands)), case)


def opened(folder: Path, pattern: str) -> Any:
    own = ArchiveSection(kind="files", href="x", own_sensor=OWN).own_sensor
    assert own is not None
    return open_archive("files", str(folder), sensor=own.sensor, pattern=(pattern,))


def test_files_that_do_not_match_are_named(tmp_path: Path) -> None:
    write_bands(tmp_path, PLANET, "{day}_{band}.tif")
    (tmp_path / "readme.txt").write_text("x", encoding="utf-8")
    write_tif(tmp_path / "20180603_thermal.tif", np.ones((1, SIZE, SIZE), np.uint16))
    write_tif(tmp_path / "20181341_red.tif", np.ones((1, SIZE, SIZE), np.uint16))
    write_tif(tmp_path / "2018-06-03_red.tif", np.ones((1, SIZE, SIZE), np.uint16))
    archive = opened(tmp_path, "{date}_{band}.tif")
    scenes = archive.search(CELLS[0].grid(30).footprint(), Period.year(2018))
    assert [scene.id for scene in scenes] == list(DAYS)
    told = {str(problem.where).rpartition("/")[2]: problem.what for problem in archive.problems}
    assert set(told) == {"readme.txt", "20180603_thermal.tif", "20181341_red.tif", "20180603_red.tif"}
    assert "thermal" in told["20180603_thermal.tif"]
    assert "red of 2018-06-03" in told["20180603_red.tif"]


def test_a_folder_of_which_nothing_matches_is_an_error_that_names_files(tmp_path: Path) -> None:
    write_bands(tmp_path, PLANET, "{day}-{band}.tif")
    with pytest.raises(PermanentFaultError, match=r"no file matches \{date\}_\{band\}.tif: got 20180603-N.tif"):
        opened(tmp_path, "{date}_{band}.tif").search(CELLS[0].grid(30).footprint(), Period.year(2018))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"pattern": "{band}.tif"}, "archive.pattern"),
        ({"pattern": "{day}_{band}.tif"}, "archive.pattern"),
        ({}, "archive.pattern"),
        ({"href": "cube.nc", "pattern": "{date}.tif"}, "archive.pattern"),
        ({"href": "https://example.org/scenes", "pattern": "{date}.tif"}, "archive.href"),
        ({"kind": "static", "pattern": "{date}.tif"}, "archive.pattern"),
        ({"pattern": "{date}.tif", "sensor": "hls-s30"}, "archive"),
        ({"pattern": "{date}.tif", "own_sensor": OWN | {"offset": 1, "scale": None}}, "archive.own_sensor"),
        ({"pattern": "{date}.tif", "own_sensor": OWN | {"bands": []}}, "archive.own_sensor.bands"),
        ({"pattern": "{date}.tif", "own_sensor": OWN | {"mask": {"name": "m"}}}, "archive.own_sensor.mask"),
    ],
)
def test_what_a_description_lacks_is_said_when_the_recipe_is_read(changes: dict[str, Any], where: str) -> None:
    archive = {"kind": "files", "href": "scenes", "own_sensor": OWN} | changes
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(recipe(archive, ("red", "nir")))
    assert where in [problem.where for problem in caught.value.problems]


def test_a_changed_description_is_another_input() -> None:
    one = ArchiveSection(kind="files", href="x", pattern="{date}.tif", own_sensor=OWN).own_sensor
    assert one is not None
    assert str(one.sensor) == str(one.sensor)
    assert str(one.sensor) != str(replace(one.sensor, nodata=8))
