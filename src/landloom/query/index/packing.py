"""Sparse columns of millionths: about 1 byte where a class covers the whole sample, 3.5 where it covers a part.

A column is two ascending lists of rows: `whole` (the value is 1,000,000) and `part` (anything between). Rows are stored
as gaps of one byte; 255 means "255 further, no row here". Part values are 20 bits: two bytes and half of a shared one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.model.apportion import MILLION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SKIP: Final = 255


def pack_rows(rows: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Ascending row numbers as one-byte gaps.

    Example:
        >>> pack_rows(np.array([0, 3, 600])).tolist()
        [0, 3, 255, 255, 87]
    """
    wide = rows.astype(np.int64)
    gaps = wide - np.concatenate([[0], wide[:-1]])
    skips = gaps // _SKIP
    ends = np.cumsum(skips + 1) - 1
    packed = np.full(int(skips.sum()) + len(gaps), _SKIP, dtype=np.uint8)
    packed[ends] = gaps - skips * _SKIP
    return packed


def unpack_rows(packed: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The rows behind one-byte gaps.

    Example:
        >>> unpack_rows(pack_rows(np.array([0, 3, 600, 601]))).tolist()
        [0, 3, 600, 601]
    """
    reached = np.cumsum(packed, dtype=np.int32)
    rows: NDArray[np.int32] = reached[packed != _SKIP]
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedColumns:
    """Columns of millionths; four byte blobs and the start of each column in them."""

    blob: NDArray[np.uint8]
    """For each column: gaps of whole rows, gaps of part rows, low bytes of part values, their high half bytes."""
    starts: NDArray[np.int64]
    """(column, 5): offsets of the four pieces and the end of the last one."""
    counts: NDArray[np.int32]
    """(column,): number of part rows."""

    @classmethod
    def of(cls, columns: Sequence[tuple[NDArray[np.integer], NDArray[np.integer]]]) -> PackedColumns:
        """Pack columns, each given as ascending rows and their values in millionths (1 to 1,000,000).

        Raises:
            InvalidInputError: a value outside 1 … 1,000,000.
        """
        pieces: list[NDArray[np.uint8]] = []
        starts = np.zeros((len(columns), 5), dtype=np.int64)
        counts = np.zeros(len(columns), dtype=np.int32)
        offset = 0
        for number, (rows, values) in enumerate(columns):
            if len(values) and not (int(values.min()) >= 1 and int(values.max()) <= MILLION):
                raise InvalidInputError("got label values outside 1 … 1,000,000 millionths")
            whole = values == MILLION
            part = values[~whole].astype(np.uint32)
            nibbles = np.zeros(-(-len(part) // 2) * 2, dtype=np.uint8)
            nibbles[: len(part)] = part >> 16
            low = part.astype("<u2").view(np.uint8)
            high = (nibbles[::2] | (nibbles[1::2] << 4)).astype(np.uint8)
            own = (pack_rows(rows[whole]), pack_rows(rows[~whole]), low, high)
            counts[number] = len(part)
            starts[number] = offset + np.cumsum([0, *map(len, own)])
            offset = int(starts[number, 4])
            pieces.extend(own)
        blob = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.uint8)
        return cls(blob=blob, starts=starts, counts=counts)

    def __len__(self) -> int:
        return len(self.counts)

    def reach(self, column: int) -> int:
        """Upper estimate of the number of rows of a column, without unpacking it."""
        return int(self.starts[column, 2] - self.starts[column, 0])

    def entries(self, column: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Rows and values of a column: whole rows first, then part rows, each ascending.

        Example:
            >>> packed = PackedColumns.of([(np.array([2, 5]), np.array([1_000_000, 269_575]))])
            >>> [array.tolist() for array in packed.entries(0)]
            [[2, 5], [1000000, 269575]]
        """
        first, second, third, fourth, end = self.starts[column].tolist()
        whole = unpack_rows(self.blob[first:second])
        part = unpack_rows(self.blob[second:third])
        low = self.blob[third:fourth].reshape(-1, 2)
        high = self.blob[fourth:end]
        values = np.empty(len(whole) + len(part), dtype=np.int32)
        values[: len(whole)] = MILLION
        nibbles = np.empty(2 * len(high), dtype=np.int32)
        nibbles[::2], nibbles[1::2] = high & 15, high >> 4
        values[len(whole) :] = low[:, 0] | (low[:, 1].astype(np.int32) << 8) | (nibbles[: len(part)] << 16)
        return np.concatenate([whole, part]), values
