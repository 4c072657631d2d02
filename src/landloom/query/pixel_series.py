"""The series of one pixel: values, uncertainty and quality of a product, and the scenes of real observations behind it.

A corpus keeps no single observation. It says which timesteps hold one (0 % synthetic), and which scene it is of
(traceability and lineage); the value there is that of the series, which agrees with the observation within its noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.corpus.lineage import read_lineage
from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError
from landloom.model.grid import Grid
from landloom.model.ids import parse_sample_id
from landloom.model.sensor import NODATA, REFLECTANCE_SCALE, SATURATED
from landloom.model.time import parse_instant
from landloom.query.cubes import load_cube
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.corpus import Corpus

SYNTHETIC, DAYS, CLOUD, TRACEABILITY, REFERENCES = "synthetic", "days", "cloud", "traceability", "references"
UNCERTAINTY: Final = "uncertainty_"
"""Prefix of the quality layer with a band's 1-σ uncertainty."""
CLOUDS: Final = {0: "clear", 1: "cloud", 2: "shadow", 3: "cirrus"}
"""Code of the cloud layer → meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overpass:
    """The scenes of one code of the traceability layer."""

    time: datetime
    """Start of the first."""
    scenes: tuple[str, ...]
    """Ids in the archive."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelSeries:
    """The series of one pixel, in time order; NaN is nodata."""

    sample: str
    product: str
    """Key of the product."""
    title: str
    """Of the product."""
    row: int
    """From the north edge, from 0."""
    column: int
    """From the west edge, from 0."""
    place: Grid
    """The pixel as a grid."""
    bands: tuple[str, ...]
    times: tuple[datetime, ...]
    """Stamps of the timesteps."""
    steps: tuple[str, ...]
    """Their names."""
    values: NDArray[np.float64]
    """(time, band) reflectance, or stored numbers of other products."""
    sigma: NDArray[np.float64] | None
    """(time, band) 1-σ uncertainty in the same unit; None without quality layers."""
    quality: Mapping[str, NDArray[np.float64]]
    """Quality layer → (time) stored numbers, without those in `sigma`; empty without quality layers."""
    overpasses: Mapping[int, Overpass]
    """Code of traceability → scenes, for the codes of this pixel."""
    unit: str
    """Of the values: `reflectance`, or empty for stored numbers."""

    @property
    def observed(self) -> NDArray[np.bool_]:
        """(time) timesteps that hold a real observation of the pixel; all with a value if nothing is synthetic."""
        layer = self.quality.get(SYNTHETIC)
        return np.asarray(np.isfinite(self.values).any(axis=1) if layer is None else layer == 0, np.bool_)

    def overpass(self, position: int) -> Overpass | None:
        """The observation closest to a timestep, as far as quality layers and lineage tell it."""
        if TRACEABILITY not in self.quality or np.isnan(code := self.quality[TRACEABILITY][position]):
            return None
        return self.overpasses.get(int(code))

    def document(self) -> dict[str, Any]:
        """As JSON values; None is nodata."""
        sigma = self.sigma
        return {
            "sample": self.sample,
            "product": self.product,
            "title": self.title,
            "row": self.row,
            "column": self.column,
            "unit": self.unit,
            "bands": list(self.bands),
            "steps": list(self.steps),
            "times": [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in self.times],
            "values": {band: _plain(self.values[:, n]) for n, band in enumerate(self.bands)},
            "sigma": None if sigma is None else {band: _plain(sigma[:, n]) for n, band in enumerate(self.bands)},
            "quality": {name: _plain(layer) for name, layer in self.quality.items()},
            "observed": self.observed.tolist(),
            "overpasses": {
                str(code): {"time": f"{one.time:%Y-%m-%dT%H:%M:%SZ}", "scenes": list(one.scenes)}
                for code, one in sorted(self.overpasses.items())
            },
        }


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 6) for value in values]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleSeries:
    """The series of all pixels of a sample, as stored."""

    sample: str
    item: ProductInfo
    grid: Grid
    """Of the sample."""
    bands: tuple[str, ...]
    times: tuple[datetime, ...]
    values: NDArray[Any]
    """(time, band, y, x)."""
    layers: tuple[str, ...]
    """Names of quality layers; empty if the product has none."""
    quality: NDArray[Any] | None
    """(time, layer, y, x)."""
    nodata: float | None
    """Of the quality layers."""
    in_unit: bool
    """Whether uncertainties have the unit of the values: of bytes, as others publish them, the unit is not stated."""
    overpasses: Mapping[int, Overpass]

    @classmethod
    def read(cls, corpus: Corpus, sample: str, product: str | None = None) -> Self:
        """Read a sample's chips or cube.

        Args:
            corpus: the corpus.
            sample: id.
            product: key; by default the first that may be synthetic, else the first series.

        Raises:
            NotFoundError: no such sample or product.
            InvalidInputError: the product is no series of images, or the corpus has none.
            MissingKeyError: a chip that should exist is missing.
        """
        info = corpus.info
        selection = corpus.select([sample])
        item = info.product(product) if product is not None else default_series(info)
        if not is_series(item):
            raise InvalidInputError(f"product: got {item.key!r}, expected one of {', '.join(series_of(info))}")
        beside = quality_of(info, item)
        cube = load_cube(selection, sample, item.key, observed_only=beside is None)
        stamps = cube["time"].values.astype("M8[us]").tolist()
        layers = None if beside is None else load_cube(selection, sample, beside.key)
        return cls(
            sample=sample,
            item=item,
            grid=_grid(corpus, sample, item),
            bands=tuple(str(name) for name in cube["band"].values),
            times=tuple(parse_instant(stamp) for stamp in stamps),
            values=cube.values,
            layers=() if layers is None else tuple(str(name) for name in layers["band"].values),
            quality=None if layers is None else layers.values,
            nodata=None if beside is None else beside.product.nodata,
            in_unit=beside is not None and beside.product.dtype == item.product.dtype,
            overpasses=_overpasses(corpus, info, item, sample) if TRACEABILITY in _layers(beside) else {},
        )

    def observed(self, bands: Sequence[int]) -> NDArray[np.bool_]:
        """(time, y, x) where all of some bands were observed: neither nodata nor saturated, and not filled.

        Args:
            bands: their positions.
        """
        own = self.values[:, list(bands)]
        valid = ((own != NODATA) & (own != SATURATED)).all(axis=1)
        if self.quality is not None and SYNTHETIC in self.layers:
            valid &= self.quality[:, self.layers.index(SYNTHETIC)] == 0
        return np.asarray(valid, np.bool_)

    def pixel(self, row: int, column: int) -> PixelSeries:
        """The series of one pixel.

        Args:
            row: from the north edge, from 0.
            column: from the west edge, from 0.

        Raises:
            InvalidInputError: outside of the sample.
        """
        height, width = self.values.shape[2:]
        if not (0 <= row < height and 0 <= column < width):
            raise InvalidInputError(
                f"pixel: got row {row} and column {column}, expected 0,0 to {height - 1},{width - 1}"
            )
        product = self.item.product
        scale = REFLECTANCE_SCALE if product.kind == "imagery" and product.dtype == "uint16" else 1
        values = _numbers(self.values[:, :, row, column], product.nodata) / scale
        layers: dict[str, NDArray[np.float64]] = {}
        if self.quality is not None:
            stored = _numbers(self.quality[:, :, row, column], self.nodata)
            layers = {name: stored[:, n] for n, name in enumerate(self.layers)}
        sigma, taken = None, [f"{UNCERTAINTY}{band}" for band in self.bands] if self.in_unit else []
        if any(name in layers for name in taken):
            nothing = np.full(len(values), np.nan)
            sigma = np.stack([layers.get(name, nothing) for name in taken], axis=1) / scale
        codes = layers.get(TRACEABILITY, np.empty(0))
        used = {int(code) for code in codes[np.isfinite(codes)]}
        names = {step.stamp: step.name for step in self.item.timesteps}
        return PixelSeries(
            sample=self.sample,
            product=self.item.key,
            title=product.title,
            row=row,
            column=column,
            place=self.grid.window(row, column, 1, 1),
            bands=self.bands,
            times=self.times,
            steps=tuple(names.get(time, f"{time:%Y-%m-%d}") for time in self.times),
            values=values,
            sigma=sigma,
            quality={name: layer for name, layer in layers.items() if name not in taken},
            overpasses={code: one for code, one in self.overpasses.items() if code in used},
            unit="reflectance" if scale != 1 else "",
        )


