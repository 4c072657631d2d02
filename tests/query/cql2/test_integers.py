"""Arithmetic of filters against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.query.cql2.integers import Exact, compare

numbers = st.fractions(min_value=-5, max_value=5, max_denominator=50)


@settings(max_examples=150, deadline=None)
@given(
    a=st.lists(st.integers(0, 1_000_000), min_size=3, max_size=3),
    b=st.lists(st.integers(0, 1_000_000), min_size=3, max_size=3),
    k=numbers,
    op=st.sampled_from(["=", "<>", "<", ">", "<=", ">="]),
    how=st.sampled_from(["+", "-", "*", "/"]),
)
def test_arithmetic_equals_fractions(a: list[int], b: list[int], k: Fraction, op: str, how: str) -> None:
    import operator

    left, right = (Exact.column(np.array(v, dtype=np.int32), 10**6, 10**6) for v in (a, b))
    ways = {"+": left.plus(right), "-": left.plus(right, -1), "*": left.times(right)}
    mixed = ways[how] if how in ways else left.times(right.inverse())
    tests = {"=": "eq", "<>": "ne", "<": "lt", ">": "gt", "<=": "le", ">=": "ge"}
    answers = np.broadcast_to(compare(op, mixed, Exact.constant(k)), 3)
    names = {"+": "add", "-": "sub", "*": "mul", "/": "truediv"}
    for row in range(3):
        x, y = Fraction(a[row], 10**6), Fraction(b[row], 10**6)
        if how == "/" and y == 0:
            assert mixed.null is not None
            assert mixed.null[row]
            continue
        value = getattr(operator, names[how])(x, y)
        assert bool(answers[row]) == getattr(operator, tests[op])(value, k)


def test_numbers_that_would_overflow_are_refused() -> None:
    column = Exact.column(np.array([10**6], dtype=np.int32), 10**6, 10**6)
    cube = column.times(column).times(column)
    assert compare("=", cube, Exact.constant(Fraction(1)))[0]
    with pytest.raises(InvalidInputError, match="too large"):
        cube.times(column)
