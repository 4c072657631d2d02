"""Arrays in one file: foreign and truncated ones are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.query.index.arrays import pack, unpack


@given(st.binary(max_size=200))
def test_foreign_files_are_no_sidecars(data: bytes) -> None:
    with pytest.raises(InvalidInputError):
        unpack(data)


def test_truncated_files_are_no_sidecars() -> None:
    data = pack({"a": np.arange(100)}, {})
    for length in range(0, len(data), 7):
        with pytest.raises(InvalidInputError):
            unpack(data[:length])
