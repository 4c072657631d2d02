"""Descriptions of the bands of rasters in STAC documents."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.info import CLASS_BANDS
from landloom.model.rendering.palettes import class_rendering
from landloom.model.rendering.values import Categorical

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


_WORD: Final = re.compile(r"[^0-9A-Za-z]+")


def full_bands(item: ProductInfo, bands: tuple[Band, ...]) -> dict[str, Any]:
    """Bands with everything known of them, stated once for a collection.

    Args:
        item: the product.
        bands: of one of its files, in order.
    """
    raster = _numbers(item) | _present(spatial_resolution=item.product.resolution)
    if item.product.kind != "imagery":
        own = (_unit(item, band) | {"description": band.description} | _classes(item, band) for band in bands)
        return {"raster:bands": [raster | one for one in own]}
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


def _classes(item: ProductInfo, band: Band) -> dict[str, Any]:
    """Classes of a band of codes, in the form of the classification extension."""
    shown = band.rendering
    if shown is None and item.taxonomy is not None and band.name in CLASS_BANDS:
        shown = class_rendering(item.taxonomy)
    if not isinstance(shown, Categorical):
        return {}
    rows = [
        {
            "value": one.code,
            "name": _WORD.sub("-", one.name).strip("-").lower() or f"class-{one.code}",
            "description": one.name,
            "color_hint": one.colour[1:].upper(),
        }
        for one in shown.classes
    ]
    nodata = item.product.nodata
    if nodata is not None and float(nodata).is_integer() and nodata not in {row["value"] for row in rows}:
        rows.append({"value": int(nodata), "name": "nodata", "description": shown.nothing})
    return {"classification:classes": rows}


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
