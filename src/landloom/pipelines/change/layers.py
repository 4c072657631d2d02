"""Breaks as rasters of a corpus: the products that they are, and the files of a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.info import ProductInfo
from landloom.formats.geotiff import encode_geotiff
from landloom.model.product import Product
from landloom.model.rendering.values import Continuous
from landloom.model.sensor import Band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.imagery.change.breaks import Breaks
    from landloom.model.grid import Grid
    from landloom.model.recipe import Terms
    from landloom.model.time import Period
    from landloom.publication.raster_labels import RasterVersion

SCALE: Final = 10_000
"""Stored number of an index of 1."""
SCORE: Final = "score"
SCORE_SCALE: Final = 100
"""Stored number of a score of 1 σ."""
PROBABILITY: Final = "probability"
LAYERS: Final = {
    "": ("Date of abrupt change", "date", "Days since 1970-01-01 of", "uint16"),
    "margin": ("Margin of the date of abrupt change", "margin", "Days on either side of", "uint16"),
    "magnitude": ("Magnitude of abrupt change", "magnitude", f"{SCALE:,} × change of the index at", "int16"),
}
"""End of a product's key → title, start of its bands' names, their description, type; 0 is no break everywhere."""
SURE: Final = {
    SCORE: ("Score of abrupt change", SCORE, f"{SCORE_SCALE} × σ of", "uint16"),
    PROBABILITY: ("Probability of abrupt change", PROBABILITY, f"{SCALE:,} × probability of", "uint16"),
}
"""The last layer likewise: of the test, or of a network."""
_NONE: Final = "no break"
_SHOWN: Final = {
    "date": Continuous(unit="days since 1970-01-01", nothing=_NONE),
    "margin": Continuous(unit="days", nothing=_NONE),
    "magnitude": Continuous(ramp="change", limits=(-5000.0, 5000.0), unit="10,000 × index", nothing=_NONE),
    SCORE: Continuous(unit=f"{SCORE_SCALE} × σ", nothing=_NONE),
    PROBABILITY: Continuous(limits=(0.0, float(SCALE)), unit="1/10,000", nothing=_NONE),
}
"""Start of a band's name → how its numbers are shown."""


def break_products(
    version: RasterVersion,
    terms: Terms,
    *,
    method: str,
    most: int,
    resolution: float,
    period: Period | None,
    sure: str = SCORE,
) -> tuple[ProductInfo, ...]:
    """The products of breaks: date, margin, magnitude and score or probability, with a band for each break."""
    made = []
    for layer, (title, name, words, dtype) in (LAYERS | {sure: SURE[sure]}).items():
        bands = tuple(
            Band(
                name=f"{name}_{n}",
                description=f"{words} break {n}, 0 where there is none",
                resolution=resolution,
                rendering=_SHOWN[name],
            )
            for n in range(1, most + 1)
        )
        row = Product(
            key=version.key(layer),
            folder=None,
            collection=version.collection,
            prefix=f"{version.name}_{layer}" if layer else version.name,
            title=f"{title} ({method})",
            kind="raster-labels",
            bands=bands,
            resolution=resolution,
            dtype=dtype,
            nodata=0,
        )
        made.append(ProductInfo(product=row, terms=terms, stated_period=period, label_version=str(version.number)))
    return tuple(made)


def break_rasters(found: Breaks, grid: Grid, products: Sequence[ProductInfo]) -> dict[str, bytes]:
    """Key of a product → GeoTIFF; the last product says what the scores are."""
    scale = SCALE if products[-1].key.endswith(PROBABILITY) else SCORE_SCALE
    there = np.isfinite(found.date)
    stored = (
        _stored(np.floor(found.date), there, 1, 65_535, np.uint16),
        _stored(np.ceil(found.margin), there, 1, 65_535, np.uint16),
        _stored(found.change * SCALE, there, -32_767, 32_767, np.int16),
        _stored(found.score * scale, there, 1, 65_535, np.uint16),
    )
    return {
        item.key: encode_geotiff(array, grid, nodata=0, bands=[band.name for band in item.product.bands])
        for item, array in zip(products, stored, strict=True)
    }


def _stored(
    values: NDArray[np.float32], there: NDArray[np.bool_], low: int, high: int, dtype: type[np.integer]
) -> NDArray[np.integer]:
    rounded = np.clip(np.rint(np.where(there, values, 0.0)), low, high)
    return np.where(there, rounded, 0).astype(dtype)
