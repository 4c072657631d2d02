"""Chips as pictures: three bands in natural colours, one band with its ramp, or classes in their colours."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.rendering.known import BRIGHTEST, GAMMA
from landloom.model.rendering.values import Continuous
from landloom.server.explore.images import Images
from landloom.server.explore.legends import band_legend, natural_bands, with_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.corpus import Corpus

_SAMPLED: Final = 12
"""Number of timesteps that determine the limits of a quantity without declared ones."""
_WHITE: Final = {"nir": 0.5, "nir08": 0.5, "rededge": 0.4, "swir16": 0.4, "swir22": 0.4}
"""Common name → reflectance of white in false colours, for the bands that are brighter than visible light."""


class Chips:
    """Pictures of the chips of one corpus.

    Args:
        corpus: the corpus.
        info: its description.
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo) -> None:
        self.info, self.images = info, Images(corpus, info)
        self._limits = lru_cache(maxsize=512)(self._uncached_limits)

    def png(self, identity: str, product: str, step: str, bands: tuple[str, ...] | None = None) -> bytes:
        """A chip as PNG; pixels without data are transparent.

        All timesteps of a sample have the same colours for the same numbers, so that they can be compared.

        Args:
            identity: the sample.
            product: key of the product.
            step: name of the timestep, or `-` for a product without time.
            bands: one name, or three for red, green and blue; by default natural colours.

        Raises:
            NotFoundError: no such sample, product, timestep or band.
            InvalidInputError: another number of bands.
        """
        item, chosen = self._chosen(product, bands)
        array, valid = self.images.read(identity, item, step, chosen)
        if len(chosen) == 3:
            picture = _mixed(array, item, chosen)
        else:
            shown = self.info.rendering(item, chosen[0])
            picture = (
                shown.painted(array[0] * (item.product.scale or 1.0), self._limits(identity, product, chosen[0]))
                if isinstance(shown, Continuous)
                else shown.painted(array[0])
            )
        picture[~valid] = 0
        return bytes(imagecodecs.png_encode(np.ascontiguousarray(picture), level=4))

    def legend(self, identity: str, product: str, step: str, band: str | None = None) -> dict[str, Any]:
        """The legend of a band with the limits of its picture, and the shares of classes and nodata in a chip.

        Args:
            identity: the sample.
            product: key of the product.
            step: name of the timestep, or `-` for a product without time.
            band: by default the first.

        Raises:
            NotFoundError: no such sample, product, timestep or band.
        """
        item = self.info.product(product)
        name = band or self._chosen(product, None)[1][0]
        legend = band_legend(self.info, item, name)
        array, valid = self.images.read(identity, item, step, (name,))
        if legend["kind"] == "continuous":
            legend["limits"] = list(self._limits(identity, product, name))
        return with_shares(legend, array[0], valid)

    def _chosen(self, product: str, bands: tuple[str, ...] | None) -> tuple[ProductInfo, tuple[str, ...]]:
        item = self.info.product(product)
        names = tuple(band.name for band in item.product.bands)
        if not names:
            raise NotFoundError(f"product {product!r} has no chips")
        chosen = bands or natural_bands(item) or names[:1]
        if len(chosen) not in (1, 3):
            raise InvalidInputError(f"bands: got {len(chosen)}, expected one or three")
        for band in chosen:
            if band not in names:
                raise NotFoundError.of("band", band, names)
        return item, chosen

    def _uncached_limits(self, identity: str, product: str, band: str) -> tuple[float, float]:
        """Numbers of the first and last colour, in the unit: those declared, or else the 2nd and 98th percentile."""
        item = self.info.product(product)
        shown = self.info.rendering(item, band)
        if isinstance(shown, Continuous) and shown.limits is not None:
            return shown.limits
        steps = self.images.steps(self.images.row(identity), product)
        picked = steps[:: max(-(-len(steps) // _SAMPLED), 1)]
        read = (self.images.read(identity, item, step, (band,)) for step in picked)
        values = np.concatenate([np.empty(0), *(array[0][valid] for array, valid in read)])
        values = values[np.isfinite(values)]
        if not len(values):
            return 0.0, 1.0
        low, high = (float(number) for number in np.percentile(values, (2, 98)))
        return low, high if high > low else low + 1.0


def _mixed(array: NDArray[Any], item: ProductInfo, chosen: tuple[str, ...]) -> NDArray[np.uint8]:
    """(y, x, 4) colours of three bands; reflectance is brightened as everywhere, other numbers between their limits."""
    values = array.astype(np.float64)
    if item.product.scale is not None:
        common = {band.name: band.common_name or "" for band in item.product.bands}
        whites = np.array([_WHITE.get(common[band], BRIGHTEST) for band in chosen])[:, None, None]
        share = np.clip(values * item.product.scale / whites, 0, 1) ** (1 / GAMMA)
    else:
        low, high = (float(number) for number in np.nanpercentile(values, (2, 98)))
        share = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    colours = np.nan_to_num(255 * np.moveaxis(share, 0, -1))
    opaque = np.full((*colours.shape[:2], 1), 255.0)
    return np.round(np.concatenate([colours, opaque], axis=-1)).astype(np.uint8)
