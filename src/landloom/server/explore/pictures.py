"""Chips as pictures: three bands in natural colours, or one band with a colour ramp, or classes in their colours."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.formats.geotiff import decode_geotiff
from landloom.server.explore.legends import CLASS_BANDS, legend, painted
from landloom.store.open import open_store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.query.assets import AssetSet
    from landloom.query.corpus import Corpus

_STRETCHED: Final = 12
"""Number of timesteps that determine the brightness of a sample's pictures."""
_RAMP: Final = np.array([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]], dtype=np.float64)
_NATURAL: Final = (("red", "B04"), ("green", "B03"), ("blue", "B02"))


class Chips:
    """Pictures of the chips of one corpus.

    Args:
        corpus: the corpus.
        info: its description.
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo) -> None:
        self.corpus, self.info = corpus, info
        self.store = open_store(corpus.base.rstrip("/"))
        self._range = lru_cache(maxsize=512)(self._uncached_range)

    def png(self, identity: str, product: str, step: str, bands: tuple[str, ...] | None = None) -> bytes:
        """A chip as PNG.

        All timesteps of a sample have the same brightness, so that they can be compared.

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
        names = tuple(band.name for band in item.product.bands)
        chosen = bands or self._natural(product)
        if len(chosen) not in (1, 3):
            raise InvalidInputError(f"bands: got {len(chosen)}, expected one or three")
        for band in chosen:
            if band not in names:
                raise NotFoundError.of("band", band, names)
        assets = self._assets(identity, product)
        read = self._read(assets, step, chosen, names)
        rows = legend(self.info, item) if len(chosen) == 1 and chosen[0] in CLASS_BANDS else []
        picture = painted(read[0][0], rows) if rows else self._picture(read, self._range(identity, product, chosen))
        return bytes(imagecodecs.png_encode(picture, level=4))

    def _natural(self, product: str) -> tuple[str, ...]:
        found = {band.common_name: band.name for band in self.info.product(product).product.bands if band.common_name}
        if all(common in found for common, _ in _NATURAL):
            return tuple(found[common] for common, _ in _NATURAL)
        bands = self.info.product(product).product.bands
        if not bands:
            raise NotFoundError(f"product {product!r} has no chips")
        return (bands[0].name,)

    def _assets(self, identity: str, product: str) -> AssetSet:
        return replace(self.corpus.select([identity]), products=(product,)).assets

    def _read(
        self, assets: AssetSet, step: str, chosen: tuple[str, ...], names: tuple[str, ...]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """(band, y, x) values, and which of them are data."""
        own = [asset for asset in assets if (asset.timestep or "-") == step]
        if not own:
            raise NotFoundError.of("timestep", step, [asset.timestep or "-" for asset in assets])
        layers, valid = [], []
        for band in chosen:
            asset = next((item for item in own if item.band == band), own[0])
            array, _, about = decode_geotiff(self.store.get(asset.path))
            layer = array[0 if asset.band is not None else names.index(band)]
            layers.append(layer)
            valid.append(np.ones(layer.shape, bool) if about.nodata is None else layer != about.nodata)
        return np.stack(layers), np.logical_and.reduce(valid)

    def _uncached_range(self, identity: str, product: str, chosen: tuple[str, ...]) -> tuple[float, float]:
        """Values for black and white: the 2nd and 98th percentile over some timesteps."""
        names = tuple(band.name for band in self.info.product(product).product.bands)
        assets = self._assets(identity, product)
        steps = list(dict.fromkeys(asset.timestep or "-" for asset in assets))
        picked = steps[:: max(-(-len(steps) // _STRETCHED), 1)]
        parts = [array[:, valid].ravel() for array, valid in (self._read(assets, s, chosen, names) for s in picked)]
        values = np.concatenate(parts) if parts else np.empty(0)
        if not len(values):
            return 0.0, 1.0
        low, high = (float(number) for number in np.percentile(values, (2, 98)))
        return low, max(high, low + 1.0)

    @staticmethod
    def _picture(read: tuple[NDArray[Any], NDArray[np.bool_]], limits: tuple[float, float]) -> NDArray[np.uint8]:
        """(y, x, 4) colours."""
        array, valid = read
        low, high = limits
        share = np.clip((array.astype(np.float64) - low) / (high - low), 0, 1)
        if len(array) == 1:
            colours = np.stack([np.interp(share[0], np.linspace(0, 1, 5), _RAMP[:, n]) for n in range(3)], axis=-1)
        else:
            colours = 255 * np.moveaxis(share, 0, -1) ** 0.8
        alpha = np.where(valid, 255.0, 0.0)[..., None]
        return np.ascontiguousarray(np.round(np.concatenate([colours, alpha], axis=-1)), dtype=np.uint8)
