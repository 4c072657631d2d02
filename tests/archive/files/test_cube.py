"""Time axes of cubes; building from cubes is tested in tests/cases/test_files.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import xarray as xr
from tests.cases.sensor_archives import CELLS
from tests.cases.test_files import HLS, cube

from landloom.archive.files.cube import CubeArchive, instants
from landloom.errors import InvalidValueError, PermanentFaultError
from landloom.model.sensor import HLS_L30
from landloom.model.time import Period

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not")
PLACE = CELLS[0].grid(30).footprint()


@pytest.mark.parametrize(
    ("value", "units", "stamp"),
    [
        (1.0, "days since 2018-06-02", "2018-06-03T00:00:00+00:00"),
        (36.0, "hours since 2018-06-01T22:00:00Z", "2018-06-03T10:00:00+00:00"),
        (90.0, "seconds since 2018-06-03 10:00:00", "2018-06-03T10:01:30+00:00"),
        (1.0, "minutes since 2018-06-03 10:00:00 UTC", "2018-06-03T10:01:00+00:00"),
    ],
)
def test_times_follow_their_units(value: float, units: str, stamp: str) -> None:
    assert instants((value,), units)[0].isoformat() == stamp


@pytest.mark.parametrize("units", ["fortnights since 2018-01-01", "days", "days since yesterday"])
def test_units_that_are_not_understood_are_refused(units: str) -> None:
    with pytest.raises(InvalidValueError, match="got"):
        instants((1.0,), units)


def test_variables_with_another_time_axis_or_none_are_left_out_by_name(tmp_path: Path) -> None:
    made = cube(HLS)
    made["B03"] = made["B04"].isel(time=0, drop=True)
    made.to_netcdf(tmp_path / "cube.nc", engine="h5netcdf")
    archive = CubeArchive(tmp_path / "cube.nc", HLS_L30)
    scenes = archive.search(PLACE, Period.year(2018))
    assert scenes[0].id == "cube_2018-06-03T100211"
    assert all(set(scene.bands) == {"B04", "B05"} for scene in scenes)
    assert [problem.where.rpartition(": ")[2] for problem in archive.problems] == ["B03"]


def test_the_time_axis_may_have_any_name(tmp_path: Path) -> None:
    cube(HLS).rename(time="t").isel(t=[1]).to_netcdf(tmp_path / "c.nc", engine="h5netcdf")
    cube(HLS).rename(time="acquired").to_zarr(tmp_path / "c.zarr", zarr_format=2)
    cube(HLS).rename(time="acquired").to_zarr(tmp_path / "d.zarr", zarr_format=3)
    for name, count in (("c.nc", 1), ("c.zarr", 4), ("d.zarr", 4)):
        found = CubeArchive(tmp_path / name, HLS_L30).search(PLACE, Period.year(2018))
        assert len(found) == count


def test_a_turned_cube_is_refused(tmp_path: Path) -> None:
    cube(HLS).transpose("y", "x", "time").to_netcdf(tmp_path / "turned.nc", engine="h5netcdf")
    with pytest.raises(PermanentFaultError, match="north-up"):
        CubeArchive(tmp_path / "turned.nc", HLS_L30).search(PLACE, Period.year(2018))


@pytest.mark.parametrize("form", ["nc", "zarr"])
def test_a_calendar_without_leap_years_is_refused(form: str, tmp_path: Path) -> None:
    made = cube(HLS)
    made["time"] = ("time", np.array([150, 160, 170, 180]), {"units": "days since 2018-01-01", "calendar": "360_day"})
    if form == "nc":
        made.to_netcdf(tmp_path / "c.nc", engine="h5netcdf")
    else:
        made.to_zarr(tmp_path / "c.zarr", zarr_format=3)
    with pytest.raises(PermanentFaultError, match="calendar 360_day"):
        CubeArchive(tmp_path / f"c.{form}", HLS_L30).search(PLACE, Period.year(2018))


def test_a_cube_without_any_band_of_the_sensor_is_an_error_that_names_its_variables(tmp_path: Path) -> None:
    xr.Dataset({"ndvi": (("time", "y", "x"), np.zeros((2, 3, 3)))}).to_netcdf(tmp_path / "c.nc", engine="h5netcdf")
    with pytest.raises(PermanentFaultError, match="got variables ndvi, expected some of B01"):
        CubeArchive(tmp_path / "c.nc", HLS_L30).search(PLACE, Period.year(2018))


def test_there_has_to_be_a_cube(tmp_path: Path) -> None:
    (tmp_path / "c.nc").write_bytes(b"none")
    for name in ("c.nc", "d.nc"):
        with pytest.raises(PermanentFaultError, match=name):
            CubeArchive(tmp_path / name, HLS_L30).search(PLACE, Period.year(2018))
