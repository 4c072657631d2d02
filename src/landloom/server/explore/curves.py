"""The mean of a sample over time, with the share of its pixels that have data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.model.sensor import REFLECTANCE_SCALE, SATURATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.query.pixel_series import SampleSeries

INDEX: Final = "NDVI"


def mean_document(series: SampleSeries) -> dict[str, Any]:
    """Mean of every band over the pixels with usable numbers in all of them: neither nodata nor saturated.

    JSON values in the form of a pixel's series. With red and near infrared among the bands there is the mean of the
    vegetation index as well.

    Args:
        series: of the sample.
    """
    product = series.item.product
    scale = REFLECTANCE_SCALE if product.kind == "imagery" and product.dtype == "uint16" else 1
    stored = series.values
    there = np.ones(stored.shape[0:1] + stored.shape[2:], bool)
    if product.nodata is not None:
        there = (stored != product.nodata).all(axis=1)
    if scale != 1:
        there &= (stored != SATURATED).all(axis=1)
    counts = there.sum(axis=(1, 2))
    values = {band: _means(stored[:, n] / scale, there, counts) for n, band in enumerate(series.bands)}
    common = {band.common_name: band.name for band in product.bands if band.name in series.bands}
    if "red" in common and "nir" in common:
        red, nir = (stored[:, series.bands.index(common[name])].astype(np.float64) for name in ("red", "nir"))
        index = np.divide(nir - red, nir + red, out=np.zeros_like(red), where=nir + red > 0)
        values = {INDEX: _means(index, there, counts)} | values
    names = {step.stamp: step.name for step in series.item.timesteps}
    return {
        "row": None,
        "column": None,
        "unit": "reflectance" if scale != 1 else "",
        "bands": list(values),
        "steps": [names.get(time, f"{time:%Y-%m-%d}") for time in series.times],
        "times": [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in series.times],
        "values": {band: [None if np.isnan(one) else round(one, 6) for one in line] for band, line in values.items()},
        "sigma": None,
        "quality": {},
        "observed": (counts > 0).tolist(),
        "overpasses": {},
        "valid": np.round(counts / there[0].size, 4).tolist(),
    }


def _means(values: NDArray[Any], there: NDArray[np.bool_], counts: NDArray[np.integer[Any]]) -> list[float]:
    """(time) means over the pixels that are there; NaN where none is."""
    sums = np.where(there, values, 0).sum(axis=(1, 2), dtype=np.float64)
    means: list[float] = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0).tolist()
    return means
