"""Item search: from a query to the matching items, lazily, in a stable order."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.recent import Kept
from landloom.query.region import resolve_region
from landloom.server.limits import MAX_IDS, check_geometry
from landloom.server.split_sets import SplitSets
from landloom.server.stac.filters import TIMES, ItemColumns, ItemFilter, read_condition
from landloom.server.stac.item_index import ItemKey, Part, item_collections, keys_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from landloom.corpus.info import CorpusInfo
    from landloom.query.corpus import Corpus
    from landloom.query.index.sidecar import Rows
    from landloom.server.stac.item_index import ItemCollection

_KEPT_BYTES: Final = 64 << 20
"""Bytes of answers that are kept."""
_KEPT: Final = 32
"""Number of results kept for the next page."""
MAX_SORTED: Final = 2_000_000
"""Maximum number of items that one search may sort."""
MAX_SORT_KEYS: Final = 8
"""Maximum number of properties to sort by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The conditions of a search; all of them must be true."""

    collections: tuple[str, ...] | None = None
    """Published ids; None for all, but those by date, which show the files of others a second time."""
    ids: tuple[str, ...] | None = None
    """Ids of items; None for all."""
    box: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees."""
    geometry: Mapping[str, Any] | None = None
    """GeoJSON that footprints intersect."""
    start: datetime | None = None
    """Items must overlap the closed interval from here …"""
    end: datetime | None = None
    """… to here; None for open."""
    filter: str | Mapping[str, Any] | None = None
    """CQL2."""
    sort: tuple[tuple[str, bool], ...] = ()
    """Properties, and whether descending; ties are in index order."""
    split_set: str | None = None
    """Name of the split set whose splits `split` means; by default those of the recipe."""

    def digest(self) -> str:
        """Key that identifies the query."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        text = orjson.dumps(fields, default=str, option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(text, digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The items found."""

    parts: tuple[Part, ...]
    """Items by collection."""
    order: tuple[Any, Any, Any] | None = field(default=None, repr=False)
    """(item,) part, row and step, if they were sorted."""

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    @property
    def bytes(self) -> int:
        """Bytes in memory, about."""
        arrays = [*(self.order or ()), *(array for part in self.parts for array in (part.rows, part.ends, part.kinds))]
        return sum(array.nbytes for array in arrays if array is not None)

    def page(self, start: int, count: int) -> list[ItemKey]:
        """Some of the items."""
        stop = min(start + count, len(self))
        if self.order is None:
            return keys_of(self.parts, start, stop)
        found = []
        for part, row, step in zip(*(column[start:stop].tolist() for column in self.order), strict=True):
            collection = self.parts[part].collection
            found.append(ItemKey(collection=collection.id, row=row, step=None if collection.steps is None else step))
        return found


