"""Periodic filling on real series: of withheld observations, and against an independent product."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
import xarray as xr

from landloom.imagery.fill import fill_periodic
from landloom.imagery.valid import scl_valid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SCALE = 10_000
"""NDVI as stored: (NDVI + 1) × 10,000, so that −1 to 1 fit uint16 and 0 stays nodata."""


def stored(ndvi: NDArray[np.floating]) -> NDArray[np.uint16]:
    numbers = np.rint((np.nan_to_num(ndvi, nan=-1.0) + 1) * SCALE)
    return np.asarray(np.clip(numbers, 1, 65_534), dtype=np.uint16)


def index(numbers: NDArray[np.uint16]) -> NDArray[np.float64]:
    return numbers / SCALE - 1.0


def nearest(stack: NDArray[np.uint16], valid: NDArray[np.bool_], days: NDArray[np.float64]) -> NDArray[np.uint16]:
    """The plain way: the observation nearest in time, the earlier of two."""
    apart = np.abs(days[:, None] - days[None, :]).astype(float)
    apart %= 365.0
    apart = np.minimum(apart, 365.0 - apart)[:, :, None, None]
    chosen = np.where(valid[None], apart, np.inf).argmin(axis=1)
    return np.take_along_axis(stack[:, 0], chosen, axis=0)[:, None]


def rms(error: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(error))))


def slovenia(folder: Path, masks: str) -> tuple[NDArray[np.floating], NDArray[np.bool_], NDArray[np.float64]]:
    """NDVI, clear pixels and days since 2017 began, of all 68 acquisitions (`clm`) or the 36 with classes (`scl`)."""
    ndvi, clear, days = [], [], []
    with (folder / "timestamps.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if masks == "clm" or row["has_scl"] == "1"]
    for row in rows:
        with rasterio.open(folder / "ndvi" / f"NDVI_{row['stem']}.tif") as layer:
            ndvi.append(layer.read(1))
        with rasterio.open(folder / masks / f"{masks.upper()}_{row['stem']}.tif") as layer:
            clear.append(scl_valid(layer.read(1)) if masks == "scl" else layer.read(1) == 0)
        since = datetime.fromisoformat(row["datetime"]) - datetime(2017, 1, 1, tzinfo=UTC)
        days.append(since.total_seconds() / 86_400)
    return np.array(ndvi), np.array(clear), np.array(days)


@pytest.mark.parametrize(("masks", "dates"), [("clm", 68), ("scl", 36)])
def test_withheld_observations_of_slovenia_are_filled_better_than_by_the_nearest(
    shared_data: Path, record_testsuite_property: Callable[[str, object], None], masks: str, dates: int
) -> None:
    """All dates fold two and a half years into one, as seen by cloud masks; the classes cover a year."""
    ndvi, clear, days = slovenia(shared_data / "s2_eolearn_slovenia", masks)
    assert ndvi.shape == (dates, 101, 100)
    turn = np.cumsum(clear, axis=0)
    withheld = clear & (turn % 5 == 0)
    kept = clear & ~withheld
    assert 0.15 < withheld.sum() / clear.sum() < 0.2
    stack = stored(ndvi)[:, None]
    linear = rms((index(fill_periodic(stack, kept, days, 365.0)[:, 0]) - ndvi)[withheld])
    plain = rms((index(nearest(stack, kept, days)[:, 0]) - ndvi)[withheld])
    report = f"NDVI RMSE of {int(withheld.sum()):,} withheld observations: linear {linear:.4f}, nearest {plain:.4f}"
    record_testsuite_property(f"slovenia-{masks}", report)
    assert linear < plain


def field(folder: Path) -> tuple[xr.DataArray, xr.DataArray]:
    """The raw and the CropSAR NDVI on their common pixels."""
    with xr.open_dataset(folder / "raw_s2_ndvi_field.nc", engine="h5netcdf") as file:
        raw = file["NDVI"].load()
    with xr.open_dataset(folder / "cropsar_ndvi.nc", engine="h5netcdf", mask_and_scale=False) as file:
        numbers = file["NDVI"].load()
    # The bytes are stored signed; scale and nodata are those of the product, not of the file.
    unsigned = numbers.astype(np.int16) & 255
    smooth = (unsigned * 0.004 - 0.08).where(unsigned != 255)
    raw, smooth = xr.align(raw, smooth, join="inner", exclude=["t"])
    return raw, smooth


def test_the_field_filled_agrees_with_the_independent_series(
    shared_data: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    raw, smooth = field(shared_data / "s2_fusets_field")
    assert raw.shape == (33, 55, 56)
    assert smooth.shape == (73, 55, 56)
    # CropSAR's dates without an observation are gaps of one joint series.
    start = np.datetime64("2019-01-01")
    days = np.concatenate([(series.t.values - start) / np.timedelta64(1, "D") for series in (raw, smooth)])
    known = np.isfinite(raw.values)
    stack = np.concatenate([stored(raw.values), np.zeros(smooth.shape, np.uint16)])[:, None]
    valid = np.concatenate([known, np.zeros(smooth.shape, dtype=bool)])
    filled = fill_periodic(stack, valid, days, 365.0)[len(raw) :, 0]
    compared = np.isfinite(smooth.values) & known.any(axis=0)
    assert compared.any(axis=0).sum() > 2000
    assert (filled[:, ~known.any(axis=0)] == 0).all()
    error = index(filled) - smooth.values
    months = smooth.t.dt.month.values
    by_month = {month: rms(error[months == month][compared[months == month]]) for month in range(1, 13)}
    whole = rms(error[compared])
    report = f"NDVI RMSE against CropSAR {whole:.3f}; " + " ".join(f"{m}:{e:.3f}" for m, e in by_month.items())
    record_testsuite_property("fusets", report)
    # Measured 0.039 in all and 0.069 in the worst month, January, whose clouds CropSAR sees through by radar.
    assert whole < 0.05
    assert max(by_month.values()) < 0.08
