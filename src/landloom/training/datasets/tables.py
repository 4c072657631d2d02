"""Series of samples, parcels or pixels as one table in memory: for random forests, and for networks without space.

No PyTorch is needed. A row is the mean over the valid pixels of a sample or parcel at each timestep, or one pixel.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.datasets.groups import drawn_pixels, group_targets, means, parcel_groups
from landloom.training.datasets.pixels import fill_image
from landloom.training.datasets.plan import DatasetPlan, Request
from landloom.training.datasets.rasters import RasterReader
from landloom.training.datasets.series import SeriesReader
from landloom.training.datasets.targets import Dense, known_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.query.selection import Selection
    from landloom.training.datasets.plan import Missing, Statistics
    from landloom.training.datasets.targets import Target

Unit = Literal["sample", "parcel", "pixel"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesTable:
    """Rows with a series each, in index order of their samples."""

    series: NDArray[np.float32]
    """(row, step, band) reflectance or stored numbers, normalised by statistics if there are any; 0 without a valid
    pixel."""
    valid: NDArray[np.bool_]
    """(row, step) whether there is a valid pixel."""
    dates: NDArray[np.int64]
    """(row, step) days since 1970-01-01; 0 beyond the end of a shorter series."""
    ids: tuple[str, ...]
    """(row,) sample."""
    parts: NDArray[np.int64]
    """(row,) id of the parcel, or number of the pixel from the north-west, row by row; −1 of a sample."""
    pixels: NDArray[np.int64]
    """(row,) pixels that the row stands for."""
    label: NDArray[np.int64] | None
    """(row,) class; None for other targets."""
    fractions: NDArray[np.float32] | None
    """(row, class) area shares; None for other targets."""
    value: NDArray[np.float32] | None
    """(row,) number; None for other targets."""
    weight: NDArray[np.float32]
    """(row,) confidence of the label from 0 to 1; 1 where the labels have none."""
    bands: tuple[str, ...]
    steps: tuple[str, ...]
    """Names of the timesteps; their numbers where samples have dates of their own."""
    classes: tuple[str, ...]
    left_out: Mapping[str, int]
    """Reason → parcels or pixels that are not here."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def features(self) -> NDArray[np.float32]:
        """(row, step × band) numbers, NaN without a valid pixel."""
        numbers = np.where(self.valid[:, :, None], self.series, np.float32(np.nan))
        return numbers.reshape(len(self), -1)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features: `B04 2018-06`."""
        return tuple(f"{band} {step}" for step in self.steps for band in self.bands)

    def arrow(self) -> pa.Table:
        """As a table: sample, part, target, weight and every feature; for Parquet."""
        import pyarrow as pa  # noqa: PLC0415

        columns: dict[str, Any] = {"id": list(self.ids), "part": self.parts, "pixels": self.pixels}
        if self.label is not None:
            words = pa.DictionaryArray.from_arrays(pa.array(self.label.astype(np.int32)), pa.array(self.classes))
            columns["label"] = words
        if self.fractions is not None:
            columns |= {name: self.fractions[:, number] for number, name in enumerate(self.classes)}
        if self.value is not None:
            columns["value"] = self.value
        features = self.features
        columns |= {"weight": self.weight} | {name: features[:, number] for number, name in enumerate(self.names)}
        return pa.table(columns)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of one sample."""

    series: NDArray[np.float32]
    valid: NDArray[np.bool_]
    days: NDArray[np.int64]
    parts: NDArray[np.int64]
    pixels: NDArray[np.int64]
    target: dict[str, Any]
    """Name → (row,) values, weights among them."""
    left_out: dict[str, int]


