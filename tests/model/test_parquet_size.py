"""What unfolds without bound, in every encoding that stores a value once, and at every depth."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from landloom.errors import InvalidInputError
from landloom.formats.parquet import decode_parquet, encode_parquet
from landloom.model.parquet_size import check_size

if TYPE_CHECKING:
    from collections.abc import Callable


def _folded(text: str, rows: int, **options: Any) -> bytes:
    sink = io.BytesIO()
    texts = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array([text]))
    column = options.pop("nest", lambda texts: texts)(texts)
    pq.write_table(pa.table({"n": pa.array(np.arange(rows)), "text": column}), sink, store_schema=False, **options)
    return sink.getvalue()


def _shared(text: str, rows: int) -> bytes:
    """Texts of which each repeats the one before, without a dictionary."""
    sink = io.BytesIO()
    schema = pa.schema([("text", pa.string())])
    with pq.ParquetWriter(
        sink, schema, use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"}, store_schema=False
    ) as writer:
        for _ in range(0, rows, 64):
            writer.write_table(pa.table({"text": [text] * 64}, schema=schema))
    return sink.getvalue()


LONG = "x" * 2**20
BOMBS = {
    "a dictionary": lambda: _folded(LONG, 3000),
    "a dictionary in groups": lambda: _folded(LONG, 3000, row_group_size=100),
    "in structures": lambda: _folded(LONG, 3000, nest=lambda texts: pa.StructArray.from_arrays([texts], names=["a"])),
    "in lists": lambda: _folded(LONG, 3000, nest=lambda texts: pa.FixedSizeListArray.from_arrays(texts, 1).cast(
        pa.list_(texts.type))),
    "in maps": lambda: _folded(LONG, 3000, nest=lambda texts: pa.MapArray.from_arrays(
        np.arange(3001, dtype=np.int32), pa.array(np.arange(3000)), texts)),
    "nothing": lambda: encode_parquet(pa.table({"text": pa.nulls(2**25, pa.string())})),
    "prefixes": lambda: _shared(LONG, 2048),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_texts_that_unfold_without_bound_are_refused(bomb: Callable[[], bytes]) -> None:
    data = bomb()
    assert len(data) < 2**24
    before = pa.total_allocated_bytes()
    with pytest.raises(InvalidInputError, match="unfolds to more than 1,073,741,824"):
        decode_parquet(data)
    assert pa.total_allocated_bytes() - before < 2**20


def test_what_is_not_read_is_not_counted() -> None:
    assert decode_parquet(_folded(LONG, 3000), ["n"]).num_rows == 3000


def test_texts_of_few_long_ones_are_counted_exactly() -> None:
    """A bound by the longest would refuse it."""
    texts = pa.array([LONG, *(str(number) for number in range(60_000))])
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": texts}), sink)
    check_size(pa.BufferReader(sink.getvalue()))
    assert decode_parquet(sink.getvalue())["text"].combine_chunks().equals(texts)
