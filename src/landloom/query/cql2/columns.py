"""Columns for filters: those of a sidecar, over all rows or a subset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import NotFoundError
from landloom.model.apportion import MILLION
from landloom.query.cql2.evaluation import Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from landloom.query.index.sidecar import Rows, Sidecar


class NoLabels:
    """One row without any label: a filter has the same result for all such rows.

    Args:
        names: label columns of every level.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)

    def __len__(self) -> int:
        return 1

    def names(self) -> Iterable[str]:
        """Columns by name."""
        return self._names

    def number(self, name: str) -> tuple[NDArray[np.integer], int, int] | None:
        """Zero millionths."""
        del name
        return np.zeros(1, dtype=np.int32), MILLION, MILLION

    def words(self, name: str) -> Words:
        """Text columns are not available.

        Raises:
            NotFoundError: always.
        """
        raise NotFoundError.of("label column", name, self._names)


TEXTS = ("id", "zone", "tile", "stratum", "split")
"""Text columns of every corpus."""


class RowColumns:
    """The columns of some rows.

    Label columns are millionths over a million, at every level of their taxonomy. Text columns are `id`, `zone`,
    `tile`, `stratum` and `split`.

    Args:
        sidecar: the index.
        rows: ascending rows; None for all.
    """

    def __init__(self, sidecar: Sidecar, rows: Rows | None = None) -> None:
        self._sidecar = sidecar
        self._rows = rows
        self._numbers: dict[str, NDArray[np.int32]] = {}

    def __len__(self) -> int:
        return len(self._sidecar if self._rows is None else self._rows)

    def names(self) -> Iterable[str]:
        """Columns by name."""
        return (*self._sidecar.columns, *self._sidecar.groups, *TEXTS)

    def number(self, name: str) -> tuple[NDArray[np.integer], int, int] | None:
        """Millionths of a label column; None for text columns."""
        if name in TEXTS:
            return None
        if name not in self._numbers:
            self._numbers[name] = self._values(name)
        return self._numbers[name], MILLION, MILLION

    def _values(self, name: str) -> NDArray[np.int32]:
        if self._rows is None:
            return self._sidecar.column(name)
        rows, values = self._sidecar.postings(name)
        return values if rows is self._rows else self._sidecar.column(name)[self._rows]

    def words(self, name: str) -> Words:
        """A text column.

        Raises:
            NotFoundError: no such column.
        """
        rows = np.arange(len(self._sidecar), dtype=np.int32) if self._rows is None else self._rows
        if name in ("stratum", "split"):
            if name not in self._sidecar.arrays:
                return Words(codes=np.zeros(len(rows), dtype=np.uint8), texts=[None])
            return Words(codes=self._sidecar.codes(name)[rows], texts=self._sidecar.vocabulary(name))
        if name in ("zone", "tile"):
            names = self._sidecar.arrays["run_directory"].astype(str).tolist()
            values = [text.split("/")[0] if name == "zone" else text.replace("/", "_") for text in names]
            return Words(codes=self._sidecar.run_of(rows), texts=values)
        if name == "id":
            return Words(codes=np.arange(len(rows)), texts=self._sidecar.texts(rows))
        raise NotFoundError.of("column", name, self.names())