def series_table(  # noqa: PLR0913 - every one is a question of its own, and all are optional
    selection: Selection,
    product: str | None = None,
    target: str | Target | None = None,
    *,
    unit: Unit = "sample",
    parcels: str = "ids",
    pixels: int | None = None,
    bands: Sequence[str] | None = None,
    dates: Sequence[str] | None = None,
    statistics: str | Statistics | None = None,
    seed: int = 0,
    missing: Missing = "error",
    threads: int | None = None,
) -> SeriesTable:
    """Read the series of a selection as a table.

    Args:
        selection: the samples; its period is used.
        product: key; by default the only image product.
        target: as of `CorpusDataset`; of parcels and pixels a `mask`, or None.
        unit: `sample` and `parcel` are means over valid pixels; a parcel that two samples show gives two rows.
        parcels: key of the raster with the ids of parcels; 0 is none.
        pixels: random pixels of each sample; by default all with a label.
        bands: names.
        dates: names of timesteps.
        statistics: as of `CorpusDataset`.
        seed: of the choice of pixels.
        missing: as of `CorpusDataset`.
        threads: that read; by default one for each core. The result does not depend on them.

    Raises:
        NotFoundError: an unknown product, band, timestep or target.
        InvalidInputError: a target that the unit cannot have; samples without labels, images or valid pixels.
    """
    request = Request(
        products=() if product is None else (product,),
        target=target,
        bands=bands,
        dates=dates,
        statistics=statistics,
        seed=seed,
        missing=missing,
    )
    plan = DatasetPlan.of(selection, request)
    if unit not in ("sample", "parcel", "pixel"):
        raise InvalidInputError(f"unit: got {unit!r}, expected sample, parcel or pixel")
    own = None if plan.target is None else plan.target.target
    if own is not None and (own.kind == "mask" or own.dense) == (unit == "sample"):
        expected = "label, fractions or value" if unit == "sample" else "mask, or a dense value"
        raise InvalidInputError(f"target: got {own.kind!r} for rows of unit {unit}, expected {expected}")
    outlines = None
    if unit == "parcel":
        outlines = RasterReader.of(selection, plan.samples, selection.sidecar.info.product(parcels), None)
    return table_of(plan, unit, outlines, pixels=pixels, threads=threads)


def table_of(
    plan: DatasetPlan,
    unit: Unit,
    outlines: RasterReader | None,
    *,
    pixels: int | None = None,
    threads: int | None = None,
    blank: Literal["error", "leave out"] = "leave out",
    done: Callable[[str], None] = lambda _: None,
) -> SeriesTable:
    """The series of a plan's first product.

    Args:
        plan: what is read; its seed draws pixels.
        unit: of the rows.
        outlines: reads the ids of parcels, if they are the unit.
        pixels: random pixels of each sample, if they are the unit.
        threads: that read.
        blank: what becomes of samples of pixels or parcels of which nothing can be seen or learnt.
        done: is called with the id of each sample.

    Raises:
        InvalidInputError: samples without labels, images or valid pixels.
    """
    maker = _Maker(plan, SeriesReader(plan.samples, plan.series[0]), unit, outlines, pixels, blank == "error")
    found = []
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for number, rows in enumerate(pool.map(maker.rows, range(len(plan.samples)))):
            found.append(rows)
            done(plan.samples.id(number))
    return _joined(plan, found)


@dataclass(frozen=True, slots=True, eq=False)
class _Maker:
    """Makes the rows of one sample after another."""

    plan: DatasetPlan
    reader: SeriesReader
    unit: Unit
    outlines: RasterReader | None
    most: int | None
    strict: bool

    def rows(self, number: int) -> _Rows:
        """Rows of a sample."""
        image, valid, days = self._image(number)
        window = self.plan.window(number, 0, np.random.default_rng(0))
        target = None if self.plan.target is None else self.plan.target.read(number, window)
        dense = target if isinstance(target, Dense) else None
        self._refuse(number, valid, dense)
        if self.unit == "sample" and not isinstance(target, Dense):
            return _whole(image, valid, days, target or {})
        shape = (valid.shape[1], valid.shape[2])
        dense = None if dense is None else dense.at(shape)
        if self.outlines is not None:
            groups = parcel_groups(self.outlines, number, shape)
        else:
            usable: NDArray[np.bool_] = np.any(valid, axis=0)
            usable = usable if dense is None else usable & dense.known
            groups = drawn_pixels(usable, self.most, np.random.default_rng((self.plan.request.seed, number)))
        return _grouped(image, valid, days, groups, dense)

    def _refuse(self, number: int, valid: NDArray[np.bool_], dense: Dense | None) -> None:
        found = []
        if (self.strict or self.unit == "sample") and not valid.any():
            found.append("a series without a valid pixel")
        if self.strict and dense is not None and not dense.known.any():
            found.append(f"no labelled pixel in {'' if self.plan.target is None else self.plan.target.key}")
        if found:
            raise InvalidInputError(f"{self.plan.samples.id(number)}: got {' and '.join(found)}")

    def _image(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]]:
        plan = self.reader.plan
        steps = plan.steps_of(number)
        stored = self.reader.usable(number, steps)
        height, width = stored.numbers.shape[2:]
        image = np.empty((len(steps), len(plan.bands), height, width), np.float32)
        valid = np.empty((len(steps), height, width), np.bool_)
        marks, (gain, shift) = (plan.nodata, plan.saturated), self.plan.affine(0)
        fill_image(stored.numbers, stored.steps, stored.bands, (0, 0), marks, gain, shift, image, valid)
        return image, valid, plan.days[steps]


