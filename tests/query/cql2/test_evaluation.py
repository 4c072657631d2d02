"""Filters over a handful of rows against SQL's three-valued logic, evaluated row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.cql2.evaluation import Words, evaluate
from landloom.query.cql2.filter import parse, parse_sum

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXTS = [None, "train", "test"]


@dataclass
class Table:
    """Rows of (share in tenths, text or null)."""

    rows: list[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.rows)

    def names(self) -> tuple[str, ...]:
        return ("share", "split")

    def number(self, name: str) -> tuple[NDArray[np.integer], int, int] | None:
        return (np.array([share for share, _ in self.rows], np.int32), 10, 10) if name == "share" else None

    def words(self, name: str) -> Words:
        assert name == "split"
        return Words(codes=np.array([code for _, code in self.rows], np.int64), texts=TEXTS)


ROWS = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 2)), min_size=1, max_size=8)
Test = Callable[[Fraction, "str | None"], "bool | None"]
LEAVES: dict[str, Test] = {
    "share > 0.3": lambda share, _: share > Fraction(3, 10),
    "share BETWEEN 0.2 AND 0.5": lambda share, _: Fraction(1, 5) <= share <= Fraction(1, 2),
    "1 / share > 3": lambda share, _: None if share == 0 else 1 / share > 3,
    "share * 2 - 0.1 = 0.5": lambda share, _: share * 2 - Fraction(1, 10) == Fraction(1, 2),
    "share IN (0.1, 0.7)": lambda share, _: share in (Fraction(1, 10), Fraction(7, 10)),
    "split = 'train'": lambda _, split: None if split is None else split == "train",
    "split IN ('test', 'x')": lambda _, split: None if split is None else split in ("test", "x"),
    "split LIKE 't_s%'": lambda _, split: None if split is None else split == "test",
    "split IS NULL": lambda _, split: split is None,
    "'test' < split": lambda _, split: None if split is None else split > "test",
}


def joined(op: str, left: bool | None, right: bool | None) -> bool | None:  # noqa: FBT001 - values of the logic
    decisive = op == "OR"
    if decisive in (left, right):
        return decisive
    return None if None in (left, right) else not decisive


@given(
    ROWS,
    st.sampled_from(sorted(LEAVES)),
    st.sampled_from(sorted(LEAVES)),
    st.sampled_from(["AND", "OR"]),
    st.booleans(),
)
def test_every_row_is_what_three_valued_logic_says(
    rows: list[tuple[int, int]],
    first: str,
    second: str,
    op: str,
    negated: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    text = f"({first}) {op} ({second})"
    found = evaluate(parse(f"NOT ({text})" if negated else text), Table(rows))
    for place, (share, code) in enumerate(rows):
        said = [LEAVES[one](Fraction(share, 10), TEXTS[code]) for one in (first, second)]
        truth = joined(op, *said)
        assert found[place] == ((truth is False) if negated else (truth is True))


def test_aggregates_stand_for_arithmetic_and_are_checked() -> None:
    table = Table([(2, 1), (4, 2)])
    assert evaluate(parse("twice = 0.8"), table, {"twice": parse_sum("share + share")}).tolist() == [False, True]
    with pytest.raises(NotFoundError, match=r"aggregate 'twice'.*shares"):
        evaluate(parse("twice = 0.8"), table, {"twice": parse_sum("shares + shares")})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("share = 'a'", "expected"),
        ("split = 1", "expected text"),
        ("split IN ('a', 1)", "only text"),
        ("share IN (0.1, 'a')", "list of numbers"),
        ("split + 1 = 2", "holds text"),
    ],
)
def test_types_that_do_not_fit_are_named(text: str, what: str) -> None:
    with pytest.raises(InvalidInputError, match=what):
        evaluate(parse(text), Table([(1, 1)]))
