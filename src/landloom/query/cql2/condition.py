"""What a query asks of labels and words: read once, applied to any rows of the index."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.query.cql2.filter import Filter, Node
    from landloom.query.index.sidecar import Rows, Sidecar

UNFILLED: Final = {
    "split": "no sample of this corpus is in a split: its recipe fills none (see `splits`)",
    "stratum": "no sample of this corpus is in a stratum: its recipe draws without any",
}
"""Text column → what is said when it is asked though it is null everywhere."""


class Condition:
    """Filter, strata and splits together.

    Args:
        sidecar: the index.
        where: CQL2, text or JSON; None for all.
        aggregates: names that stand for sums of columns.
        words: text column → values, any of which a row must have; None for all.

    Raises:
        InvalidInputError: no CQL2; or it compares splits or strata where no sample has any.
        NotFoundError: no such stratum or split; the nearest are named.
    """

    def __init__(
        self,
        sidecar: Sidecar,
        where: str | Mapping[str, Any] | None,
        aggregates: Mapping[str, Node],
        words: Mapping[str, tuple[str, ...] | None],
    ) -> None:
        self.sidecar = sidecar
        self.aggregates = aggregates
        self.words = {name: values for name, values in words.items() if values is not None}
        self.filter: Filter | None = None
        if where is not None:
            from landloom.query.cql2.filter import parse

            self.filter = parse(where)
        compared = {*self.words, *(_compared(self.filter.root) if self.filter else ())}
        for name, reason in UNFILLED.items():
            if name in compared and not self._values(name):
                raise InvalidInputError(reason)
        for name, values in self.words.items():
            known = self._values(name)
            for value in values:
                if value not in known:
                    raise NotFoundError.of(name, value, [str(word) for word in known])

    def _values(self, name: str) -> list[str | None]:
        """What samples have in a text column."""
        return [] if name not in self.sidecar.arrays else self.sidecar.vocabulary(name)[1:]

    def _support(self) -> Rows | None:
        """Rows beyond which the filter cannot be true, where these are few; None otherwise."""
        from landloom.query.cql2.filter import Call, Filter

        sidecar = self.sidecar
        root = self.filter.root if self.filter else True
        parts = root.args if isinstance(root, Call) and root.op == "and" else (root,)
        given = tuple(self.aggregates.items())
        found: Rows | None = None
        known = {*sidecar.columns, *sidecar.groups, *self.aggregates}
        for part in parts:
            if not known.issuperset(Filter(root=part).names()) or (names := _needed(part, given)) is None:
                continue
            rows = sidecar.rows_with(names, len(sidecar) // 8)
            found = rows if found is None or (rows is not None and len(rows) < len(found)) else found
        return found

    def of(self, rows: Rows | None) -> Rows:
        """Those of some rows (None for all) that satisfy it."""
        sidecar = self.sidecar
        if self.filter is None and not self.words:
            return np.arange(len(sidecar), dtype=np.int32) if rows is None else rows
        if rows is None and self.filter is not None and not self.words:
            rows = self._support()
        mask: Any = True
        if self.filter is not None:
            from landloom.query.cql2.columns import RowColumns
            from landloom.query.cql2.evaluation import evaluate

            mask = evaluate(self.filter, RowColumns(sidecar, rows), self.aggregates)
        for name, values in self.words.items():
            wanted = np.isin(np.array(sidecar.vocabulary(name)[1:], dtype=str), values)
            codes = sidecar.codes(name) if rows is None else sidecar.codes(name)[rows]
            mask = mask & np.concatenate([[False], wanted])[codes]
        return np.flatnonzero(mask).astype(np.int32) if rows is None else rows[mask]


@lru_cache(maxsize=256)
def _needed(part: Node, aggregates: tuple[tuple[str, Node], ...]) -> tuple[str, ...] | None:
    """Columns one of which a sample must have for a condition to be true of it; None where it needs none.

    A condition that is not true without any label can only be true where one of its columns is there.
    """
    from landloom.query.cql2.columns import NoLabels
    from landloom.query.cql2.evaluation import evaluate
    from landloom.query.cql2.filter import Filter, Name

    given = dict(aggregates)
    mentioned = Filter(root=part).names()
    names = {column for name in mentioned for column in Filter(root=given.get(name, Name(name=name))).names()}
    used = {name: given[name] for name in mentioned if name in given}
    possible = evaluate(Filter(root=part), NoLabels(names), used).any()
    return None if possible else tuple(sorted(names))


def _compared(node: Node) -> set[str]:
    """Columns whose values a condition asks for; whether one is null may be asked of any."""
    from landloom.query.cql2.filter import Call, Name

    if isinstance(node, Call) and node.op != "isNull":
        return {name for part in node.args for name in _compared(part)}
    return {node.name} if isinstance(node, Name) else set()
