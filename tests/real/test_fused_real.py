"""Filling of real series: withheld dates of each method, and agreement with a series that others filled.

There is no cloud-free truth: errors hold the noise of the withheld observations and clouds that their mask has missed,
so that no method is asked to be the best.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr

from landloom.imagery.clusters import fill_clr
from landloom.imagery.fill import fill_linear
from landloom.imagery.fusion.fuse import FusedSeries, fuse
from landloom.imagery.fusion.sightings import Sightings
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


def filled(seen: Sightings, held: NDArray[np.bool_]) -> tuple[dict[str, NDArray[np.uint16]], FusedSeries]:
    """Method → (held, band, y, x), and the fused series with its uncertainty."""
    valid = seen.valid & ~held[:, None, None]
    kept = Sightings(days=seen.days[~held], stack=seen.stack[~held], valid=seen.valid[~held])
    wanted, knots = seen.days[held], np.arange(seen.days[0], seen.days[-1] + 5, 5.0)
    near = np.clip(np.rint((wanted - knots[0]) / 5).astype(np.int64), 0, knots.size - 1)
    fused = fuse(kept, wanted)
    return {
        "linear": fill_linear(seen.stack, valid, seen.days, wanted),
        "whittaker": whittaker(seen.stack, valid, seen.days, knots)[near],
        "harmonic": fill_harmonic(seen.stack, valid, seen.days, wanted),
        "clr": fill_clr(seen.stack, valid, seen.days, wanted),
        "fused": fused.series,
    }, fused


def misses(seen: Sightings, held: NDArray[np.bool_], made: NDArray[np.uint16]) -> NDArray[np.float64]:
    """(observation, band) differences from withheld clear observations of pixels that were seen on other dates, too."""
    clear = seen.valid[held] & (seen.valid & ~held[:, None, None]).any(axis=0)
    miss: NDArray[np.float64] = np.moveaxis(made.astype(np.float64) - seen.stack[held], 1, -1)[clear]
    return miss


def noise_floor(seen: Sightings) -> NDArray[np.float64]:
    """(band) σ of an observation, from its distance to the line between the clear ones before and after it.

    It holds the curvature of the series, and so is an upper bound of the noise.
    """
    left = []
    for t in range(1, seen.days.size - 1):
        share = (seen.days[t] - seen.days[t - 1]) / (seen.days[t + 1] - seen.days[t - 1])
        line = (1 - share) * seen.stack[t - 1].astype(np.float64) + share * seen.stack[t + 1]
        spread = np.sqrt(1 + (1 - share) ** 2 + share**2)
        left.append(np.moveaxis((seen.stack[t] - line) / spread, 0, -1)[seen.valid[t - 1 : t + 2].all(axis=0)])
    found: NDArray[np.float64] = 1.4826 * np.median(np.abs(np.concatenate(left)), axis=0)
    return found


@pytest.mark.slow
def test_withheld_dates_of_slovenia(slovenia: Sightings, record_property: Callable[[str, object], None]) -> None:
    """Half of the withheld error is haze and snow in the withheld observations: medians stand beside it."""
    held = np.zeros(slovenia.days.size, np.bool_)
    held[3::7] = True
    made, _ = filled(slovenia, held)
    left = {name: misses(slovenia, held, one) / SCALE for name, one in made.items()}
    found = {name: float(np.sqrt(np.square(one).mean())) for name, one in left.items()}
    for name, value in found.items():
        record_property(name, round(value, 4))
        record_property(f"{name}, median", round(float(np.median(np.abs(left[name]))), 4))
    assert set(found) == {"linear", "whittaker", "harmonic", "clr", "fused"}
    assert all(0.0 < value < 0.4 for value in found.values()), found
    assert found["fused"] < 1.15 * min(found.values()), found


S2_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B11", "B12")


def record(
    found: dict[str, NDArray[np.float64]], floor: NDArray[np.float64], record_property: Callable[[str, object], None]
) -> None:
    """Root mean square errors by method and band, beside the noise floor."""
    record_property("bands", S2_BANDS)
    record_property("noise floor", floor.round().tolist())
    for name, one in found.items():
        record_property(name, np.sqrt(np.square(one).mean(axis=0)).round().tolist())


def test_withheld_months_of_belgium(shared_data: Path, record_property: Callable[[str, object], None]) -> None:
    """Monthly composites, two of them wholly missing; each of the others between the first and last is withheld."""
    with xr.open_dataset(shared_data / "s2_monthly_worldcereal_belgium" / "worldcereal_preprocessed_inputs.nc") as cube:
        stack = np.stack([cube[f"S2-L2A-{band}"].to_numpy() for band in S2_BANDS], axis=1).astype(np.uint16)
        days = cube["t"].to_numpy().astype("datetime64[D]").astype(np.float64)
    seen = Sightings(days=days, stack=stack, valid=np.asarray(((stack > 0) & (stack < 65_535)).all(axis=1)))
    whole = np.flatnonzero(seen.valid.any(axis=(1, 2)))
    assert whole.size == 10
    left: dict[str, list[NDArray[np.float64]]] = {}
    for month in whole[1:-1]:
        held = np.arange(days.size) == month
        for name, one in filled(seen, held)[0].items():
            left.setdefault(name, []).append(misses(seen, held, one))
    found = {name: np.concatenate(one) for name, one in left.items()}
    record(found, noise_floor(seen), record_property)
    assert all(np.isfinite(one).all() and np.abs(one).mean() < 1_500 for one in found.values())
    gaps = ~seen.valid.any(axis=(1, 2))
    made = fuse(seen, days)
    np.testing.assert_array_equal((made.series > 0).all(axis=(0, 1)), made.used.any(axis=0))  # else never observed
    assert (np.median(made.sigma[gaps], axis=(0, 2, 3)) > np.median(made.sigma[~gaps], axis=(0, 2, 3))).all()


def test_withheld_dekads_of_french_parcels(shared_data: Path, record_property: Callable[[str, object], None]) -> None:
    """500 parcels that are no neighbours, side by side as pixels: what is borrowed is what is similar."""
    path = shared_data / "s2_parcels_worldcereal_france" / "2023_FRA_LPIS_POLY_110.geoparquet"
    names = [f"S2-L2A-{band}" for band in S2_BANDS]
    table = pd.read_parquet(path, columns=["sample_id", "timestamp", "tile", "lat", *names])
    order = table.groupby("sample_id")[["tile", "lat"]].first().sort_values(["tile", "lat"]).index
    dates = np.unique(table["timestamp"].to_numpy())
    stack = np.full((dates.size, len(names), order.size), 65_535, np.uint16)
    row, column = np.searchsorted(dates, table["timestamp"].to_numpy()), order.get_indexer(pd.Index(table["sample_id"]))
    stack[row, :, column] = table[names].to_numpy(np.uint16)
    pixels = stack.reshape(*stack.shape[:2], 20, 25)
    days = dates.astype("datetime64[D]").astype(np.float64)
    seen = Sightings(days=days, stack=pixels, valid=np.asarray(((pixels > 0) & (pixels < 65_535)).all(axis=1)))
    held = np.zeros(days.size, np.bool_)
    held[3::7] = True
    made, fused = filled(seen, held)
    found = {name: misses(seen, held, one) for name, one in made.items()}
    record(found, noise_floor(seen), record_property)
    sigma = misses(replace(seen, stack=np.zeros_like(pixels)), held, fused.sigma)
    bound = np.hypot(sigma, fused.noise)
    shares = [float((np.abs(found["fused"]) <= k * bound).mean()) for k in (1, 2)]
    record_property("within 1 and 2 σ", [round(share, 3) for share in shares])
    assert all(np.isfinite(one).all() and np.abs(one).mean() < 1_500 for one in found.values())
    assert shares[0] > 0.5
    assert shares[1] > 0.8


def test_agreement_with_an_independent_series(shared_data: Path) -> None:
    """CropSAR's series of a field, every five days of a year: it is made with radar, and was not used here."""
    folder = shared_data / "s2_fusets_field"
    with xr.open_dataset(folder / "raw_s2_ndvi_field.nc") as raw, xr.open_dataset(folder / "cropsar_ndvi.nc") as other:
        one = raw["NDVI"]
        both = np.intersect1d(raw["y"].values, other["y"].values)
        one = one.sel(y=both)
        name = next(str(key) for key, value in other.data_vars.items() if value.ndim == 3)
        numbers = other[name].sel(y=both).to_numpy().astype(np.float64) % 256
        independent = np.where(numbers == 255, np.nan, numbers * 0.004 - 0.08)
        days = one["t"].to_numpy().astype("datetime64[D]").astype(np.float64)
        wanted = other["t"].to_numpy().astype("datetime64[D]").astype(np.float64)
        ndvi = one.to_numpy()
    seen = Sightings(days=days, stack=stored(ndvi)[:, None], valid=np.isfinite(ndvi))
    made = fuse(seen, wanted).series[:, 0].astype(np.float64)
    inside = (made > 0) & np.isfinite(independent) & np.isfinite(ndvi).any(axis=0)
    middle = (wanted > days[1]) & (wanted < days[-2])
    miss = (1 - (made - 1) / SCALE - independent)[inside & middle[:, None, None]]
    assert np.sqrt(np.square(miss).mean()) < 0.1
    assert abs(miss.mean()) < 0.03
