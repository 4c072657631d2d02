"""Filling of real series: withheld dates of each method, and agreement with a series that others filled.

There is no cloud-free truth: errors hold the noise of the withheld observations and clouds that their mask has missed,
so that no method is asked to be the best.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
import xarray as xr

from landloom.imagery.clusters import fill_clr
from landloom.imagery.fill import fill_linear
from landloom.imagery.fusion.fuse import Sightings, fuse
from landloom.imagery.harmonic import fill_harmonic
from landloom.imagery.whittaker import whittaker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SCALE = 5_000.0


def stored(ndvi: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Indices of 1 to -1 as numbers of 1 to 10,001: clouds are high numbers, as they are in reflectance."""
    return np.asarray(np.rint(1 + SCALE * (1 - np.nan_to_num(ndvi).clip(-1, 1))), np.uint16)


@pytest.fixture(scope="module")
def slovenia(shared_data: Path) -> Sightings:
    """68 dates of three years; clear by s2cloudless."""
    folder, days, stack, valid = shared_data / "s2_eolearn_slovenia", [], [], []
    with (folder / "timestamps.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            days.append(datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC).timestamp() / 86_400)
            with rasterio.open(folder / "ndvi" / f"NDVI_{row['stem']}.tif") as one:
                stack.append(stored(one.read(1)))
            with rasterio.open(folder / "clm" / f"CLM_{row['stem']}.tif") as one:
                valid.append(one.read(1) == 0)
    return Sightings(days=np.array(days), stack=np.stack(stack)[:, None], valid=np.stack(valid))


def errors(seen: Sightings, held: NDArray[np.bool_]) -> dict[str, float]:
    """Method → root mean square error of withheld clear observations, as NDVI."""
    valid = seen.valid & ~held[:, None, None]
    kept = Sightings(days=seen.days[~held], stack=seen.stack[~held], valid=seen.valid[~held])
    wanted, knots = seen.days[held], np.arange(seen.days[0], seen.days[-1] + 5, 5.0)
    near = np.clip(np.rint((wanted - knots[0]) / 5).astype(np.int64), 0, knots.size - 1)
    methods: dict[str, Callable[[], NDArray[np.uint16]]] = {
        "linear": lambda: fill_linear(seen.stack, valid, seen.days, wanted),
        "whittaker": lambda: whittaker(seen.stack, valid, seen.days, knots)[near],
        "harmonic": lambda: fill_harmonic(seen.stack, valid, seen.days, wanted),
        "clr": lambda: fill_clr(seen.stack, valid, seen.days, wanted),
        "fused": lambda: fuse(kept, wanted).series,
    }
    clear = seen.valid[held][:, None]
    truth = seen.stack[held].astype(np.float64)
    return {name: float(np.sqrt(np.square(made() - truth)[clear].mean())) / SCALE for name, made in methods.items()}


@pytest.mark.slow
def test_withheld_dates_of_slovenia(slovenia: Sightings, record_property: Callable[[str, object], None]) -> None:
    held = np.zeros(slovenia.days.size, np.bool_)
    held[3::7] = True
    found = errors(slovenia, held)
    for name, value in found.items():
        record_property(name, round(value, 4))
    assert set(found) == {"linear", "whittaker", "harmonic", "clr", "fused"}
    assert all(0.0 < value < 0.4 for value in found.values()), found
    assert found["fused"] < 1.15 * min(found.values()), found


def test_agreement_with_an_independent_series(shared_data: Path) -> None:
    """CropSAR's series of a field, every five days of a year: it is made with radar, and was not used here."""
    folder = shared_data / "s2_fusets_field"
    with xr.open_dataset(folder / "raw_s2_ndvi_field.nc") as raw, xr.open_dataset(folder / "cropsar_ndvi.nc") as other:
        one = raw["NDVI"]
        both = np.intersect1d(raw["y"].values, other["y"].values)
        one = one.sel(y=both)
        name = next(str(key) for key, value in other.data_vars.items() if value.ndim == 3)
        numbers = other[name].sel(y=both).values.astype(np.float64) % 256
        independent = np.where(numbers == 255, np.nan, numbers * 0.004 - 0.08)
        days = one["t"].values.astype("datetime64[D]").astype(np.float64)
        wanted = other["t"].values.astype("datetime64[D]").astype(np.float64)
        ndvi = one.values
    seen = Sightings(days=days, stack=stored(ndvi)[:, None], valid=np.isfinite(ndvi))
    made = fuse(seen, wanted).series[:, 0].astype(np.float64)
    inside = (made > 0) & np.isfinite(independent) & np.isfinite(ndvi).any(axis=0)
    middle = (wanted > days[1]) & (wanted < days[-2])
    miss = (1 - (made - 1) / SCALE - independent)[inside & middle[:, None, None]]
    assert np.sqrt(np.square(miss).mean()) < 0.1
    assert abs(miss.mean()) < 0.03
