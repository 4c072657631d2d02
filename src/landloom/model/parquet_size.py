"""What a Parquet file unfolds to: a value that is repeated needs no room in a file, but in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST: Final = 2**30
"""Bytes that any file may unfold to."""
RATIO: Final = 32
"""How many times its size a file may unfold to where that is more."""
_TEXT: Final = 48
"""Bytes that each text takes beside its letters, as an object and its place."""
_WIDTHS: Final = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_FOLDED: Final = {"RLE_DICTIONARY", "PLAIN_DICTIONARY"}
"""Encodings that store a repeated text once."""
_SHARED: Final = {"DELTA_BYTE_ARRAY"}
"""Encodings that store what a text shares with the one before once."""
_ROWS: Final = 65_536
"""Rows that are counted at once."""


def check_size(source: pa.NativeFile, columns: Sequence[str] | None = None) -> None:
    """Refuse files that unfold to more than `LARGEST` bytes, and to more than `RATIO` times their size.

    Args:
        source: an open file, or a reader of its content.
        columns: those that are read; all by default.

    Raises:
        pyarrow.ArrowException, OSError: one that does; or no Parquet.

    Example:
        >>> sink = pa.BufferOutputStream()
        >>> pq.write_table(pa.table({"text": pa.DictionaryArray.from_arrays([0] * 9000, ["a" * 2**20])}), sink)
        >>> check_size(pa.BufferReader(sink.getvalue()))
        Traceback (most recent call last):
        pyarrow.lib.ArrowInvalid: got a table that unfolds to more than 1,073,741,824 bytes, expected at most that many
    """
    most, total = max(LARGEST, RATIO * source.size()), 0
    counter = _Counter.of(source)
    about = counter.plain.metadata
    for leaf in range(about.num_columns):
        own = about.schema.column(leaf)
        if columns is not None and not any(own.path == one or own.path.startswith(f"{one}.") for one in columns):
            continue
        for group in range(about.num_row_groups):
            total += counter.bytes_of(own, group, leaf, most - total)
            if total > most:
                raise pa.ArrowInvalid(
                    f"got a table that unfolds to more than {most:,} bytes, expected at most that many"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counter:
    """A file, read in two ways."""

    plain: pq.ParquetFile
    folded: pq.ParquetFile
    """Each repeated text once."""

    @classmethod
    def of(cls, source: pa.NativeFile) -> _Counter:
        plain = pq.ParquetFile(source)
        about = plain.metadata
        folded = {
            about.schema.column(leaf).path
            for leaf in range(about.num_columns if about.num_row_groups else 0)
            if _FOLDED & set(about.row_group(0).column(leaf).encodings)
            and about.schema.column(leaf).physical_type == "BYTE_ARRAY"
        }
        return cls(plain=plain, folded=pq.ParquetFile(source, read_dictionary=sorted(folded)))

    def bytes_of(self, own: pq.ColumnSchema, group: int, leaf: int, most: int) -> int:
        """What a column of a row group unfolds to; a bound, and the exact number only if that may be too many."""
        chunk = self.plain.metadata.row_group(group).column(leaf)
        count = chunk.num_values
        if own.physical_type != "BYTE_ARRAY":
            return int(count * (_WIDTHS.get(own.physical_type) or max(own.length, 1)))
        stored, encodings = max(chunk.total_uncompressed_size, chunk.total_compressed_size), set(chunk.encodings)
        if not (_FOLDED | _SHARED) & encodings:
            return int(stored + count * _TEXT)
        if count * (stored + _TEXT) <= most:
            return int(count * (stored + _TEXT))
        if _SHARED & encodings:
            return int(count * _TEXT) + _letters(self.plain, own.path, group, most, max(1, LARGEST // max(stored, 1)))
        first = next(_leaves(self.folded, own.path, group, 1), None)
        if isinstance(first, pa.DictionaryArray) and len(first) > first.null_count:
            longest = pc.max(pc.binary_length(first.dictionary)).as_py() or 0
            if count * (longest + _TEXT) + stored <= most:
                return int(count * (longest + _TEXT) + stored)
        return int(count * _TEXT) + _letters(self.folded, own.path, group, most, _ROWS)


def _letters(file: pq.ParquetFile, path: str, group: int, most: int, rows: int) -> int:
    """Bytes of the texts of a column in a row group, until they are too many."""
    total = 0
    for part in _leaves(file, path, group, rows):
        if isinstance(part, pa.DictionaryArray):
            lengths = pc.take(pc.binary_length(part.dictionary).cast(pa.int64()), part.indices)
        else:
            lengths = pc.binary_length(part).cast(pa.int64())
        total += pc.sum(lengths).as_py() or 0
        if total > most:
            break
    return int(total)


def _leaves(file: pq.ParquetFile, path: str, group: int, rows: int) -> Iterator[pa.Array]:
    """The texts of a column, block by block, however deep they lie in lists and structures."""
    for batch in file.iter_batches(rows, row_groups=[group], columns=[path]):
        for column in batch.columns:
            yield from _within(column)


def _within(column: Any) -> Iterator[pa.Array]:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        yield from _within(column.storage)
    elif pa.types.is_map(kind):
        yield from _within(column.keys)
        yield from _within(column.items)
    elif pa.types.is_struct(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        for inner in column.flatten() if pa.types.is_struct(kind) else (column.flatten(),):
            yield from _within(inner)
    elif not pa.types.is_dictionary(kind) or not pa.types.is_nested(kind.value_type):
        yield column
