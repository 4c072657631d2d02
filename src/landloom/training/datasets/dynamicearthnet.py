"""`DynamicEarthNet`: the images of a month and its labels, as `CorpusDataset` returns samples."""

from __future__ import annotations

from contextlib import contextmanager
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import torch
from torch.utils.data import Dataset

from landloom.errors import InvalidInputError, NotFoundError, PermanentFaultError
from landloom.imagery.change.scores import SemanticChange, semantic_change
from landloom.model.sensor import REFLECTANCE_SCALE, SATURATED
from landloom.query.catalog.dynamicearthnet import CLASSES, SNOW, Area, Areas, read_areas
from landloom.store.open import open_store
from landloom.training.datasets.pixels import fill_image
from landloom.training.datasets.targets import NOTHING
from landloom.training.datasets.windows import WindowRule

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from rasterio.io import DatasetReader

    from landloom.training.datasets.plan import Statistics
    from landloom.training.datasets.windows import At

PRODUCT: Final = "pfsr"
"""Key of the product that the images are of."""
BANDS: Final = ("blue", "green", "red", "nir")
"""In the order of the files."""
Days = Literal["single", "weekly", "daily"]
DAYS: Final[dict[str, tuple[str, ...] | None]] = {
    "single": ("01",),
    "weekly": ("01", "05", "10", "15", "20", "25"),
    "daily": None,
}
"""Days of a month that are read, by the names of the paper; None for all."""
_SET: Final = 255
"""Value of a label's band where its class is."""


