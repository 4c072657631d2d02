"""The series of a chip: reflectance and usable pixels of every acquisition, from any corpus."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.imagery.resample import repeat
from landloom.imagery.valid import data_valid
from landloom.model.grid import Grid
from landloom.query.usable import USABLE, usable_layers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import ProductInfo
    from landloom.model.sensor import Band
    from landloom.query.corpus import Corpus


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipSeries:
    """The series of one chip."""

    times: tuple[datetime, ...]
    """UTC, in time order."""
    reflectance: NDArray[np.uint16]
    """(time, band, y, x), 10,000 × reflectance, 0 for nodata."""
    valid: NDArray[np.bool_]
    """(time, y, x) True where a pixel is clear and has data in every band."""

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.reflectance.nbytes + self.valid.nbytes


@dataclass(frozen=True, kw_only=True)
class SeriesSource:
    """Reads the series of chips from a corpus, one chip at a time.

    Bands of the same acquisitions in coarser products are repeated to the finest pixels.
    """

    corpus: Corpus
    key: str = ""
    """Product of the series; empty for the first one with timesteps."""

    @cached_property
    def item(self) -> ProductInfo:
        """The product.

        Raises:
            NotFoundError: no such product.
            InvalidInputError: it is no series of images, or the corpus has none.
        """
        series = [one for one in self.corpus.info.products if one.product.kind == "imagery" and one.timesteps]
        if self.key:
            item = self.corpus.info.product(self.key)
            if item not in series:
                raise InvalidInputError(f"{self.corpus.name}: got product {self.key!r}, expected a series of images")
            return item
        if not series:
            raise InvalidInputError(f"{self.corpus.name}: got a corpus without any series of images, expected one")
        return series[0]

    @cached_property
    def products(self) -> tuple[ProductInfo, ...]:
        """The product, and those with further bands of the same acquisitions in coarser pixels."""
        own = self.item
        return tuple(
            one
            for one in self.corpus.info.products
            if one is own or (one.product.kind == "imagery" and self._is_coarser(one, own))
        )

    @staticmethod
    def _is_coarser(one: ProductInfo, own: ProductInfo) -> bool:
        fine, coarse = own.product.resolution, one.product.resolution
        same = one.product.collection == own.product.collection and one.timesteps == own.timesteps
        new = {band.name for band in one.product.bands}.isdisjoint(band.name for band in own.product.bands)
        return bool(same and new and fine and coarse and coarse % fine == 0 and coarse > fine)

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Bands in the order of the arrays."""
        return tuple(band for one in self.products for band in one.product.bands)

    @cached_property
    def _masks(self) -> tuple[tuple[str, str], ...]:
        """(product, layer) of the quality layers that mark usable pixels at the same timesteps."""
        own = self.item
        found = usable_layers(self.corpus.info, own.key)
        return tuple(
            one for one in found if self.corpus.info.product(one[0]).product.resolution == own.product.resolution
        )

    def grid(self, chip: str) -> Grid:
        """Grid of a chip.

        Raises:
            NotFoundError: no such chip.
        """
        sidecar = self.corpus.sidecar
        row = sidecar.rows_of_ids([chip])
        if row[0] < 0:
            raise NotFoundError(f"no sample {chip!r} in {self.corpus.name}")
        resolution = self.item.product.resolution
        if resolution is None:
            raise InvalidInputError(f"product {self.item.key!r} states no resolution")
        west, south, east, north = sidecar.squares(row)[0].tolist()
        return Grid.of_bounds(int(sidecar.epsg(row)[0]), (west, south, east, north), resolution)

    def scenes(self, chip: str) -> int:
        """Number of acquisitions of a chip, without reading it."""
        sidecar, key = self.corpus.sidecar, self.item.key
        if not sidecar.has_availability(key):
            return len(self.item.timesteps)
        codes, patterns = sidecar.availability(key)
        row = sidecar.rows_of_ids([chip])[0]
        return int(patterns[0 if codes is None else int(codes[row])].sum())

    def read(self, chip: str) -> ChipSeries:
        """Read a chip: all its acquisitions, all bands."""
        selection = self.corpus.select(chip)
        shape = self.grid(chip).shape
        cubes = [selection.cube(chip, one.key, observed_only=True) for one in self.products]
        if len({tuple(cube["time"].to_numpy().tolist()) for cube in cubes}) > 1:
            raise InvalidInputError(f"{chip}: got different acquisitions in {[one.key for one in self.products]}")
        parts = [_fitted(np.asarray(cube), shape) for cube in cubes]
        reflectance = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        valid = np.asarray(data_valid(reflectance).all(axis=1))
        stamps = cubes[0]["time"].to_numpy()
        for key, layer in self._masks:
            quality = selection.cube(chip, key, observed_only=True).sel(band=layer)
            place = {stamp: number for number, stamp in enumerate(quality["time"].to_numpy().tolist())}
            for number, stamp in enumerate(stamps.tolist()):
                if stamp in place:
                    valid[number] &= USABLE[layer](np.asarray(quality[place[stamp]]))
        return ChipSeries(times=tuple(_instant(stamp) for stamp in stamps), reflectance=reflectance, valid=valid)


def _fitted(cube: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """(time, band, y, x) with coarse pixels repeated."""
    factor = -(-shape[0] // cube.shape[-2])
    values = repeat(cube, factor)[..., : shape[0], : shape[1]]
    if values.shape[-2:] != shape:
        raise InvalidInputError(f"got chips of {cube.shape[-2:]} pixels, expected a divisor of {shape}")
    return np.ascontiguousarray(values, dtype=np.uint16)


def _instant(stamp: np.datetime64) -> datetime:
    return datetime.fromtimestamp(int(stamp.astype("M8[us]").astype(np.int64)) / 1e6, tz=UTC)
