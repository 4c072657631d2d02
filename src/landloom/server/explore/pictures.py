"""Chips as pictures: three bands in natural colours, or one band with a colour ramp, or classes in their colours."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from landloom.errors import InvalidInputError
from landloom.model.sensor import REFLECTANCE_SCALE
from landloom.server.explore.images import Images
from landloom.server.explore.legends import CLASS_BANDS, legend, painted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.corpus import Corpus

_STRETCHED: Final = 12
"""Number of timesteps that determine the brightness of a sample's pictures, where no reflectance does."""
_RAMP: Final = np.array([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]], dtype=np.float64)
WHITE: Final = {"nir": 0.5, "nir08": 0.5, "rededge": 0.4, "swir16": 0.4, "swir22": 0.4}
"""Common name of a band → reflectance that is drawn white, or the last colour of the ramp."""
_WHITE: Final = 0.25
"""Of other bands: as in reports and exports, so that pictures of all samples and dates can be compared."""
_GAMMA: Final = 1 / 1.6


class Chips:
    """Pictures of the chips of one corpus.

    Args:
        corpus: the corpus.
        info: its description.
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo) -> None:
        self.info = info
        self.images = Images(corpus, info)
        self._range = lru_cache(maxsize=512)(self._uncached_range)

    def png(self, identity: str, product: str, step: str, bands: tuple[str, ...] | None = None) -> bytes:
        """A chip as PNG; nodata is transparent.

        Reflectance has the same brightness everywhere; other numbers in all timesteps of a sample.

        Args:
            identity: the sample.
            product: key of the product.
            step: name of the timestep, or `-` for a product without time.
            bands: one name, or three for red, green and blue; by default natural colours.

        Raises:
            NotFoundError: no such sample, product, timestep or band.
            InvalidInputError: another number of bands.
        """
        item = self.info.product(product)
        chosen = bands or self.images.natural(product)
        if len(chosen) not in (1, 3):
            raise InvalidInputError(f"bands: got {len(chosen)}, expected one or three")
        read = self.images.read(identity, product, step, chosen)
        rows = legend(self.info, item) if len(chosen) == 1 and chosen[0] in CLASS_BANDS else []
        if rows:
            picture = painted(np.nan_to_num(read[0], nan=-1), rows)
        else:
            picture = _picture(read, whites(item, chosen) or self._range(identity, product, chosen))
        return bytes(imagecodecs.png_encode(picture, level=4))

    def _uncached_range(self, identity: str, product: str, chosen: tuple[str, ...]) -> list[tuple[float, float]]:
        """Values of the first and last colour: the 2nd and 98th percentile over some timesteps."""
        row = int(self.images.corpus.sidecar.rows_of_ids([identity])[0])
        steps = self.images.steps(row, product)
        picked = steps[:: max(-(-len(steps) // _STRETCHED), 1)]
        parts = [self.images.read(identity, product, step, chosen) for step in picked]
        values = np.concatenate([part[np.isfinite(part)] for part in parts]) if parts else np.empty(0)
        if not len(values):
            return [(0.0, 1.0)] * len(chosen)
        low, high = (float(number) for number in np.percentile(values, (2, 98)))
        return [(low, max(high, low + 1.0))] * len(chosen)


def whites(item: ProductInfo, chosen: tuple[str, ...]) -> list[tuple[float, float]] | None:
    """Stored values of the first and last colour of each band of reflectance; None if any is none."""
    names = {band.name: band.common_name for band in item.product.bands if band.common_name or band.wavelength}
    if item.product.kind != "imagery" or item.product.dtype != "uint16" or not set(chosen) <= set(names):
        return None
    return [(0.0, REFLECTANCE_SCALE * WHITE.get(names[band] or "", _WHITE)) for band in chosen]


def _picture(values: NDArray[np.float64], limits: list[tuple[float, float]]) -> NDArray[np.uint8]:
    """(y, x, 4) colours of (band, y, x) values."""
    there = np.isfinite(values).all(axis=0)
    low, high = (np.array([pair[end] for pair in limits])[:, None, None] for end in (0, 1))
    share = np.clip((np.nan_to_num(values) - low) / (high - low), 0, 1)
    if len(values) == 1:
        colours: NDArray[Any] = np.stack(
            [np.interp(share[0], np.linspace(0, 1, 5), _RAMP[:, n]) for n in range(3)], axis=-1
        )
    else:
        colours = 255 * np.moveaxis(share, 0, -1) ** _GAMMA
    alpha = np.where(there, 255.0, 0.0)[..., None]
    return np.ascontiguousarray(np.round(np.concatenate([colours, alpha], axis=-1)), dtype=np.uint8)
