"""Chips as pictures: three bands in natural colours, one band with its ramp, or classes in their colours."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.formats.geotiff import decode_geotiff
from landloom.model.rendering.known import BRIGHTEST, GAMMA
from landloom.model.rendering.values import Continuous
from landloom.query.recent import Kept
from landloom.server.explore.legends import band_legend, natural_bands, with_shares
from landloom.store.open import open_store

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.assets import AssetSet
    from landloom.query.corpus import Corpus

_SAMPLED: Final = 12
"""Number of timesteps that determine the limits of a quantity without declared ones."""
_KEPT: Final = 16
"""Cubes kept: a page asks for all timesteps of a sample."""


class Chips:
    """Pictures of the chips of one corpus.

    Args:
        corpus: the corpus.
        info: its description.
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo) -> None:
        self.corpus, self.info = corpus, info
        self.store = open_store(corpus.base.rstrip("/"))
        self._limits = lru_cache(maxsize=512)(self._uncached_limits)
        self._cubes = Kept[Any](_KEPT)

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
        array, valid = self._read(identity, item, step, chosen)
        if len(chosen) == 3:
            picture = _mixed(array, item)
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
        array, valid = self._read(identity, item, step, (name,))
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

    def _read(
        self, identity: str, item: ProductInfo, step: str, chosen: tuple[str, ...]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """(band, y, x) stored numbers, and which pixels are data."""
        names = [band.name for band in item.product.bands]
        if "chips" not in self.info.layouts and item.product.folder is not None:
            cube, position = self._cube(identity, item.key), self._position(item, step)
            if not bool(cube["observed"][position]):
                raise NotFoundError(f"{identity} has no {item.key} at {step}")
            array = cube[position].to_numpy()[[names.index(band) for band in chosen]]
            return array, _is_data(array, item.product.nodata)
        assets = self._assets(identity, item.key)
        own = [asset for asset in assets if (asset.timestep or "-") == step]
        if not own:
            raise NotFoundError.of("timestep", step, self._steps(identity, item))
        layers, valid = [], []
        for band in chosen:
            asset = next((one for one in own if one.band == band), own[0])
            stack, _, about = decode_geotiff(self.store.get(asset.path))
            layers.append(stack[0 if asset.band is not None else names.index(band)])
            valid.append(_is_data(layers[-1][None], about.nodata))
        return np.stack(layers), np.logical_and.reduce(valid)

    def _assets(self, identity: str, product: str) -> AssetSet:
        return replace(self.corpus.select([identity]), products=(product,)).assets

    def _cube(self, identity: str, product: str) -> xr.DataArray:
        """Of a corpus that has no chips."""
        cube: xr.DataArray = self._cubes.get(
            f"{identity} {product}", lambda: self.corpus.select([identity]).cube(identity, product)
        )
        return cube

    @staticmethod
    def _position(item: ProductInfo, step: str) -> int:
        names = [one.name for one in item.timesteps]
        if step not in names:
            raise NotFoundError.of("timestep", step, names)
        return names.index(step)

    def _steps(self, identity: str, item: ProductInfo) -> list[str]:
        """Names of the timesteps with a chip."""
        if "chips" not in self.info.layouts and item.product.folder is not None:
            observed = self._cube(identity, item.key)["observed"].to_numpy().tolist()
            return [step.name for step, there in zip(item.timesteps, observed, strict=True) if there]
        return list(dict.fromkeys(asset.timestep or "-" for asset in self._assets(identity, item.key)))

    def _uncached_limits(self, identity: str, product: str, band: str) -> tuple[float, float]:
        """Numbers of the first and last colour, in the unit: those declared, or else the 2nd and 98th percentile."""
        item = self.info.product(product)
        shown = self.info.rendering(item, band)
        if isinstance(shown, Continuous) and shown.limits is not None:
            return shown.limits
        steps = self._steps(identity, item)
        picked = steps[:: max(-(-len(steps) // _SAMPLED), 1)]
        read = (self._read(identity, item, step, (band,)) for step in picked)
        values = np.concatenate([np.empty(0), *(array[0][valid] for array, valid in read)])
        values = values[np.isfinite(values)]
        if not len(values):
            return 0.0, 1.0
        low, high = (float(number) for number in np.percentile(values, (2, 98)))
        return low, high if high > low else low + 1.0


def _is_data(array: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """(y, x) where all of (band, y, x) numbers are data."""
    finite = np.isfinite(array)
    known: NDArray[np.bool_] = (finite if nodata is None else finite & (array != nodata)).all(axis=0)
    return known


def _mixed(array: NDArray[Any], item: ProductInfo) -> NDArray[np.uint8]:
    """(y, x, 4) colours of three bands; reflectance is brightened as everywhere, other numbers between their limits."""
    values = array.astype(np.float64)
    if item.product.scale is not None:
        share = np.clip(values * item.product.scale / BRIGHTEST, 0, 1) ** (1 / GAMMA)
    else:
        low, high = (float(number) for number in np.nanpercentile(values, (2, 98)))
        share = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    colours = np.nan_to_num(255 * np.moveaxis(share, 0, -1))
    opaque = np.full((*colours.shape[:2], 1), 255.0)
    return np.round(np.concatenate([colours, opaque], axis=-1)).astype(np.uint8)
