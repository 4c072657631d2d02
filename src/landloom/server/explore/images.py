"""The pixels behind pictures and curves: of chips, or of cubes where a corpus has no chips."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError
from landloom.formats.geotiff import decode_geotiff
from landloom.query.cubes import load_cube
from landloom.query.recent import Kept
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.corpus import Corpus

_CUBES: Final = 8
"""Cubes that are kept."""
_SHARES: Final = 65_536
"""Shares of valid pixels that are kept."""
TIMELESS: Final = "-"
"""Timestep of a product without time."""
_NATURAL: Final = (("red", "B04"), ("green", "B03"), ("blue", "B02"))


class Images:
    """Images of the samples of one corpus, thread-safe.

    Args:
        corpus: the corpus.
        info: its description.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> corpus = example_corpus()
        >>> Images(corpus, corpus.info).steps(0, "s2")[:2]
        ('2018-01', '2018-02')
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo) -> None:
        self.corpus, self.info = corpus, info
        self.store = open_store(corpus.base.rstrip("/"))
        self._all = corpus.query(quiet=True)
        self._cubes = Kept[Any](_CUBES)
        self.valid_share = lru_cache(maxsize=_SHARES)(self._valid_share)

    def steps(self, row: int, product: str) -> tuple[str, ...]:
        """Timesteps that a sample has an image of, `-` for a product without time.

        Args:
            row: of the index.
            product: key.
        """
        sidecar, item = self.corpus.sidecar, self.info.product(product)
        names = tuple(step.name for step in item.timesteps) or (TIMELESS,)
        if not sidecar.has_availability(product):
            return names
        codes, patterns = sidecar.availability(product)
        own = patterns[0 if codes is None else int(codes[row])]
        return tuple(name for name, there in zip(names, own.tolist(), strict=True) if there)

    def existing(self, rows: NDArray[np.integer[Any]], product: str) -> NDArray[np.bool_]:
        """(row, timestep) which images exist."""
        sidecar, item = self.corpus.sidecar, self.info.product(product)
        if not sidecar.has_availability(product):
            return np.ones((len(rows), max(len(item.timesteps), 1)), bool)
        codes, patterns = sidecar.availability(product)
        return np.asarray(patterns[np.zeros(len(rows), np.int64) if codes is None else codes[rows]], np.bool_)

    def read(self, identity: str, product: str, step: str, bands: Sequence[str]) -> NDArray[np.float64]:
        """(band, y, x) values of an image; NaN is nodata.

        Args:
            identity: the sample.
            product: key of the product.
            step: name of the timestep, or `-`.
            bands: names.

        Raises:
            NotFoundError: no such sample, product, timestep or band.
            MissingKeyError: a chip that should exist is missing.
        """
        item = self.info.product(product)
        names = tuple(band.name for band in item.product.bands)
        for band in bands:
            if band not in names:
                raise NotFoundError.of("band", band, names)
        if "chips" not in self.info.layouts and item.product.kind != "raster-labels":
            return self._of_cube(identity, item, step, [names.index(band) for band in bands])
        return self._of_chips(identity, product, step, bands, names)

    def natural(self, product: str) -> tuple[str, ...]:
        """Bands that are shown unless told: red, green and blue, else the first.

        Raises:
            NotFoundError: a product without pixels.
        """
        bands = self.info.product(product).product.bands
        found = {band.common_name: band.name for band in bands if band.common_name}
        if all(common in found for common, _ in _NATURAL):
            return tuple(found[common] for common, _ in _NATURAL)
        if not bands:
            raise NotFoundError(f"product {product!r} has no chips")
        return (bands[0].name,)

    def _of_cube(self, identity: str, item: ProductInfo, step: str, places: list[int]) -> NDArray[np.float64]:
        names = [one.name for one in item.timesteps]
        if step not in names:
            raise NotFoundError.of("timestep", step, names)
        read = lambda: load_cube(self._all, identity, item.key).values  # noqa: E731
        stored = self._cubes.get(f"{identity} {item.key}", read)[names.index(step), places]
        return _numbers(stored, item.product.nodata)

    def _of_chips(
        self, identity: str, product: str, step: str, bands: Sequence[str], names: Sequence[str]
    ) -> NDArray[np.float64]:
        assets = replace(self.corpus.select([identity]), products=(product,)).assets
        own = [asset for asset in assets if (asset.timestep or TIMELESS) == step]
        if not own:
            raise NotFoundError.of("timestep", step, [asset.timestep or TIMELESS for asset in assets])
        layers, opened = [], {}
        for band in bands:
            asset = next((item for item in own if item.band == band), own[0])
            if asset.path not in opened:
                opened[asset.path] = decode_geotiff(self.store.get(asset.path))
            array, _, about = opened[asset.path]
            layers.append(_numbers(array[0 if asset.band is not None else names.index(band)], about.nodata))
        return np.stack(layers)

    def _valid_share(self, identity: str, product: str, step: str) -> float | None:
        """Share of pixels with data in the bands that are shown; None where there is no image to read."""
        try:
            image = self.read(identity, product, step, self.natural(product))
        except (MissingKeyError, NotFoundError, InvalidInputError):
            return None
        return round(float(np.isfinite(image).all(axis=0).mean()), 4)


def _numbers(stored: NDArray[Any], nodata: float | None) -> NDArray[np.float64]:
    values = stored.astype(np.float64)
    return values if nodata is None else np.where(stored == nodata, np.nan, values)
