"""What a model learns about a sample: its class, class shares, a class for every pixel, or a number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.datasets.classes import ClassTable, one_of
from landloom.training.datasets.rasters import RasterReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.selection import Selection
    from landloom.training.datasets.samples import Samples
    from landloom.training.datasets.windows import Window

Kind = Literal["label", "fractions", "mask", "value"]
KINDS: Final = ("label", "fractions", "mask", "value")
NOTHING: Final = -1
"""Class of pixels without a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is learnt, and from which label product.

    Example:
        >>> Target.parse("mask:consensus")
        Target(kind='mask', product='consensus', level=None, crosswalk=None, band=None, background=False, dense=False)
    """

    kind: Kind
    """`label`: the dominant class; `fractions`: area shares; `mask`: a class for every pixel; `value`: a number."""
    product: str | None = None
    """Key of the label product; by default the only one that fits."""
    level: int | None = None
    """Level of its taxonomy, 1 is the coarsest; by default the finest."""
    crosswalk: str | None = None
    """Taxonomy to whose classes a crosswalk leads: `landcovernet`."""
    band: str | None = None
    """Band of a raster; by default its first."""
    background: bool = False
    """Whether pixels that no parcel covers are a class of their own; by default they have no label."""
    dense: bool = False
    """Of a value: whether every pixel has a number of its own; by default the mean of the window is learnt."""

    @classmethod
    def parse(cls, target: str | Target) -> Target:
        """Read `KIND` or `KIND:PRODUCT`.

        Raises:
            NotFoundError: no such kind.
        """
        if isinstance(target, Target):
            return target
        kind, _, product = target.partition(":")
        if kind not in KINDS:
            raise NotFoundError.of("kind of target", kind, KINDS)
        found: Any = kind
        return cls(kind=found, product=product or None)

    def item(self, info: CorpusInfo) -> ProductInfo:
        """The label product in a corpus.

        Raises:
            NotFoundError: there is none, or none by that name.
            InvalidInputError: several fit, and none is named.
        """
        shares = [one.key for one in info.labels if self.kind in ("label", "fractions")]
        rasters = [one.key for one in info.products if _is_raster(info, one, self.kind)]
        if self.product is not None:
            if self.product not in (*shares, *rasters):
                info.product(self.product)
                raise InvalidInputError(
                    f"target: got {self.kind} of {self.product!r}, expected one of {one_of([*shares, *rasters])}"
                )
            return info.product(self.product)
        fitting = shares[:1] or rasters
        if not fitting:
            raise NotFoundError(f"{info.name} has no product for the target {self.kind!r}")
        if len(fitting) > 1:
            raise InvalidInputError(f"target: got {self.kind!r}, expected {self.kind}:PRODUCT of {one_of(fitting)}")
        return info.product(fitting[0])


def _is_raster(info: CorpusInfo, item: ProductInfo, kind: Kind) -> bool:
    """Whether a raster of labels can be a target of a kind: classes for classes, anything for numbers."""
    if item.product.kind != "raster-labels" or not item.product.bands or item.product.suffix != "tif":
        return False
    return kind == "value" or item.taxonomy is not None or item.key in info.class_mappings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dense:
    """A raster target of a window, in its own pixels."""

    key: Literal["mask", "value"]
    """Of classes or of numbers, in a sample."""
    numbers: NDArray[Any]
    """(y, x) int64 classes, −1 for no label; or float32 numbers, NaN for none."""
    weight: NDArray[np.float32]
    """(y, x) confidence from 0 to 1, 0 without a label."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """(y, x) pixels with a label or a number."""
        return known_of(self.numbers)

    def at(self, shape: tuple[int, int]) -> Self:
        """In other pixels of the same ground, by nearest neighbour."""
        if shape == self.numbers.shape:
            return self
        rows, columns = (
            ((np.arange(count) + 0.5) * own / count).astype(np.int64)
            for count, own in zip(shape, self.numbers.shape, strict=True)
        )
        places = np.ix_(rows, columns)
        return replace(self, numbers=self.numbers[places], weight=self.weight[places])


def known_of(numbers: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a raster target has a class, or a number.

    Example:
        >>> known_of(np.array([0, -1])).tolist(), known_of(np.array([0.5, np.nan])).tolist()
        ([True, False], [True, False])
    """
    known: NDArray[np.bool_] = numbers != NOTHING if numbers.dtype.kind == "i" else ~np.isnan(numbers)
    return known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetReader:
    """Targets of samples; picklable."""

    target: Target
    key: str
    """Of the label product."""
    table: ClassTable | None
    """Classes; None for a number."""
    shares: NDArray[np.float32] | None
    """(sample, class) area shares of the labelled area, from the index; None for rasters."""
    raster: RasterReader | None
    missing: NDArray[np.bool_]
    """(sample,) samples that have no label, as far as the index tells."""

    @classmethod
    def of(cls, selection: Selection, samples: Samples, target: str | Target) -> Self:
        """The targets of a selection.

        Raises:
            NotFoundError: no such kind, product, level, crosswalk or band.
            InvalidInputError: a product that is no such target.
        """
        wanted = Target.parse(target)
        info = selection.sidecar.info
        item = wanted.item(info)
        table = None
        if wanted.kind != "value":
            table = ClassTable.of(info, item, level=wanted.level, walk=wanted.crosswalk, background=wanted.background)
        if item.product.kind != "labels":
            reader = RasterReader.of(selection, samples, item, wanted.band)
            return cls(target=wanted, key=item.key, table=table, shares=None, raster=reader, missing=~reader.there)
        if table is None or item.taxonomy is None:
            raise InvalidInputError(f"target: got {wanted.kind} of {item.key!r}, expected classes")
        columns = [
            selection.sidecar.columns.index(name) if name in selection.sidecar.columns else -1
            for name in info.label_columns[item.key]
        ]
        stored = selection.sidecar.shares(selection.rows)
        finest = np.stack([stored[:, one] if one >= 0 else np.zeros(len(stored), np.int32) for one in columns], axis=1)
        sums = table.summed(finest)
        total = sums.sum(axis=1)
        shares = (sums / np.maximum(total, 1)[:, None]).astype(np.float32)
        return cls(target=wanted, key=item.key, table=table, shares=shares, raster=None, missing=total == 0)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; none for a number."""
        return () if self.table is None else self.table.names

    def take(self, chosen: NDArray[np.integer]) -> Self:
        """Targets of some of the samples."""
        return replace(
            self,
            shares=None if self.shares is None else self.shares[chosen],
            raster=None if self.raster is None else self.raster.take(chosen),
            missing=self.missing[chosen],
        )

    def labels(self) -> NDArray[np.int64] | None:
        """(sample,) dominant class, −1 without one; None for rasters, which only reading tells."""
        if self.shares is None:
            return None
        found: NDArray[np.int64] = np.where(self.missing, NOTHING, self.shares.argmax(axis=1))
        return found

    def read(self, number: int, window: Window) -> dict[str, Any] | Dense:
        """The target of a window of a sample: its scalars by name with their weight, or a raster.

        Raises:
            InvalidInputError: a window without a label, where there has to be one; the sample is named.
        """
        if self.raster is None:
            return self._of_shares(number)
        bands = self.raster.read(number, window)
        name = self.raster.name(number)
        if self.table is None:
            return self._numbers(bands[self.raster.band].astype(np.float64), self.raster.nodata, name)
        classes = self.table.apply(bands[self.raster.band], self.raster.nodata, name)
        weight = np.where(classes == NOTHING, 0, self.raster.confidence(bands)).astype(np.float32)
        if self.target.kind == "mask":
            return Dense(key="mask", numbers=classes, weight=weight)
        return self._summary(classes, weight, name)

    def _numbers(self, own: NDArray[np.float64], nodata: float | None, name: str) -> dict[str, Any] | Dense:
        """Numbers of a window: of every pixel, or their mean."""
        usable = np.isfinite(own) & (own != (np.nan if nodata is None else nodata))
        if self.target.dense:
            numbers = np.where(usable, own, np.nan).astype(np.float32)
            return Dense(key="value", numbers=numbers, weight=usable.astype(np.float32))
        if not usable.any():
            raise InvalidInputError(f"{name}: got no value, expected one at least")
        return {"value": np.float32(own[usable].mean()), "weight": np.float32(1)}

    def _of_shares(self, number: int) -> dict[str, Any]:
        if self.shares is None:
            return {}
        own = self.shares[number]
        target: Any = own.copy() if self.target.kind == "fractions" else np.int64(own.argmax())
        return {self.target.kind: target, "weight": np.float32(1)}

    def _summary(self, classes: NDArray[np.int64], weight: NDArray[np.float32], name: str) -> dict[str, Any]:
        """Class or shares of a window from its pixels."""
        labelled = classes != NOTHING
        if not labelled.any():
            raise InvalidInputError(f"{name}: got no labelled pixel, expected one at least")
        counts = np.bincount(classes[labelled], minlength=len(self.classes))
        shares = (counts / counts.sum()).astype(np.float32)
        target: Any = shares if self.target.kind == "fractions" else np.int64(counts.argmax())
        return {self.target.kind: target, "weight": np.float32(weight[labelled].mean())}
