"""Parquet of few bytes that unfolds to many: every reader of it refuses, in bounded memory and time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.readers import Limited

pytestmark = pytest.mark.slow
MILLION: Final = 10**6


def _runs(path: Path, count: int, **columns: pa.Array) -> None:
    """Parquet of one value that is repeated, which takes no room."""
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    table = pa.table(columns).replace_schema_metadata({"geo": json.dumps(geo)} if "geometry" in columns else None)
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(count):
            writer.write_table(table)


def _same(value: str | bytes, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([value]))


def _item_rows(rows: int, text: str, outline: bytes) -> dict[str, pa.Array]:
    """Columns of a map that is a table of items, too."""
    assets = pa.StructArray.from_arrays([_same(text, rows)], names=["red"])
    return {"id": _same("a", rows), "crop": _same(text, rows), "assets": assets, "geometry": _same(outline, rows)}


PARQUETS: Final[dict[str, Callable[[Path], None]]] = {
    "a long text a billion times": lambda path: _runs(
        path, 40, id=pa.DictionaryArray.from_arrays(pa.array(np.zeros(MILLION, np.int8)), pa.array(["x" * 1000]))
    ),
    "a map with long texts": lambda path: _runs(path, 4, **_item_rows(30_000, "x" * 10**6, shapely.Point(1, 2).wkb)),
    "a map of one long outline": lambda path: _runs(
        path, 4, **_item_rows(30_000, "x", shapely.Point(1, 2).buffer(1, quad_segs=2**14).wkb)
    ),
    "10^9 numbers": lambda path: _runs(path, 100, id=pa.array(np.zeros(10 * MILLION, np.int64))),
}


@pytest.mark.parametrize("reader", ["parquet", "stac table", "granule table", "index", "vector"])
@pytest.mark.parametrize("bomb", PARQUETS)
def test_a_table_that_unfolds_is_bounded(limited: Limited, tmp_path: Path, bomb: str, reader: str) -> None:
    """Encodings that repeat a value need no room in a file."""
    path = tmp_path / "bomb.parquet"
    PARQUETS[bomb](path)
    (result,) = limited.read(reader, [path])
    assert (result.fault, result.kind) == (None, "refused")
