"""One product of many samples as stored numbers: from cubes, or from chips where a corpus has no cubes.

What decides what is read (`SeriesPlan`) is plain values; what reads (`SeriesReader`) opens its files on first use, in
the process that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.corpus.layout import ANY_SAMPLE
from landloom.errors import InvalidInputError, NotFoundError, PermanentFaultError
from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.cubes import CubeReader
from landloom.model.sensor import REFLECTANCE_SCALE, SATURATED
from landloom.query.address_lists import filled
from landloom.query.assets import slots_of
from landloom.query.recent import Kept
from landloom.query.usable import USABLE, at_pixels, usable_layers
from landloom.store.open import open_store
from landloom.training.datasets.cache import SeriesCache

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.model.product import Product
    from landloom.query.selection import Selection
    from landloom.store.protocol import Store
    from landloom.training.datasets.samples import Samples

LAYERS: Final = ("SCL", "valid")
"""Quality layers by which pixels are masked: others are of series that are masked already, or filled."""
OPEN_CUBES: Final = 4096
"""Cubes arrays whose documents are kept, at most: about 0.1 MB each."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesPlan:
    """What is read of one product: its bands and timesteps, and which of them each sample has."""

    key: str
    """Key of the product."""
    bands: tuple[str, ...]
    """Chosen bands, in the order of the image."""
    file_bands: tuple[str, ...]
    """All bands, in file order."""
    steps: tuple[str, ...]
    """Names of the timesteps."""
    days: NDArray[np.int64]
    """(step,) date of each, days since 1970-01-01."""
    acquired: bool
    """Whether samples have dates of their own."""
    observed: NDArray[np.bool_]
    """(pattern, step) which timesteps have files."""
    patterns: NDArray[np.int32]
    """(sample,) pattern of each sample."""
    resolution: float
    """Pixel size in metres."""
    dtype: str
    """Of stored numbers."""
    nodata: float
    """Stored number of pixels without data; NaN if there is none."""
    saturated: float
    """Stored number of saturated pixels, which are not valid; NaN if there is none."""
    scale: float
    """Stored number = scale × value of the image: 10,000 for reflectance."""
    cube: str | None
    """Template of the path of a cubes array; None to read chips."""
    chips: tuple[tuple[str, ...], ...]
    """Templates of the files of each timestep: one, or one for each chosen band; without cubes only."""
    masks: tuple[SeriesPlan, ...] = ()
    """Layers that mark usable pixels, at the same timesteps: one band each."""

    @classmethod
    def of(
        cls,
        selection: Selection,
        product: str,
        bands: Sequence[str] | None = None,
        steps: Sequence[str] | None = None,
    ) -> Self:
        """The plan for a product of a selection, whose period and bands are used.

        Args:
            selection: the samples.
            product: key.
            bands: names; by default those of the selection.
            steps: names of timesteps; by default all of the period.

        Raises:
            NotFoundError: an unknown product, band or timestep; similar names are listed.
            InvalidInputError: a product without bands or pixels, or no timestep in the period.
        """
        info = selection.sidecar.info
        item = info.product(product)
        row = item.product
        if row.kind in ("labels", "raster-labels") or not row.bands or row.resolution is None:
            series = [one.key for one in info.products if one.product.kind in ("imagery", "quality")]
            raise InvalidInputError(f"got product {product!r}, which is no image; expected one of {', '.join(series)}")
        names = tuple(band.name for band in row.bands)
        chosen = _bands(product, names, selection.bands if bands is None else bands, strict=bands is not None)
        chips = info if "chips" in info.layouts else replace(info, layouts=("chips",))
        slots = slots_of(chips, (product,), selection.period, names[:1])
        if steps is not None:
            own = {str(slot.timestep): slot for slot in slots}
            for name in steps:
                if name not in own:
                    raise NotFoundError.of(f"timestep of {product}", name, own)
            slots = tuple(own[name] for name in dict.fromkeys(steps))
        if not slots:
            raise InvalidInputError(f"product {product!r} has no timestep in {selection.period}")
        own_steps = tuple(str(slot.timestep) for slot in slots)
        reflectance = row.kind == "imagery" and row.dtype == "uint16"
        codes, patterns = _availability(selection, product, item)
        return cls(
            key=product,
            bands=chosen,
            file_bands=names,
            steps=own_steps,
            days=np.array([0 if slot.stamp is None else int(slot.stamp.timestamp()) // 86_400 for slot in slots]),
            acquired=item.acquired,
            observed=patterns[:, [slot.position for slot in slots]],
            patterns=codes,
            resolution=row.resolution,
            dtype=row.dtype,
            nodata=float("nan") if row.nodata is None else float(row.nodata),
            saturated=float(SATURATED) if reflectance else float("nan"),
            scale=float(REFLECTANCE_SCALE) if reflectance else 1.0,
            cube=f"{info.layout.cube(ANY_SAMPLE, row)}/" if "cubes" in info.layouts else None,
            chips=() if "cubes" in info.layouts else tuple(_files(slot.template, slot.band, chosen) for slot in slots),
            masks=tuple(cls.of(selection, key, (layer,), own_steps) for key, layer in _layers(info, row)),
        )

    def take(self, chosen: NDArray[np.integer]) -> Self:
        """The same plan for some of the samples."""
        masks = tuple(one.take(chosen) for one in self.masks)
        return replace(self, patterns=self.patterns[chosen], masks=masks)

    def steps_of(self, number: int) -> NDArray[np.int64]:
        """Timesteps of a sample: all of a regular axis, its own of an acquired one."""
        if self.acquired:
            return np.flatnonzero(self.observed[self.patterns[number]])
        return np.arange(len(self.steps))

    def lengths(self) -> NDArray[np.int64]:
        """(sample,) number of timesteps."""
        counts = self.observed.sum(axis=1) if self.acquired else np.full(len(self.observed), len(self.steps))
        return np.asarray(counts[self.patterns], np.int64)

    def shape(self, bounds: NDArray[np.float64]) -> tuple[int, int]:
        """Rows and columns of a sample with these bounds."""
        west, south, east, north = bounds.tolist()
        return round((north - south) / self.resolution), round((east - west) / self.resolution)


def _bands(product: str, names: tuple[str, ...], wanted: Sequence[str] | None, *, strict: bool) -> tuple[str, ...]:
    if wanted is None:
        return names
    missing = [band for band in wanted if band not in names]
    chosen = tuple(dict.fromkeys(band for band in wanted if band in names))
    if missing and (strict or not chosen):
        raise NotFoundError.of(f"band of {product}", missing[0], names)
    return chosen


def _layers(info: CorpusInfo, row: Product) -> tuple[tuple[str, str], ...]:
    """(product, layer) that mask a series."""
    return usable_layers(info, row.key, LAYERS) if row.kind == "imagery" else ()


def _files(template: str, band: str | None, chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Files of one timestep: if each band is a separate file, those of the chosen bands."""
    if band is None:
        return (template,)
    return tuple(f"{template.removesuffix(f'{band}.tif')}{name}.tif" for name in chosen)


def _availability(selection: Selection, product: str, item: ProductInfo) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """(sample,) pattern of each, and (pattern, slot) existing files."""
    nothing = np.zeros(len(selection), np.int32)
    if not selection.sidecar.has_availability(product):
        return nothing, np.ones((1, item.slots), np.bool_)
    codes, patterns = selection.sidecar.availability(product)
    return (nothing if codes is None else codes[selection.rows].astype(np.int32)), patterns


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Stored numbers of one sample."""

    numbers: NDArray[Any]
    """(stored step, stored band, y, x)."""
    steps: NDArray[np.int64]
    """(step,) place of each wanted timestep in the numbers, −1 without a file."""
    bands: NDArray[np.int64]
    """(band,) place of each chosen band in the numbers."""


@dataclass(frozen=True, eq=False)
class SeriesReader:
    """Reads one product of samples; safe to use from several threads, and picklable."""

    samples: Samples
    plan: SeriesPlan
    cache: Path | None = None
    """Folder of decoded samples; None for none."""
    _opened: dict[str, Any] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {"samples": self.samples, "plan": self.plan, "cache": self.cache, "_opened": {}}

    @property
    def _store(self) -> Store:
        if "store" not in self._opened:
            self._opened["store"] = open_store(self.samples.base)
        store: Store = self._opened["store"]
        return store

    def _cubes(self, folder: str) -> CubeReader:
        if "cubes" not in self._opened:
            self._opened.setdefault("cubes", Kept[CubeReader](OPEN_CUBES))
        kept: Kept[CubeReader] = self._opened["cubes"]
        prefix = filled(str(self.plan.cube), folder, "")
        return kept.get(folder, lambda: CubeReader(self._store.get, self._store.get_range, prefix))

    def read(self, number: int, steps: NDArray[np.int64]) -> Stored:
        """Read a sample.

        Args:
            number: of the sample.
            steps: wanted timesteps, by their place in the plan.

        Raises:
            MissingKeyError: a file that the index lists is missing.
            PermanentFaultError: a file is damaged, or has other pixels than its sample.
        """
        found = self._stored(number, steps) if self.cache is None else self._cached(number, steps, self.cache)
        shape = self.plan.shape(self.samples.bounds[number])
        if found.numbers.shape[2:] != shape:
            raise PermanentFaultError(
                f"{self.plan.key} of {self.samples.id(number)}: got {found.numbers.shape[2:]} pixels, expected {shape}"
            )
        return found

    def usable(self, number: int, steps: NDArray[np.int64]) -> Stored:
        """Read a sample, with nodata where a layer of the corpus marks pixels that are not usable.

        Args:
            number: of the sample.
            steps: wanted timesteps, by their place in the plan.

        Raises:
            MissingKeyError: a file that the index lists is missing.
            PermanentFaultError: a file is damaged, or has other pixels than its sample.
        """
        found = self.read(number, steps)
        if not self.plan.masks:
            return found
        there = found.steps >= 0
        numbers = found.numbers[np.ix_(found.steps[there], found.bands)]
        for reader in self._masks():
            layer, (name,) = reader.read(number, steps), reader.plan.bands
            known = layer.steps[there] >= 0
            clear = np.zeros((len(numbers), *layer.numbers.shape[2:]), np.bool_)
            clear[known] = USABLE[name](layer.numbers[layer.steps[there][known], layer.bands[0]])
            numbers[np.broadcast_to(~at_pixels(clear, numbers.shape[2:])[:, None], numbers.shape)] = self.plan.nodata
        places = np.where(there, np.cumsum(there) - 1, -1)
        return Stored(numbers=numbers, steps=places, bands=np.arange(len(self.plan.bands)))

    def _masks(self) -> tuple[SeriesReader, ...]:
        if "masks" not in self._opened:
            self._opened["masks"] = tuple(SeriesReader(self.samples, one, self.cache) for one in self.plan.masks)
        masks: tuple[SeriesReader, ...] = self._opened["masks"]
        return masks

    def _stored(self, number: int, steps: NDArray[np.int64]) -> Stored:
        return self._from_chips(number, steps) if self.plan.cube is None else self._from_cube(number, steps)

    def _cached(self, number: int, steps: NDArray[np.int64], folder: Path) -> Stored:
        """From the cache, which holds the timesteps that a sample has and the chosen bands."""
        if "cache" not in self._opened:
            read = (self.plan.key, self.plan.bands, self.plan.steps, self.plan.dtype)
            self._opened["cache"] = SeriesCache.of(folder, self._store, read)
        cache: SeriesCache = self._opened["cache"]
        plan, name = self.plan, self.samples.id(number)
        there = plan.observed[plan.patterns[number]]
        shape = (int(there.sum()), len(plan.bands), *plan.shape(self.samples.bounds[number]))
        numbers = cache.read(name, plan.dtype, shape)
        if numbers is None:
            whole = self._stored(number, np.flatnonzero(there))
            numbers = whole.numbers[np.ix_(whole.steps, whole.bands)]
            cache.write(name, numbers)
        places = np.where(there, np.cumsum(there) - 1, -1)
        return Stored(numbers=numbers, steps=places[steps], bands=np.arange(len(plan.bands)))

    def _from_cube(self, number: int, steps: NDArray[np.int64]) -> Stored:
        plan, reader = self.plan, self._cubes(self.samples.folder(number))
        numbers = reader.read(self.samples.id(number))
        places = {name: place for place, name in enumerate(reader.spec.timesteps)}
        there = plan.observed[plan.patterns[number]]
        return Stored(
            numbers=numbers,
            steps=np.array([places.get(plan.steps[step], -1) if there[step] else -1 for step in steps.tolist()]),
            bands=np.array([reader.spec.bands.index(band) for band in plan.bands]),
        )

    def _from_chips(self, number: int, steps: NDArray[np.int64]) -> Stored:
        plan = self.plan
        there = plan.observed[plan.patterns[number]][steps]
        folder, identity = self.samples.folder(number), self.samples.id(number)
        chips = []
        for step in steps[there].tolist():
            paths = [filled(template, folder, identity) for template in plan.chips[step]]
            parts = [decode_geotiff(self._store.get(path))[0] for path in paths]
            chip = np.concatenate([part if part.ndim == 3 else part[None] for part in parts])
            expected = len(plan.bands) if len(paths) > 1 else len(plan.file_bands)
            if len(chip) != expected and len(paths) == 1 and len(plan.bands) != len(chip):
                raise PermanentFaultError(f"{paths[0]}: got {len(chip)} bands, expected {expected}")
            chips.append(chip)
        places = np.cumsum(there) - 1
        own = chips[0].shape[0] if chips else len(plan.bands)
        whole = own == len(plan.file_bands)
        return Stored(
            numbers=np.stack(chips)
            if chips
            else np.zeros((0, own, *plan.shape(self.samples.bounds[number])), plan.dtype),
            steps=np.where(there, places, -1),
            bands=np.array([plan.file_bands.index(band) if whole else n for n, band in enumerate(plan.bands)]),
        )
