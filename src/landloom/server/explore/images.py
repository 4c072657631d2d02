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
from landloom.server.explore.legends import natural_bands
from landloom.store.open import open_store

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.corpus import Corpus

_CUBES: Final = 16
"""Cubes that are kept: a page asks for all timesteps of a sample."""
_SHARES: Final = 65_536
"""Shares of valid pixels that are kept."""
TIMELESS: Final = "-"
"""Timestep of a product without time."""


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

    def row(self, identity: str) -> int:
        """The row of a sample that is in the index."""
        return int(self.corpus.sidecar.rows_of_ids([identity])[0])

    def read(
        self, identity: str, item: ProductInfo, step: str, chosen: tuple[str, ...]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """(band, y, x) stored numbers, and which pixels are data in all of the bands.

        Args:
            identity: the sample.
            item: the product.
            step: name of the timestep, or `-`.
            chosen: names of bands that the product has.

        Raises:
            NotFoundError: no such sample or timestep.
            MissingKeyError: a chip that should exist is missing.
        """
        names = [band.name for band in item.product.bands]
        if "chips" not in self.info.layouts and item.product.folder is not None:
            cube, steps = self._cube(identity, item.key), [one.name for one in item.timesteps]
            if step not in steps:
                raise NotFoundError.of("timestep", step, steps)
            if not bool(cube["observed"][steps.index(step)]):
                raise NotFoundError(f"{identity} has no {item.key} at {step}")
            array = cube[steps.index(step)].to_numpy()[[names.index(band) for band in chosen]]
            return array, _is_data(array, item.product.nodata)
        assets = replace(self.corpus.select([identity]), products=(item.key,)).assets
        own = [asset for asset in assets if (asset.timestep or TIMELESS) == step]
        if not own:
            raise NotFoundError.of("timestep", step, [asset.timestep or TIMELESS for asset in assets])
        files, layers, valid = {}, [], []
        for band in chosen:
            asset = next((one for one in own if one.band == band), own[0])
            if asset.path not in files:
                files[asset.path] = decode_geotiff(self.store.get(asset.path))
            stack, _, about = files[asset.path]
            layers.append(stack[0 if asset.band is not None else names.index(band)])
            valid.append(_is_data(layers[-1][None], about.nodata))
        return np.stack(layers), np.logical_and.reduce(valid)

    def _cube(self, identity: str, product: str) -> xr.DataArray:
        """Of a corpus that has no chips."""
        cube: xr.DataArray = self._cubes.get(f"{identity} {product}", lambda: load_cube(self._all, identity, product))
        return cube

    def _valid_share(self, identity: str, product: str, step: str) -> float | None:
        """Share of pixels with data in the bands that are shown; None where there is no image to read."""
        item = self.info.product(product)
        bands = natural_bands(item) or tuple(band.name for band in item.product.bands[:1])
        try:
            _, valid = self.read(identity, item, step, bands)
        except (MissingKeyError, NotFoundError, InvalidInputError):
            return None
        return round(float(valid.mean()), 4)


def _is_data(array: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """(y, x) where all of (band, y, x) numbers are data."""
    finite = np.isfinite(array)
    known: NDArray[np.bool_] = (finite if nodata is None else finite & (array != nodata)).all(axis=0)
    return known
