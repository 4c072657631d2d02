"""Legends: what the numbers of a product's bands are, and with which colours they are drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.info import CLASS_BANDS
from landloom.model.rendering.known import BRIGHTEST, GAMMA
from landloom.model.rendering.values import Categorical, Continuous, Identifiers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo

NATURAL: Final = ("red", "green", "blue")
"""Common names of the bands of natural colours."""


def natural_bands(item: ProductInfo) -> tuple[str, ...]:
    """Names of a product's red, green and blue bands; empty unless it has all of them."""
    found = {band.common_name: band.name for band in item.product.bands if band.common_name}
    return tuple(found[common] for common in NATURAL) if found.keys() >= {*NATURAL} else ()


def product_legend(info: CorpusInfo, item: ProductInfo) -> dict[str, Any]:
    """Natural colours, if the product has them, and the legend of each band.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> info = example_corpus().info
        >>> found = product_legend(info, info.product("s2"))
        >>> found["natural"]["bands"], found["bands"]["B08"]["kind"], found["bands"]["B08"]["limits"]
        (['B04', 'B03', 'B02'], 'continuous', [0.0, 0.5])
    """
    natural = {"bands": list(natural_bands(item)), "limits": [0.0, BRIGHTEST], "gamma": GAMMA, "unit": "reflectance"}
    return {
        "natural": natural if natural["bands"] else None,
        "bands": {band.name: band_legend(info, item, band.name) for band in item.product.bands},
    }


def class_legend(info: CorpusInfo, item: ProductInfo) -> list[dict[str, Any]]:
    """Code, name and colour of every class of a label raster; empty for other products."""
    own = [band.name for band in item.product.bands if band.name in CLASS_BANDS]
    shown = info.rendering(item, own[0]) if own else None
    rows: list[dict[str, Any]] = shown.document()["classes"] if isinstance(shown, Categorical) else []
    return rows


def band_legend(info: CorpusInfo, item: ProductInfo, band: str) -> dict[str, Any]:
    """A band's legend as JSON.

    Returns:
        `kind`, and `nodata` (`value` as stored, None for NaN, and `name`; None if every number is data). If
        `continuous`: `unit`, `limits` in the unit (None for those of the data), `scale` (unit of the stored number 1)
        and `stops` (place on the ramp, 0 to 1, and colour). If `categorical`: `classes` with `code`, `name` and
        `colour`, and `cycle`, the colours of numbers modulo their count where numbers are names of things.

    Raises:
        NotFoundError: no such band.
    """
    shown, value = info.rendering(item, band), item.product.nodata
    stored = None if value is None or math.isnan(value) else value
    nodata = None if value is None else {"value": stored, "name": shown.nothing}
    if isinstance(shown, Continuous):
        scale = 1.0 if item.product.scale is None else item.product.scale
        limits = None if shown.limits is None else list(shown.limits)
        return {
            "kind": "continuous",
            "unit": shown.unit,
            "limits": limits,
            "scale": scale,
            "stops": [list(stop) for stop in shown.stops],
            "nodata": nodata,
        }
    classes = shown.document()["classes"] if isinstance(shown, Categorical) else []
    cycle = list(shown.colours) if isinstance(shown, Identifiers) else []
    return {"kind": "categorical", "classes": classes, "cycle": cycle, "nodata": nodata}


def with_shares(legend: dict[str, Any], values: NDArray[Any], valid: NDArray[np.bool_]) -> dict[str, Any]:
    """A legend with the share of the chip that each class has, and that is nodata.

    Args:
        legend: as from `band_legend`.
        values: (y, x) stored numbers.
        valid: (y, x), which of them are data.

    Example:
        >>> legend = {"kind": "categorical", "classes": [{"code": 1, "name": "Water", "colour": "#1f5fbf"}]}
        >>> found = with_shares(legend, np.array([[1, 1, 2, 0]]), np.array([[True, True, True, False]]))
        >>> found["classes"][0]["share"], found["nodata_share"], found["other_share"]
        (0.5, 0.25, 0.25)
    """
    found = legend | {"nodata_share": float(1 - valid.mean())}
    if legend["kind"] != "categorical":
        return found
    codes, counts = np.unique(values[valid], return_counts=True)
    shares = dict(zip(codes.tolist(), (counts / valid.size).tolist(), strict=True))
    rows = [row | {"share": shares.pop(row["code"], 0.0)} for row in legend["classes"]]
    return found | {"classes": rows, "other_share": float(sum(shares.values()))}
