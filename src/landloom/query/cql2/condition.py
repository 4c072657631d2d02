"""Conditions of a query on labels and text columns: parsed once, applied to any rows of the index."""

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
    "split": "no sample of this corpus is in a split: its recipe has none (see `splits`)",
    "stratum": "no sample of this corpus is in a stratum: its recipe draws without strata",
}
"""Text column → message for a query on it if all its values are null."""


class Condition:
    """Filter, strata and splits combined.

    Args:
        sidecar: the index.
        where: CQL2, text or JSON; None for all.
        aggregates: names of sums of columns.
        words: text column → accepted values; None for all.

    Raises:
        InvalidInputError: not CQL2, or it compares splits or strata although no sample has any.
        NotFoundError: no such stratum or split; similar names are listed.
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
            from landloom.query.cql2.class_names import with_columns
            from landloom.query.cql2.filter import Filter, parse

            self.filter = Filter(root=with_columns(parse(where).root, sidecar, aggregates))
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
        """Values of samples in a text column."""
        return [] if name not in self.sidecar.arrays else self.sidecar.vocabulary(name)[1:]

    def _support(self) -> Rows | None:
        """Superset of the rows for which the filter can be true, if it is small; else None."""
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
    """Columns of which a sample must have at least one for a condition to be true; None if it needs none.

    A condition that is not true without labels can only be true if one of its columns is present.
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
    """Columns whose values a condition uses; if one of them is null, any result is possible."""
    from landloom.query.cql2.filter import Call, Name

    if isinstance(node, Call) and node.op != "isNull":
        return {name for part in node.args for name in _compared(part)}
    return {node.name} if isinstance(node, Name) else set()