def is_series(item: ProductInfo) -> bool:
    """Whether a product is a series of images."""
    return item.product.kind == "imagery" and bool(item.product.bands) and item.product.cadence is not None


def series_of(info: CorpusInfo) -> list[str]:
    """Keys of the products that are series of images."""
    return [item.key for item in info.products if is_series(item)]


def default_series(info: CorpusInfo) -> ProductInfo:
    """The first series whose quality layers tell what is synthetic, else the first.

    Raises:
        NotFoundError: the corpus has no series.
    """
    found = [item for item in info.products if is_series(item)]
    if not found:
        raise NotFoundError(f"{info.name} has no series of images")
    return next((item for item in found if SYNTHETIC in _layers(quality_of(info, item))), found[0])


def _layers(item: ProductInfo | None) -> list[str]:
    return [] if item is None else [band.name for band in item.product.bands]


def quality_of(info: CorpusInfo, item: ProductInfo) -> ProductInfo | None:
    """The quality layers of a series: the quality product of its collection with the same timesteps and pixels."""
    for other in info.products:
        same = other.product.collection == item.product.collection and other.product.kind == "quality"
        if same and other.timesteps == item.timesteps and other.product.resolution == item.product.resolution:
            return other
    return None


def spectral(item: ProductInfo, bands: Iterable[str]) -> list[str]:
    """Those bands of a product that are reflectance, not classes."""
    known = {band.name for band in item.product.bands if band.common_name or band.wavelength}
    return [band for band in bands if band in known] or list(bands)


