"""Statistics of a selection: a pass over its samples by threads, which decode and count without waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.corpus.split_set import samples_digest
from landloom.corpus.split_statistics import (
    ALL,
    PERCENTILES,
    TRAINING,
    BandStatistics,
    ProductStatistics,
    SplitStatistics,
)
from landloom.errors import InvalidInputError
from landloom.query.split_sets import read_split_set
from landloom.training.datasets.samples import Samples
from landloom.training.datasets.series import SeriesPlan, SeriesReader
from landloom.training.statistics.bins import Bins
from landloom.training.statistics.tally import Moments, Tally, count_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from landloom.query.corpus import Corpus
    from landloom.query.selection import Selection

HELD_OUT = ("test", "val", "validation", "valid", "dev")
"""Usual names of parts that are never measured."""


def training_part(corpus: Corpus, split_set: str | None, splits: Sequence[str]) -> tuple[Selection, tuple[str, ...]]:
    """The samples to measure: those of the training part alone.

    Args:
        corpus: the corpus.
        split_set: name of the split set; None for the splits of the recipe.
        splits: of the training part, such as all folds but one.

    Returns:
        The selection and its splits; none for a corpus without splits, which is measured whole.

    Raises:
        InvalidInputError: a part that is held out, or all parts.
        NotFoundError: no such split set or split.
    """
    wanted = tuple(dict.fromkeys(splits)) or TRAINING
    held = [name for name in wanted if name in HELD_OUT]
    if held:
        raise InvalidInputError(f"got split {held[0]!r}, expected the training part: statistics never see another")
    names = _splits(corpus, split_set)
    if not names:
        if tuple(splits) not in ((), TRAINING):
            raise InvalidInputError(f"got split {wanted[0]!r}, but {corpus.name} has no splits; make a split set")
        return corpus.query(), ()
    chosen = corpus.query(split=wanted, split_set=split_set)
    if set(names) <= set(wanted) and len(names) > 1:
        raise InvalidInputError(f"got all splits ({', '.join(wanted)}), expected at least one to be held out")
    return chosen, wanted


def _splits(corpus: Corpus, split_set: str | None) -> list[str]:
    if split_set is not None:
        return list(read_split_set(corpus.base, split_set).names)
    return [str(name) for name in corpus.sidecar.vocabulary("split") if name is not None]


def split_statistics(
    corpus: Corpus,
    split_set: str | None = None,
    *,
    splits: Sequence[str] = (),
    products: Sequence[str] = (),
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SplitStatistics:
    """Measure the valid pixels of the training part of a corpus, in one pass.

    Args:
        corpus: the corpus.
        split_set: name of the split set; None for the splits of the recipe.
        splits: of the training part; by default `train`.
        products: keys; by default all products of images and quality layers.
        threads: that read and count; the result does not depend on them.
        progress: called with samples done, and all.

    Raises:
        InvalidInputError: a part that is held out, or an empty one.
        NotFoundError: no such split set, split or product.
    """
    chosen, parts = training_part(corpus, split_set, splits)
    keys = tuple(products) or tuple(
        item.key
        for item in corpus.info.products
        if item.product.kind in ("imagery", "quality") and item.product.bands and item.product.resolution is not None
    )
    samples = Samples.of(chosen)
    total, done = len(samples) * len(keys), [0]

    def step() -> None:
        done[0] += 1
        if progress is not None:
            progress(done[0], total)

    found = {}
    for key in keys:
        plan = SeriesPlan.of(chosen, key)
        found[key] = _measured(SeriesReader(samples, plan), threads, step)
    everything = np.arange(len(corpus.sidecar), dtype=np.int32)
    return SplitStatistics(
        samples=samples_digest(corpus.sidecar.texts(everything)),
        split_set=split_set,
        split_digest=None if split_set is None else read_split_set(corpus.base, split_set).digest,
        splits=parts,
        count=len(samples),
        products=found,
    )


def _measured(reader: SeriesReader, threads: int, step: Callable[[], None]) -> ProductStatistics:
    plan = reader.plan
    names, groups = _groups(plan)
    bins = Bins.of(np.dtype(plan.dtype))
    shape = (len(names), len(plan.bands))
    own = threading.local()
    histograms: list[NDArray[np.int64]] = []

    def one(number: int) -> tuple[Moments, NDArray[np.int64]]:
        if not hasattr(own, "histogram"):
            own.histogram = np.zeros((*shape, bins.count), np.int64)
            histograms.append(own.histogram)
        steps = plan.steps_of(number)
        stored = reader.usable(number, steps)
        marks = (plan.nodata, plan.saturated)
        return count_sample(stored, marks, bins, groups[steps], own.histogram), groups[steps]

    moments = Moments.none(*shape)
    with ThreadPoolExecutor(threads) as pool:
        # Few at a time: what is read waits for its turn in memory.
        for start in range(0, len(reader.samples), 64):
            for part, places in pool.map(one, range(start, min(start + 64, len(reader.samples)))):
                moments.add(part, places)
                step()
    histogram: NDArray[np.int64] = np.asarray(np.sum(histograms, axis=0, dtype=np.int64))
    return _published(plan, names, Tally(bins, moments, histogram))


def _groups(plan: SeriesPlan) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the groups, and the group of each timestep: itself, or its month where each sample has its own dates."""
    if not plan.acquired:
        return plan.steps, np.arange(len(plan.steps))
    months = plan.days.astype("M8[D]").astype("M8[M]").astype(np.int64) % 12
    return tuple(f"month {number:02d}" for number in range(1, 13)), months


def _published(plan: SeriesPlan, names: tuple[str, ...], tally: Tally) -> ProductStatistics:
    groups = {name: _row(plan, tally, place) for place, name in enumerate(names)}
    whole = Moments.none(1, len(plan.bands))
    whole.add(tally.moments, np.zeros(len(names), np.int64))
    together = Tally(tally.bins, whole, tally.histogram.sum(axis=0, keepdims=True))
    return ProductStatistics(
        unit="reflectance" if plan.scale != 1 else "stored",
        bands=plan.bands,
        error=tally.bins.error(plan.scale),
        groups={**groups, ALL: _row(plan, together, 0)},
    )


def _row(plan: SeriesPlan, tally: Tally, group: int) -> tuple[BandStatistics, ...]:
    return tuple(_band(plan, tally, group, band) for band in range(len(plan.bands)))


def _band(plan: SeriesPlan, tally: Tally, group: int, band: int) -> BandStatistics:
    moments, counts = tally.moments, tally.histogram[group, band]
    count = int(moments.count[group, band])
    if not count:
        nothing: dict[str, Any] = dict.fromkeys(("mean", "std", "minimum", "maximum"))
        return BandStatistics(count=0, **nothing, percentiles=(), edges=(), counts=())
    edges, shown = tally.bins.shown(counts)
    return BandStatistics(
        count=count,
        mean=float(moments.mean[group, band]) / plan.scale,
        std=float(np.sqrt(moments.squares[group, band] / count)) / plan.scale,
        minimum=float(moments.low[group, band]) / plan.scale,
        maximum=float(moments.high[group, band]) / plan.scale,
        percentiles=tuple((tally.bins.percentiles(counts, PERCENTILES) / plan.scale).tolist()),
        edges=tuple((edges / plan.scale).tolist()),
        counts=tuple(shown.tolist()),
    )