class DynamicEarthNet(Dataset[dict[str, Any]]):
    """Months of DynamicEarthNet (Toker et al. 2022, arXiv:2203.12560): daily Planet Fusion with monthly labels.

    An example is the images of one month of an area with its label, as a sample of `CorpusDataset`: `image` float32
    (T, C, H, W) reflectance of blue, green, red and near infrared, `dates`, `valid`, `length`, `mask` int64 (H, W) with
    −1 for no label, `weight`, `bounds`, `crs` and `id` (`AREA/MONTH`). A pixel has no label where none or several of
    the classes are marked, and, by default, where the class is snow and ice, as in the benchmark. Days without a file
    are not there: T is smaller.

    Args:
        folder: to which the archives were unpacked, or its address.
        split: `train`, `val` or `test`, by the lists in `dynnet_training_splits`; by default every month.
        days: `single` (the first of the month), `weekly` (six days) or `daily`, as in the paper.
        snow: whether snow and ice is a class of its own, the last.
        crop: side of a window in pixels.
        crop_at: `random`, `centre`, or `grid`: every window that fits, each an example of its own.
        statistics: to normalise by: (x − mean) / standard deviation of each band.
        seed: of random windows.

    Raises:
        CorpusError: the folder holds nothing of DynamicEarthNet.
        NotFoundError: no such split, or a choice of days that is none.
        InvalidInputError: no month with images and a label.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        split: str | None = None,
        *,
        days: Days = "weekly",
        snow: bool = False,
        crop: int | None = None,
        crop_at: At = "random",
        statistics: Statistics | None = None,
        seed: int = 0,
    ) -> None:
        if days not in DAYS:
            raise NotFoundError.of("choice of days", days, DAYS)
        self.folder, self.seed, self.snow = str(folder), seed, snow
        self._days = DAYS[days]
        # Shared, so that workers that live for several epochs see the number change.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]
        found = read_areas(open_store(self.folder))
        known = {area.id: area for area in found.areas}
        self.months, self.left_out = self._usable(found, known, split)
        self.areas = {name: known[name] for name in dict.fromkeys(name for name, _ in self.months)}
        shown = {name: self._place(area) for name, area in self.areas.items()}
        self._places = shown
        self._rule = WindowRule.of(crop, crop_at, [size for _, _, size in shown.values()][:1])
        for name, (bounds, _, size) in shown.items():
            if size != self._rule.pixel:
                raise InvalidInputError(f"{name}: got pixels of {size:g} m, expected {self._rule.pixel:g} m as others")
            self._rule.refuse(bounds, name)
        counts = [self._rule.count(shown[name][0]) for name, _ in self.months]
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        mean, deviation = np.zeros(len(BANDS)), np.ones(len(BANDS))
        if statistics is not None:
            mean, deviation = statistics.moments(PRODUCT, BANDS)
        self._gain = (1 / (REFLECTANCE_SCALE * deviation)).astype(np.float32)
        self._shift = (-mean / deviation).astype(np.float32)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the mask's numbers."""
        return (*CLASSES, SNOW) if self.snow else CLASSES

    def set_epoch(self, epoch: int) -> None:
        """Choose the random windows of an epoch."""
        self._epoch[0] = epoch

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"no example {index} in this dataset of {len(self)}")
        index %= len(self)
        place = int(np.searchsorted(self._starts, index, side="right")) - 1
        name, month = self.months[place]
        area, (bounds, crs, size) = self.areas[name], self._places[name]
        random = np.random.default_rng((self.seed, int(self._epoch[0]), index))
        window = self._rule.window(bounds, index - int(self._starts[place]), random)
        row, column, height, width = window.pixels(size)
        days = self._chosen(area, month)
        numbers = np.stack([self._numbers(area.images[day], (row, column, height, width)) for day in days])
        image = np.empty((len(days), len(BANDS), height, width), np.float32)
        valid = np.empty((len(days), height, width), np.bool_)
        marks, steps = (0.0, float(SATURATED)), np.arange(len(days))
        fill_image(numbers, steps, np.arange(len(BANDS)), (0, 0), marks, self._gain, self._shift, image, valid)
        mask = self._mask(area.labels[month], self._whole(name))[row : row + height, column : column + width]
        west, north = bounds[0] + window.left, bounds[3] - window.top
        return {
            "image": torch.from_numpy(image),
            "dates": torch.from_numpy(np.array(days, "M8[D]").astype(np.int64)),
            "valid": torch.from_numpy(valid),
            "length": torch.tensor(len(days)),
            "mask": torch.from_numpy(np.ascontiguousarray(mask)),
            "weight": torch.from_numpy((mask != NOTHING).astype(np.float32)),
            "bounds": torch.tensor([west, north - window.height, west + window.width, north], dtype=torch.float64),
            "crs": crs,
            "id": f"{name}/{month}",
        }

    def truth(self, area: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Months of an area in this dataset, and their labels (month, y, x), −1 for no label: for the score of change.

        Raises:
            NotFoundError: no such area.
        """
        if area not in self._places:
            raise NotFoundError.of("area", area, self._places)
        months = tuple(month for name, month in self.months if name == area)
        shape = self._whole(area)
        return months, np.stack([self._mask(self.areas[area].labels[month], shape) for month in months])

    def score(self, predicted: Mapping[str, NDArray[np.integer]]) -> SemanticChange:
        """Semantic change segmentation of all areas together: `score`, `binary` and `semantic` of the result.

        Args:
            predicted: area → (month, y, x) classes from 0, of the months of `truth`.

        Raises:
            InvalidInputError: an area is missing.
            InvalidValueError: maps of another shape than the labels, or with other classes.
        """
        names = tuple(self.areas)
        if missing := [name for name in names if name not in predicted]:
            raise InvalidInputError(f"got no maps of area {missing[0]}, expected all {len(names)}")
        parts = [semantic_change(self.truth(name)[1], predicted[name], len(self.classes)) for name in names]
        return reduce(add, parts)

    def _usable(
        self, found: Areas, known: Mapping[str, Area], split: str | None
    ) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
        """(area, month) with images and a label, in order; and why others are not here."""
        left_out = dict(found.left_out)
        listed = [(area.id, month) for area in found.areas for month in area.labels]
        wanted = listed if split is None else sorted(set(found.split(split)))
        kept = []
        for name, month in wanted:
            area = known.get(name)
            if area is None:
                left_out.setdefault(name, "has no image and no label")
            elif month not in area.labels:
                left_out[f"{name}/{month}"] = "has no label"
            elif not self._chosen(area, month):
                left_out[f"{name}/{month}"] = "has no image"
            else:
                kept.append((name, month))
        if not kept:
            reasons = "; ".join(f"{name} {why}" for name, why in list(left_out.items())[:3])
            raise InvalidInputError(f"{self.folder}: got no month with images and a label: {reasons}")
        return tuple(kept), left_out

    def _chosen(self, area: Area, month: str) -> tuple[str, ...]:
        """Days of a month that are read."""
        return tuple(day for day in area.days(month) if self._days is None or day[-2:] in self._days)

    def _place(self, area: Area) -> tuple[NDArray[np.float64], str, float]:
        """Bounds, CRS and pixel size of an area, by its first image."""
        key = next(iter(area.images.values()))
        with _opened(open_store(self.folder).get(key), key) as raster:
            epsg, (width, height) = None if raster.crs is None else raster.crs.to_epsg(), raster.res
            if epsg is None or width != height:
                raise PermanentFaultError(f"{key}: got no CRS with an EPSG code or pixels that are no squares")
            return np.array(raster.bounds, np.float64), f"EPSG:{epsg}", float(width)

    def _whole(self, name: str) -> tuple[int, int]:
        """Rows and columns of an area."""
        (west, south, east, north), _, size = self._places[name]
        return round((north - south) / size), round((east - west) / size)

    def _numbers(self, key: str, part: tuple[int, int, int, int]) -> NDArray[np.uint16]:
        """(band, y, x) stored numbers of a window."""
        from rasterio.windows import Window as Part

        row, column, height, width = part
        with _opened(open_store(self.folder).get(key), key) as raster:
            if raster.count != len(BANDS) or raster.dtypes[0] != "uint16":
                raise PermanentFaultError(
                    f"{key}: got {raster.count} bands of {raster.dtypes[0]}, expected 4 of uint16"
                )
            if row + height > raster.height or column + width > raster.width:
                raise PermanentFaultError(f"{key}: got {raster.shape} pixels, fewer than its area's first image")
            numbers: NDArray[np.uint16] = raster.read(window=Part(column, row, width, height))
            return numbers

    def _mask(self, key: str, shape: tuple[int, int]) -> NDArray[np.int64]:
        """(y, x) class of each pixel of an area."""
        with _opened(open_store(self.folder).get(key), key) as raster:
            if raster.count != len(CLASSES) + 1 or raster.shape != shape:
                got = f"{raster.count} bands of {raster.shape} pixels"
                raise PermanentFaultError(f"{key}: got {got}, expected {len(CLASSES) + 1} of {shape}, as of its images")
            marked = raster.read() == _SET
        classes = np.where(marked.sum(axis=0) == 1, marked.argmax(axis=0), NOTHING)
        return np.where(classes < len(self.classes), classes, NOTHING).astype(np.int64)


@contextmanager
def _opened(data: bytes, key: str) -> Iterator[DatasetReader]:
    """An open GeoTIFF.

    Raises:
        PermanentFaultError: it is none, or damaged.
    """
    from rasterio.errors import RasterioError
    from rasterio.io import MemoryFile

    try:
        with MemoryFile(data) as file, file.open(driver="GTiff") as raster:
            yield raster
    except RasterioError as error:
        raise PermanentFaultError(f"{key}: cannot be read as a GeoTIFF: {error}") from error
