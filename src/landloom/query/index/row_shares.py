"""Class shares by sample; the index keeps them by class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from landloom.model.apportion import MILLION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.query.index.sidecar import Sidecar


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShares:
    """The classes of each sample and their shares, without those that do not occur.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> shares = RowShares.of(example_corpus().sidecar)
        >>> round(sum(shares.of_row(0).values()), 6)
        1.0
    """

    names: tuple[str, ...]
    """Columns."""
    ends: NDArray[np.int64]
    """(sample + 1,) where its entries begin, and where those of the last end."""
    columns: NDArray[np.int16]
    """(entry,) places in `names`, ascending for each sample."""
    values: NDArray[np.int32]
    """(entry,) millionths."""

    @classmethod
    def of(cls, sidecar: Sidecar) -> Self:
        """Sort the entries of all columns by sample."""
        found = [sidecar.labels.entries(number) for number in range(len(sidecar.columns))]
        rows = np.concatenate([own for own, _ in found] or [np.empty(0, np.int32)])
        values = np.concatenate([own for _, own in found] or [np.empty(0, np.int32)])
        columns = np.repeat(np.arange(len(found), dtype=np.int16), [len(own) for own, _ in found])
        order = np.argsort(rows, kind="stable")
        ends = np.zeros(len(sidecar) + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=len(sidecar)), out=ends[1:])
        return cls(names=tuple(sidecar.columns), ends=ends, columns=columns[order], values=values[order])

    def of_row(self, row: int) -> dict[str, float]:
        """Column → share, 0 to 1, of one sample."""
        own = slice(int(self.ends[row]), int(self.ends[row + 1]))
        pairs = zip(self.columns[own].tolist(), self.values[own].tolist(), strict=True)
        return {self.names[column]: value / MILLION for column, value in pairs}
