"""Rows and shares packed into bytes come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.query.index.packing import PackedColumns, pack_rows, unpack_rows


@given(st.lists(st.integers(0, 2_000), max_size=300), st.integers(1, 300))
def test_rows_survive_packing(gaps: list[int], step: int) -> None:
    rows = np.unique(np.cumsum([gap * step for gap in gaps], dtype=np.int64))
    assert unpack_rows(pack_rows(rows)).tolist() == rows.tolist()


@given(st.dictionaries(st.integers(0, 70_000), st.integers(1, 1_000_000), max_size=80))
def test_columns_survive_packing(values: dict[int, int]) -> None:
    rows = np.array(sorted(values), dtype=np.int64)
    own = np.array([values[int(row)] for row in rows], dtype=np.int64)
    packed = PackedColumns.of([(rows, own), (rows[:0], own[:0])])
    found, shares = packed.entries(0)
    assert dict(zip(found.tolist(), shares.tolist(), strict=True)) == values
    assert [len(part) for part in packed.entries(1)] == [0, 0]


def test_values_that_are_no_shares_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="millionths"):
        PackedColumns.of([(np.array([0]), np.array([1_000_001]))])
