"""The STAC items of a corpus: a row of the index is a sample, and each collection has items of some samples."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from landloom.corpus.stac.by_date import by_date
from landloom.corpus.stac.items import dated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.layout import Layout
    from landloom.model.time import Period, Timestep
    from landloom.query.corpus import Corpus
    from landloom.query.index.sidecar import Rows, Sidecar


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemKey:
    """One item."""

    collection: str
    """Published id of its collection."""
    row: int
    """Row of its sample in the index."""
    step: int | None = None
    """Index of its timestep, if each timestep has an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCollection:
    """The items of one collection."""

    suffix: str
    """Suffix in the product table: `source_s2`."""
    id: str
    """Published id: `rapidai4eo_v1_source_s2`."""
    members: tuple[ProductInfo, ...]
    """Products in the collection."""
    steps: tuple[Timestep, ...] | None
    """Timesteps with an item each; None if a sample has one item."""
    period: Period
    """Period of an item without timestep."""
    pattern: re.Pattern[str] = field(repr=False)
    """Parses the id of an item: sample, and date if there is one."""
    info: CorpusInfo = field(repr=False)
    """The corpus, or the view of it, whose names the items have."""

    @property
    def layout(self) -> Layout:
        """Formats the id of an item."""
        return self.info.layout

    @property
    def by_date(self) -> bool:
        """Whether it shows the items of another collection by date; a search has to name it."""
        return self.layout.patterns.by_date

    def item_id(self, sample: str, step: int | None) -> str:
        """Id of an item."""
        name = None if self.steps is None or step is None else self.steps[step].name
        return self.layout.item_id(self.suffix, sample, name)

    def read(self, item: str) -> tuple[str, int | None] | None:
        """Sample and step of an item's id; None if it is not an item of this collection."""
        match = self.pattern.fullmatch(item)
        if match is None:
            return None
        if self.steps is None:
            return match["sample"], None
        names = [step.name.replace("-", "") for step in self.steps]
        return (match["sample"], names.index(match["date"])) if match["date"] in names else None

    def exists(self, sidecar: Sidecar, rows: Rows) -> tuple[NDArray[np.intp] | None, NDArray[np.bool_]]:
        """Existing items of rows.

        Returns:
            (row,) index of each row's pattern, or None if all have the first; (pattern, step) bool, one step if a
            sample has one item.
        """
        count = 1 if self.steps is None else len(self.steps)
        kinds = np.zeros(len(rows), dtype=np.intp)
        masks: NDArray[np.bool_] = np.zeros((1, count), dtype=bool)
        for item in self.members:
            if not sidecar.has_availability(item.key):
                own: NDArray[np.bool_] = np.ones((1, count), dtype=bool)
                codes: NDArray[np.integer] | None = None
            else:
                codes, patterns = sidecar.availability(item.key)
                own = np.asarray(patterns.any(axis=1))[:, None] if self.steps is None else _wide(patterns, count)
            if codes is None:
                masks = masks | own[0]
                continue
            joined = kinds * len(own) + codes[rows]
            found, kinds = np.unique(joined, return_inverse=True)
            masks = masks[found // len(own)] | own[found % len(own)]
        return (None if len(masks) == 1 else kinds), masks

    def within(self, start: datetime | None, end: datetime | None) -> NDArray[np.bool_]:
        """(step,) whether items of a step overlap a closed interval."""
        periods = [self.period] if self.steps is None else [step.period for step in self.steps]
        return np.array(
            [(end is None or item.start <= end) and (start is None or item.end > start) for item in periods], dtype=bool
        )


def _wide(patterns: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    return np.pad(patterns, ((0, 0), (0, max(count - patterns.shape[1], 0))))[:, :count]


def item_collections(corpus: Corpus, info: CorpusInfo) -> dict[str, ItemCollection]:
    """The collections of a corpus with items, by published id, in published order; those by date are last.

    Args:
        corpus: the corpus.
        info: its description.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> found = item_collections(example_corpus(), example_corpus().info)
        >>> found["example_v1_source_s2"].read("example_v1_source_s2_33N_16E-243N_29_01")
        ('33N_16E-243N_29_01', None)
    """
    view = by_date(info)
    found = _collections(corpus, info)
    return found if view is None else found | _collections(corpus, view)


def _collections(corpus: Corpus, info: CorpusInfo) -> dict[str, ItemCollection]:
    every = np.arange(len(corpus), dtype=np.int32)
    found = {}
    for suffix, members in info.collections.items():
        steps = next((item.timesteps for item in members if item.timesteps), ()) if dated(info, suffix) else None
        written = info.layout.item_id(suffix, "@S@", None if steps is None else "@D@")
        pattern = re.escape(written).replace("@S@", "(?P<sample>.+)").replace("@D@", r"(?P<date>\w+)")
        collection = ItemCollection(
            suffix=suffix,
            id=info.layout.collection_id(suffix),
            members=members,
            steps=steps,
            period=info.period_of(members),
            pattern=re.compile(pattern),
            info=info,
        )
        if collection.exists(corpus.sidecar, every)[1].any():
            found[collection.id] = collection
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The items of one collection found by a search, in index order and then time order."""

    collection: ItemCollection
    """The collection."""
    rows: Rows = field(repr=False)
    """Rows of samples with items."""
    kinds: NDArray[np.intp] | None = field(repr=False)
    """(row,) pattern of each row; None if all have the first."""
    masks: NDArray[np.bool_] = field(repr=False)
    """(pattern, step) existing items."""
    ends: NDArray[np.int64] = field(repr=False)
    """(row,) cumulative number of items up to and including each row."""

    @classmethod
    def of(cls, collection: ItemCollection, sidecar: Sidecar, rows: Rows, wanted: NDArray[np.bool_]) -> Part:
        """The items of some rows, at some steps."""
        kinds, masks = collection.exists(sidecar, rows)
        masks = masks & wanted
        counts = masks.sum(axis=1)
        own = np.full(len(rows), counts[0]) if kinds is None else counts[kinds]
        if not own.all():
            rows, kinds, own = rows[own > 0], None if kinds is None else kinds[own > 0], own[own > 0]
        return cls(collection=collection, rows=rows, kinds=kinds, masks=masks, ends=np.cumsum(own, dtype=np.int64))

    @classmethod
    def listed(cls, collection: ItemCollection, rows: Rows, steps: NDArray[np.int64]) -> Part:
        """Items one by one: rows can occur more than once, with ascending steps."""
        count = 1 if collection.steps is None else len(collection.steps)
        masks = np.eye(count, dtype=bool)
        ends = np.arange(1, len(rows) + 1, dtype=np.int64)
        return cls(collection=collection, rows=rows, kinds=None if count == 1 else steps, masks=masks, ends=ends)

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def keys(self, start: int, stop: int) -> list[ItemKey]:
        """Some of the items."""
        found: list[ItemKey] = []
        row = int(np.searchsorted(self.ends, start, side="right"))
        while len(found) < stop - start:
            before = int(self.ends[row - 1]) if row else 0
            steps = np.flatnonzero(self.masks[0 if self.kinds is None else self.kinds[row]]).tolist()
            for step in steps[max(start - before, 0) :]:
                place = None if self.collection.steps is None else step
                found.append(ItemKey(collection=self.collection.id, row=int(self.rows[row]), step=place))
            row += 1
        return found[: stop - start]

    def entries(self) -> tuple[Rows, NDArray[np.int64]]:
        """Row and step of every item."""
        counts = np.diff(self.ends, prepend=0)
        rows = np.repeat(self.rows, counts)
        kinds = np.zeros(len(self.rows), dtype=np.intp) if self.kinds is None else self.kinds
        steps = [np.flatnonzero(mask) for mask in self.masks]
        return rows, np.concatenate([steps[kind] for kind in kinds.tolist()] or [np.empty(0, dtype=np.int64)])


def keys_of(parts: Sequence[Part], start: int, stop: int) -> list[ItemKey]:
    """Some of the items of several parts, in sequence."""
    found: list[ItemKey] = []
    for part in parts:
        size = len(part)
        if start < size and stop > 0:
            found += part.keys(max(start, 0), min(stop, size))
        start, stop = start - size, stop - size
    return found