class Searcher:
    """Searches the items of one corpus; thread-safe.

    Args:
        corpus: the corpus.
        info: its description.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> searcher = Searcher(example_corpus(), example_corpus().info)
        >>> len(searcher.ask(Question(collections=("example_v1_labels",), filter="clc_3 >= 0.5")))
        2
    """

    def __init__(self, corpus: Corpus, info: CorpusInfo) -> None:
        self.corpus, self.info = corpus, info
        self.item_collections: Mapping[str, ItemCollection] = item_collections(corpus, info)
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._lock = threading.Lock()
        self.splits = SplitSets(corpus)
        self._under = Kept[Searcher](_KEPT)

    def under(self, split_set: str | None) -> Searcher:
        """The searcher whose splits are those of a set; without a name, of the recipe.

        Raises:
            NotFoundError: no such split set.
            InvalidInputError: it was made for other samples.
        """
        if not split_set:
            return self
        corpus = self.splits.under(split_set)
        return self._under.get(split_set, lambda: Searcher(corpus, self.info))

    def ask(self, question: Question) -> Answer:
        """The items that match a query.

        Raises:
            InvalidInputError: an invalid geometry, filter or sort; it is named.
            NotFoundError: no such split set.
        """
        if question.split_set:
            return self.under(question.split_set).ask(replace(question, split_set=None))
        self._check(question)
        key = question.digest()
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        answer = self._answer(question)  # without the lock: a long search does not hold the others
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > _KEPT or sum(one.bytes for one in self._answers.values()) > _KEPT_BYTES:
                self._answers.popitem(last=False)
        return answer

    @staticmethod
    def _check(question: Question) -> None:
        for values, what in ((question.ids, "ids"), (question.collections, "collections")):
            if values is not None and len(values) > MAX_IDS:
                raise InvalidInputError(f"{what}: got {len(values)}, expected at most {MAX_IDS}")
        if question.geometry is not None:
            check_geometry(question.geometry)
        if len(question.sort) > MAX_SORT_KEYS:
            raise InvalidInputError(f"sortby: got {len(question.sort)} properties, expected at most {MAX_SORT_KEYS}")

    def _answer(self, question: Question) -> Answer:
        condition = ItemFilter() if question.filter is None else read_condition(question.filter)
        rows = self._rows(question, condition)
        asked = question.collections
        if asked is None:
            named = question.ids is not None or (
                condition.items is not None and "collection" in condition.items.names()
            )
            asked = tuple(own for own, found in self.item_collections.items() if named or not found.by_date)
        wanted = (collection for collection in self.item_collections.values() if collection.id in asked)
        parts = [self._part(collection, rows, question, condition) for collection in wanted]
        found = tuple(part for part in parts if len(part))
        if question.filter is not None and condition.items is not None and not found:
            self._refuse_unknown(condition)
        return Answer(parts=found, order=self._sorted(found, question.sort) if question.sort else None)

    def _rows(self, question: Question, condition: ItemFilter) -> Rows:
        region: Any = question.box
        if question.geometry is not None:
            try:
                region = resolve_region(question.geometry)
            except InvalidInputError as error:
                raise InvalidInputError(str(error).replace("region:", "intersects:", 1)) from error
        if region is None and condition.samples is None and question.ids is not None:
            return np.arange(len(self.corpus), dtype=np.int32)
        try:
            return self.corpus.query(region=region, where=condition.samples, quiet=True).rows
        except NotFoundError as error:  # an unknown column is a bad request, not a missing page
            raise InvalidInputError(f"filter: {error}") from error

    def _refuse_unknown(self, condition: ItemFilter) -> None:
        """Report an unknown column, even if there was nothing to evaluate."""
        collection = next(iter(self.item_collections.values()))
        none = np.empty(0, dtype=np.int32)
        if condition.items is not None:
            ItemColumns(self.corpus, collection, none, none.astype(np.int64)).holding(condition.items, self.corpus)

    def _part(self, collection: ItemCollection, rows: Rows, question: Question, condition: ItemFilter) -> Part:
        wanted = collection.within(question.start, question.end)
        if question.ids is None and condition.items is None:
            return Part.of(collection, self.corpus.sidecar, rows, wanted)
        if question.ids is not None:
            part = self._listed(collection, rows, question.ids, wanted)
        else:
            part = Part.of(collection, self.corpus.sidecar, rows, wanted)
        if condition.items is None:
            return part
        own, steps = part.entries()
        held = ItemColumns(self.corpus, collection, own, steps).holding(condition.items, self.corpus)
        return Part.listed(collection, own[held], steps[held])

    def _listed(self, collection: ItemCollection, rows: Rows, ids: tuple[str, ...], wanted: Any) -> Part:
        """Items by id, in some rows."""
        read = [found for item in dict.fromkeys(ids) if (found := collection.read(item)) is not None]
        places = self.corpus.sidecar.rows_of_ids([sample for sample, _ in read])
        pairs = sorted({(row, step or 0) for row, (_, step) in zip(places.tolist(), read, strict=True) if row >= 0})
        own = np.array([row for row, _ in pairs], dtype=np.int32)
        steps = np.array([step for _, step in pairs], dtype=np.int64)
        kinds, masks = collection.exists(self.corpus.sidecar, own)
        there = (masks & wanted)[np.zeros(len(own), dtype=np.intp) if kinds is None else kinds, steps]
        there &= np.isin(own, rows)
        return Part.listed(collection, own[there], steps[there])

    def _sorted(self, parts: tuple[Part, ...], sort: tuple[tuple[str, bool], ...]) -> tuple[Any, Any, Any]:
        total = sum(len(part) for part in parts)
        if total > MAX_SORTED:
            raise InvalidInputError(f"sortby: got {total} items, expected at most {MAX_SORTED}; narrow the search")
        entries = [part.entries() for part in parts]
        number = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        rows = np.concatenate([own for own, _ in entries] or [np.empty(0, dtype=np.int32)])
        steps = np.concatenate([own for _, own in entries] or [np.empty(0, dtype=np.int64)])
        keys = [self._ranks(parts, entries, name, descending=descending) for name, descending in sort]
        order = np.lexsort(keys[::-1]) if total else np.empty(0, dtype=np.intp)
        return number[order], rows[order], steps[order]

    def _ranks(self, parts: tuple[Part, ...], entries: list[Any], name: str, *, descending: bool) -> Any:
        """(item,) numbers with the sort order of a property."""
        plain = name.removeprefix("properties.")
        if plain not in self.sortables:
            raise InvalidInputError(f"sortby: {NotFoundError.of('property', plain, self.sortables)}")
        pieces = [ItemColumns(self.corpus, part.collection, *own) for part, own in zip(parts, entries, strict=True)]
        if plain in TIMES or plain in (*self.corpus.sidecar.columns, *self.corpus.sidecar.groups):
            numbers = [found[0] for piece in pieces if (found := piece.number(plain)) is not None]
            ranks = np.concatenate(numbers or [np.empty(0, dtype=np.int64)]).astype(np.int64)
        else:
            words = [piece.words(plain) for piece in pieces]
            texts = [np.array([text or "" for text in item.texts], dtype=str)[item.codes] for item in words]
            _, ranks = np.unique(np.concatenate(texts or [np.empty(0, dtype=str)]), return_inverse=True)
        return -ranks if descending else ranks

    @property
    def sortables(self) -> tuple[str, ...]:
        """Properties for sorting items and for filters."""
        sidecar = self.corpus.sidecar
        texts = ("id", "collection", "sample_id", "zone", "tile", "stratum", "split")
        return (*texts, *TIMES, *sidecar.columns, *sidecar.groups)
