"""CQL2 over items: the filters of `landloom.query.cql2.filter` on samples, and properties that only items have.

An item has its own id (that of the sample is `sample_id`), a `collection`, and a `datetime`; without one, its start is
used. Instants are converted to seconds before the filter is parsed, so that one parser, with its limits, is sufficient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, LandloomError, NotFoundError
from landloom.model.time import parse_instant
from landloom.query.cql2.columns import RowColumns
from landloom.query.cql2.evaluation import Words, evaluate
from landloom.query.cql2.filter import parse, text_document
from landloom.server.limits import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.query.corpus import Corpus
    from landloom.query.cql2.filter import Filter
    from landloom.query.index.sidecar import Rows
    from landloom.server.stac.item_index import ItemCollection

TIMES: Final = ("datetime", "start_datetime", "end_datetime")
"""Properties that are instants."""
ITEM_NAMES: Final = frozenset({"id", "collection", *TIMES})
"""Properties that differ between the items of one sample."""
_SCALE: Final = 1_000
_PLAIN: Final = {"sample_id": "id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """A filter, split in two."""

    samples: Mapping[str, Any] | None = None
    """The part on samples, in CQL2 JSON with the names of the index; None if there is none."""
    items: Filter | None = None
    """The part on items; None if there is none."""


def _seconds(text: object) -> float | int:
    try:
        instant = parse_instant(str(text))
    except LandloomError as error:
        raise InvalidInputError(f"filter: {error}") from error
    value = round(instant.timestamp() * _SCALE)
    return value // _SCALE if value % _SCALE == 0 else value / _SCALE


def _is_time(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("property") in TIMES


def _rewritten(value: Any) -> Any:
    """Convert instants to seconds, properties to their plain names."""
    if isinstance(value, list):
        return [_rewritten(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    for kind in ("timestamp", "date"):
        if set(value) == {kind}:
            return _seconds(value[kind])
    if isinstance(value.get("property"), str):
        return {**value, "property": value["property"].removeprefix("properties.")}
    fields = {name: _rewritten(item) for name, item in value.items()}
    args = fields.get("args")
    if isinstance(args, list) and any(_is_time(item) for item in args):
        fields["args"] = [_timed(item) for item in args]
    return fields


def _timed(value: Any) -> Any:
    """Text compared with an instant is an instant."""
    if isinstance(value, list):
        return [_timed(item) for item in value]
    return _seconds(value) if isinstance(value, str) else value


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """The same with properties renamed."""
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get("property"), str):
        return {**value, "property": names.get(value["property"], value["property"])}
    return {name: _named(item, names) for name, item in value.items()}


def _document(source: str | Mapping[str, Any]) -> Any:
    if not isinstance(source, str):
        return source
    if source.lstrip()[:1] == "{":
        return read_json(source, "filter")
    return text_document(source)


def read_condition(source: str | Mapping[str, Any]) -> ItemFilter:
    """Parse a filter on items.

    Args:
        source: CQL2 text, CQL2 JSON as text, or decoded JSON that is known to be shallow.

    Raises:
        InvalidInputError: it is not a filter, or exceeds the limits of `landloom.query.cql2.filter`.

    Example:
        >>> found = read_condition("clc_31 = 1 AND datetime >= TIMESTAMP('2018-06-01T00:00:00Z')")
        >>> found.samples, found.items.names()
        ({'op': '=', 'args': [{'property': 'clc_31'}, 1.0]}, ('datetime',))
    """
    document = _rewritten(_document(source))
    if not isinstance(document, Mapping):
        document = {"op": "and", "args": [document]}
    if not ITEM_NAMES & set(parse(document).names()):
        return ItemFilter(samples=_named(document, _PLAIN))
    parts = document["args"] if document["op"] == "and" else [document]
    own = [part for part in parts if isinstance(part, Mapping)]
    shared = [part for part in own if "op" in part and not ITEM_NAMES & set(parse(part).names())]
    rest = [part for part in parts if part not in shared]
    samples = _named({"op": "and", "args": shared} if len(shared) > 1 else shared[0], _PLAIN) if shared else None
    return ItemFilter(samples=samples, items=parse({"op": "and", "args": rest}))


class ItemColumns:
    """The columns of some items of one collection.

    Args:
        corpus: the corpus.
        collection: the collection.
        rows: (item,) rows of the index, ascending.
        steps: (item,) indices of timesteps; zeros if a sample has one item.
    """

    def __init__(self, corpus: Corpus, collection: ItemCollection, rows: Rows, steps: NDArray[np.int64]) -> None:
        self._rows, self._steps, self._shelf = rows, steps, collection
        self._sidecar = corpus.sidecar
        self._inner = RowColumns(corpus.sidecar, rows)

    def __len__(self) -> int:
        return len(self._rows)

    def names(self) -> Iterable[str]:
        """Columns by name."""
        return (*self._inner.names(), "sample_id", "collection", *TIMES)

    def number(self, name: str) -> tuple[NDArray[np.integer], int, int] | None:
        """A label column, or an instant in seconds; None for text columns."""
        if name in TIMES:
            table = np.array([round(instant.timestamp() * _SCALE) for instant in self._instants(name)], dtype=np.int64)
            return table[self._steps], _SCALE, int(np.abs(table).max())
        return None if name in ("sample_id", "collection") else self._inner.number(name)

    def _instants(self, name: str) -> list[datetime]:
        steps = self._shelf.steps
        if steps is None:
            return [self._shelf.period.end if name == "end_datetime" else self._shelf.period.start]
        if name == "datetime":
            return [step.stamp for step in steps]
        return [step.period.end if name == "end_datetime" else step.period.start for step in steps]

    def words(self, name: str) -> Words:
        """A text column.

        Raises:
            NotFoundError: no such column.
        """
        if name == "collection":
            return Words(codes=np.zeros(len(self), dtype=np.uint8), texts=[self._shelf.id])
        if name == "id":
            samples = self._sidecar.texts(self._rows)
            texts = [self._shelf.item_id(*pair) for pair in zip(samples, self._steps.tolist(), strict=True)]
            return Words(codes=np.arange(len(self)), texts=texts)
        return self._inner.words("id" if name == "sample_id" else name)

    def holding(self, condition: Filter, corpus: Corpus) -> NDArray[np.bool_]:
        """(item,) for which a filter is true.

        Raises:
            InvalidInputError: an unknown column (similar names are listed), or types that do not fit.
        """
        try:
            return evaluate(condition, self, corpus.aggregates)
        except NotFoundError as error:
            raise InvalidInputError(f"filter: {error}") from error