def _grid(corpus: Corpus, sample: str, item: ProductInfo) -> Grid:
    row = corpus.sidecar.rows_of_ids([sample])
    west, south, east, north = corpus.sidecar.squares(row)[0].tolist()
    resolution = item.product.resolution
    if resolution is None:
        raise InvalidInputError(f"product {item.key!r} states no resolution")
    return Grid.of_bounds(int(corpus.sidecar.epsg(row)[0]), (west, south, east, north), resolution)


def _numbers(stored: NDArray[Any], nodata: float | None) -> NDArray[np.float64]:
    values = stored.astype(np.float64)
    return values if nodata is None else np.where(stored == nodata, np.nan, values)


def _overpasses(corpus: Corpus, info: CorpusInfo, item: ProductInfo, sample: str) -> dict[int, Overpass]:
    """Code → scenes, from the lineage of the sample's tile; empty without codes."""
    key = info.layout.lineage(parse_sample_id(info.scheme, sample), item.product)
    try:
        _, _, lineage = read_lineage(open_store(corpus.base.rstrip("/")).get(key))
    except MissingKeyError:
        return {}
    found: dict[int, list[tuple[datetime, str]]] = {}
    for step in lineage.timesteps:
        for scene in step.scenes:
            if scene.code is not None:
                found.setdefault(scene.code, []).append((parse_instant(scene.datetime), scene.id))
    return {code: _overpass(sorted(set(scenes))) for code, scenes in found.items()}


def _overpass(scenes: Sequence[tuple[datetime, str]]) -> Overpass:
    return Overpass(time=scenes[0][0], scenes=tuple(name for _, name in scenes))
