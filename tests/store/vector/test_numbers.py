"""Text → numbers where nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.store.vector.numbers import typed_texts


@given(st.lists(st.integers(-(10**17), 10**17) | st.none(), min_size=1))
def test_whole_numbers_are_exact_whatever_stands_beside_them(numbers: list[int | None]) -> None:
    texts = [None if number is None else str(number) for number in numbers]
    assert typed_texts(texts).tolist() == numbers


@pytest.mark.parametrize(
    ("texts", "decimal", "values"),
    [
        (["0110", "1"], ".", ["0110", "1"]),
        (["1.5", "2"], ".", [1.5, 2.0]),
        (["1,5", "2"], ",", [1.5, 2.0]),
        (["1,5", "2"], ".", ["1,5", "2"]),
        (["NA", "1"], ".", ["NA", "1"]),
        (["1e999"], ".", ["1e999"]),
        (["NO"], ".", ["NO"]),
    ],
)
def test_what_is_no_number_stays_text(texts: list[str], decimal: str, values: list[Any]) -> None:
    assert typed_texts(texts, decimal).tolist() == values