def _whole(
    image: NDArray[np.float32], valid: NDArray[np.bool_], days: NDArray[np.int64], target: Mapping[str, Any]
) -> _Rows:
    _, series, there = means(image, valid, np.zeros(valid.shape[1:], np.int64))
    return _Rows(
        series=series,
        valid=there,
        days=days,
        parts=np.array([-1]),
        pixels=np.array([valid[0].size]),
        target={"weight": np.ones(1, np.float32)} | {key: np.asarray(one)[None] for key, one in target.items()},
        left_out={},
    )


def _grouped(
    image: NDArray[np.float32],
    valid: NDArray[np.bool_],
    days: NDArray[np.int64],
    groups: NDArray[np.int64],
    dense: Dense | None,
) -> _Rows:
    """Means over the pixels of each group, in ascending order of its number."""
    parts, series, there = means(image, valid, groups)
    usable = there.any(axis=1)
    left_out = {"without a valid pixel": int((~usable).sum())}
    target: dict[str, Any] = {"weight": np.ones(len(parts), np.float32)}
    if dense is not None:
        found, weight = group_targets(dense, groups, parts)
        known = known_of(found)
        left_out["without a label"] = int((usable & ~known).sum())
        usable &= known
        target = {"label" if dense.key == "mask" else "value": found, "weight": weight}
    return _Rows(
        series=series[usable],
        valid=there[usable],
        days=days,
        parts=parts[usable],
        pixels=np.unique(groups[groups >= 0], return_counts=True)[1][usable],
        target={key: one[usable] for key, one in target.items()},
        left_out=left_out,
    )


def _joined(plan: DatasetPlan, found: Sequence[_Rows]) -> SeriesTable:
    series = plan.series[0]
    length = max(len(one.days) for one in found)
    counts = [len(one.parts) for one in found]
    total = sum(counts)
    if not total:
        raise InvalidInputError("got no row with a label and a valid pixel, expected one at least")
    whole = SeriesTable(
        series=np.zeros((total, length, len(series.bands)), np.float32),
        valid=np.zeros((total, length), np.bool_),
        dates=np.zeros((total, length), np.int64),
        ids=tuple(plan.samples.id(number) for number, count in enumerate(counts) for _ in range(count)),
        parts=np.concatenate([one.parts for one in found]),
        pixels=np.concatenate([one.pixels for one in found]),
        label=None,
        fractions=None,
        value=None,
        weight=np.concatenate([one.target["weight"] for one in found]).astype(np.float32),
        bands=series.bands,
        steps=tuple(str(step) for step in range(length)) if series.acquired else series.steps,
        classes=() if plan.target is None else plan.target.classes,
        left_out={why: count for why in _reasons(found) if (count := sum(one.left_out.get(why, 0) for one in found))},
    )
    start = 0
    for one, count in zip(found, counts, strict=True):
        rows, steps = slice(start, start + count), slice(len(one.days))
        whole.series[rows, steps], whole.valid[rows, steps], whole.dates[rows, steps] = one.series, one.valid, one.days
        start += count
    names = [name for name in ("label", "fractions", "value") if name in found[0].target]
    targets: dict[str, Any] = {name: np.concatenate([one.target[name] for one in found]) for name in names}
    return replace(whole, **targets)


def _reasons(found: Sequence[_Rows]) -> list[str]:
    return sorted({why for one in found for why in one.left_out})
