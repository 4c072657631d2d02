"""Descriptions of the bands of rasters in STAC documents."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from landloom.corpus.info import ProductInfo
    from landloom.model.sensor import Band

_COMMON_NAMES: Final = frozenset(
    {
        "coastal",
        "blue",
        "green",
        "red",
        "yellow",
        "pan",
        "rededge",
        "nir",
        "nir08",
        "nir09",
        "cirrus",
        "swir16",
        "swir22",
        "lwir",
        "lwir11",
        "lwir12",
    }
)
"""Band names known to the EO extension."""


def full_bands(item: ProductInfo, bands: tuple[Band, ...]) -> dict[str, Any]:
    """Bands with everything known of them, stated once for a collection.

    Args:
        item: the product.
        bands: of one of its files, in order.
    """
    raster = _numbers(item) | _present(spatial_resolution=item.product.resolution)
    if item.product.kind != "imagery":
        return {"raster:bands": [raster | _unit(item, band) | {"description": band.description} for band in bands]}
    spectral = [
        _named(band)
        | _present(description=band.description, center_wavelength=band.wavelength, full_width_half_max=band.width)
        for band in bands
    ]
    numbers = [raster | _scaling(item) | _unit(item, band) for band in bands]
    return {"eo:bands": spectral, "raster:bands": numbers}


def asset_bands(item: ProductInfo, bands: tuple[Band, ...]) -> dict[str, Any]:
    """Bands of the asset of an item: what a reader needs to read numbers right.

    They stand in the form of STAC 1.1 (`bands`) and in that of the extensions of STAC 1.0, for readers of either.

    Args:
        item: the product.
        bands: of its file, in order.
    """
    found: dict[str, Any] = {"bands": [{"name": band.name} for band in bands]}
    if item.product.kind == "imagery":
        found["eo:bands"] = [_named(band) for band in bands]
    raster = _numbers(item) | _scaling(item)
    found["raster:bands"] = [raster | _unit(item, band) for band in bands]
    return found


def _numbers(item: ProductInfo) -> dict[str, Any]:
    nodata: float | str | None = item.product.nodata
    if nodata is not None and math.isnan(float(nodata)):
        nodata = "nan"  # as the raster extension writes what JSON cannot
    return _present(data_type=item.product.dtype, nodata=nodata)


def _scaling(item: ProductInfo) -> dict[str, Any]:
    scale = item.product.scale
    return {} if scale is None else {"scale": scale, "offset": 0.0}


def _unit(item: ProductInfo, band: Band) -> dict[str, Any]:
    return _present(unit=item.product.unit if item.product.kind == "imagery" else band.unit)


def _named(band: Band) -> dict[str, Any]:
    return _present(name=band.name, common_name=band.common_name if band.common_name in _COMMON_NAMES else None)


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
