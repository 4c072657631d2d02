"""Label rasters of samples: windows of a GeoTIFF, with the confidence that lies beside the classes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError, PermanentFaultError
from landloom.formats.geotiff import decode_geotiff
from landloom.query.address_lists import filled
from landloom.query.assets import slots_of
from landloom.store.open import open_store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import ProductInfo
    from landloom.query.selection import Selection
    from landloom.training.datasets.samples import Samples
    from landloom.training.datasets.windows import Window

CONFIDENCE: Final = "confidence"
"""Band with the probability of the class in percent."""


@dataclass(frozen=True, eq=False)
class RasterReader:
    """Reads a label raster of samples; picklable."""

    samples: Samples
    key: str
    """Of the product."""
    template: str
    """Of the path of a sample's file."""
    bands: tuple[str, ...]
    """In file order."""
    band: int
    """Of the target."""
    nodata: float | None
    resolution: float
    """Pixel size in metres."""
    there: NDArray[np.bool_]
    """(sample,) which samples have a file."""
    _opened: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, selection: Selection, samples: Samples, item: ProductInfo, band: str | None) -> Self:
        """The reader of a product.

        Raises:
            NotFoundError: no such band.
            InvalidInputError: a product with time, or without a pixel size.
        """
        names = tuple(one.name for one in item.product.bands)
        if band is not None and band not in names:
            raise NotFoundError.of(f"band of {item.key}", band, names)
        slots = slots_of(selection.sidecar.info, (item.key,))
        if len(slots) != 1 or item.product.resolution is None:
            raise InvalidInputError(f"product {item.key!r} has a time axis or no pixel size: it cannot be a target")
        there = np.ones(len(samples), np.bool_)
        if selection.sidecar.has_availability(item.key):
            codes, patterns = selection.sidecar.availability(item.key)
            there = patterns[np.zeros(len(samples), np.int64) if codes is None else codes[samples.rows], 0]
        return cls(
            samples=samples,
            key=item.key,
            template=slots[0].template,
            bands=names,
            band=0 if band is None else names.index(band),
            nodata=item.product.nodata,
            resolution=item.product.resolution,
            there=there,
        )

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": {}}

    def take(self, chosen: NDArray[np.integer]) -> Self:
        """The reader of some of the samples."""
        return replace(self, samples=self.samples.take(chosen), there=self.there[chosen], _opened={})

    def name(self, number: int) -> str:
        """Product and sample, for messages."""
        return f"{self.key} of {self.samples.id(number)}"

    def read(self, number: int, window: Window) -> NDArray[Any]:
        """(band, y, x) of a window of a sample.

        Raises:
            MissingKeyError: there is no such file.
            PermanentFaultError: it has other bands or pixels than expected.
        """
        if "store" not in self._opened:
            self._opened["store"] = open_store(self.samples.base)
        path = filled(self.template, self.samples.folder(number), self.samples.id(number))
        array = decode_geotiff(self._opened["store"].get(path))[0]
        array = array if array.ndim == 3 else array[None]
        west, south, east, north = self.samples.bounds[number].tolist()
        shape = (len(self.bands), round((north - south) / self.resolution), round((east - west) / self.resolution))
        if array.shape != shape:
            raise PermanentFaultError(f"{path}: got {array.shape} bands and pixels, expected {shape}")
        row, column, height, width = window.pixels(self.resolution)
        return array[:, row : row + height, column : column + width]

    def confidence(self, bands: NDArray[Any]) -> NDArray[np.float32]:
        """(y, x) confidence from 0 to 1: of the band of that name, which is in percent; otherwise 1."""
        if CONFIDENCE not in self.bands:
            return np.ones(bands.shape[1:], np.float32)
        percent = bands[self.bands.index(CONFIDENCE)].astype(np.float32)
        shares: NDArray[np.float32] = np.clip(np.nan_to_num(percent) / 100, 0, 1)
        return shares
