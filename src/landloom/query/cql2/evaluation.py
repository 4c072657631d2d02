"""Evaluate a checked filter over columns, in SQL's three-valued logic: rows for which it is true are selected."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.cql2.filter import ARITHMETIC, COMPARISONS, Call, Name
from landloom.query.cql2.integers import LIMIT, Exact, compare
from landloom.query.cql2.like import like

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.query.cql2.filter import Filter, Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text column."""

    codes: NDArray[np.integer]
    """(row,) index of each row's value in `texts`."""
    texts: Sequence[str | None]
    """Values of the codes; None is null."""


class Columns(Protocol):
    """Columns for filters."""

    def __len__(self) -> int:
        """Number of rows."""
        ...

    def names(self) -> Iterable[str]:
        """Columns by name."""
        ...

    def number(self, name: str) -> tuple[NDArray[np.integer], int, int] | None:
        """Numerators, common denominator and largest numerator of a numeric column; None for text columns."""
        ...

    def words(self, name: str) -> Words:
        """A text column."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where a condition is true and where it is false; elsewhere it is unknown."""

    yes: Any
    """(row,) bool, or one bool."""
    no: Any
    """(row,) bool, or one bool."""


_ORDERS: Final[dict[str, Callable[[str, str], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


MAX_TESTS: Final = 20_000_000
"""Texts that one filter may compare by order or pattern: some seconds."""


class _Evaluator:
    def __init__(self, columns: Columns, aggregates: Mapping[str, Node]) -> None:
        self.columns = columns
        self.aggregates = aggregates
        self.known = frozenset(columns.names())
        self.tests = 0
        self._words: dict[str, Words] = {}
        self._codes: dict[str, dict[str | None, list[int]]] = {}

    def truth(self, node: Node) -> Truth:
        if isinstance(node, bool):
            return Truth(yes=node, no=not node)
        if not isinstance(node, Call) or node.op in ARITHMETIC:
            raise InvalidInputError("filter: got a value, expected a condition")
        if node.op in ("and", "or"):
            return self._joined(node)
        if node.op == "not":
            inner = self.truth(node.args[0])
            return Truth(yes=inner.no, no=inner.yes)
        if node.op == "between":
            value, low, high = node.args
            bounds = (Call(op=">=", args=(value, low)), Call(op="<=", args=(value, high)))
            return self._joined(Call(op="and", args=bounds))
        return self._leaf(node)

    def _joined(self, node: Call) -> Truth:
        first, *rest = (self.truth(item) for item in node.args)
        yes, no = first.yes, first.no
        for item in rest:
            yes, no = (yes & item.yes, no | item.no) if node.op == "and" else (yes | item.yes, no & item.no)
        return Truth(yes=yes, no=no)

    def _leaf(self, node: Call) -> Truth:
        if node.op == "isNull":
            return self._is_null(node.args[0])
        if node.op == "in":
            return self._in(node)
        if node.op == "like":
            return self._like(node)
        if node.op not in COMPARISONS:
            raise InvalidInputError(f"filter: got the operator {node.op!r}")
        left, right = node.args
        if self._is_text(left) or self._is_text(right):
            return self._compare_text(node.op, left, right)
        return _known(compare(node.op, a := self.number(left), b := self.number(right)), a, b)

    def _is_text(self, node: Node) -> bool:
        if isinstance(node, Name):
            return not self._numeric(node.name)
        return isinstance(node, str)

    def _numeric(self, name: str) -> bool:
        if name in self.aggregates:
            return True
        if name not in self.known:
            raise NotFoundError.of("column", name, self.known | set(self.aggregates))
        return self.columns.number(name) is not None

    def number(self, node: Node) -> Exact:
        """The value of a numeric node."""
        if isinstance(node, Fraction):
            return Exact.constant(node)
        if isinstance(node, Name):
            return self._column(node.name)
        if not isinstance(node, Call) or node.op not in ARITHMETIC:
            raise InvalidInputError(f"filter: got {node!r}, expected a number")
        left, *others = (self.number(item) for item in node.args)
        if not others:
            return Exact.constant(Fraction(0)).plus(left, -1)
        return _ARITHMETIC[node.op](left, others[0])

    def _column(self, name: str) -> Exact:
        if name in self.aggregates:
            return self.number(self.aggregates[name])
        if not self._numeric(name):
            raise InvalidInputError(f"filter: column {name!r} holds text, expected a number")
        found = self.columns.number(name)
        if found is None:
            raise InvalidInputError(f"filter: column {name!r} holds text, expected a number")
        return Exact.column(*found)

    def _text(self, node: Node) -> Words:
        if not isinstance(node, Name) or self._numeric(node.name):
            raise InvalidInputError(f"filter: got {node!r}, expected a text column")
        if node.name not in self._words:
            self._words[node.name] = self.columns.words(node.name)
        return self._words[node.name]

    def _matching(self, node: Node, test: Callable[[str], bool]) -> Truth:
        """Where a text column has a value that passes a test.

        Raises:
            InvalidInputError: the filter compares too many texts.
        """
        words = self._text(node)
        self.tests += len(words.texts)
        if self.tests > MAX_TESTS:
            raise InvalidInputError(
                f"filter: compares {_named(node)} of {len(words.texts):,} rows too often, expected at most "
                f"{MAX_TESTS:,} comparisons of text; use fewer patterns, or = and IN"
            )
        return self._where(words, np.array([word is not None and test(word) for word in words.texts], dtype=bool))

    @staticmethod
    def _where(words: Words, yes: NDArray[np.bool_]) -> Truth:
        null = np.array([word is None for word in words.texts], dtype=bool)
        return Truth(yes=yes[words.codes], no=~(yes | null)[words.codes])

    def _any_of(self, node: Node, values: Iterable[str]) -> Truth:
        """Where a text column has one of some values; each is looked up, no row is compared."""
        words = self._text(node)
        name = node.name if isinstance(node, Name) else ""
        if name not in self._codes:
            codes = self._codes[name] = {}
            for code, word in enumerate(words.texts):
                codes.setdefault(word, []).append(code)
        yes = np.zeros(len(words.texts), dtype=bool)
        for value in values:
            yes[self._codes[name].get(value, [])] = True
        return self._where(words, yes)

    def _compare_text(self, op: str, left: Node, right: Node) -> Truth:
        if isinstance(left, str) and isinstance(right, str):
            held = _ORDERS[op](left, right)
            return Truth(yes=held, no=not held)
        if isinstance(left, str):
            mirrored = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op)
            return self._compare_text(mirrored, right, left)
        if not isinstance(right, str):
            raise InvalidInputError(f"filter: got {right!r}, expected text to compare {_named(left)} with")
        if op in ("=", "<>"):
            same = self._any_of(left, (right,))
            return same if op == "=" else Truth(yes=same.no, no=same.yes)
        return self._matching(left, lambda word: _ORDERS[op](word, right))

    def _in(self, node: Call) -> Truth:
        value, items = node.args
        listed = items if isinstance(items, tuple) else ()
        if self._is_text(value):
            wanted = {item for item in listed if isinstance(item, str)}
            if len(wanted) < len(set(listed)):
                raise InvalidInputError(f"filter: expected only text in the list for {_named(value)}")
            return self._any_of(value, wanted)
        number = self.number(value)
        shares: set[Fraction] = set()
        for item in listed:
            if not isinstance(item, Fraction):
                raise InvalidInputError(f"filter: got {item!r} in a list of numbers")
            shares.add(item)
        if isinstance(number.bottom, int):
            tops = [item * number.bottom for item in shares]
            whole = [top.numerator for top in tops if top.denominator == 1 and abs(top) < LIMIT]
            return _known(np.isin(number.top, np.array(whole, dtype=np.int64)), number)
        yes: Any = False
        for item in shares:
            yes = yes | compare("=", number, Exact.constant(item))
        return _known(yes, number)

    def _like(self, node: Call) -> Truth:
        value, pattern = node.args
        if not isinstance(pattern, str):
            raise InvalidInputError(f"filter: got {pattern!r}, expected a pattern in quotes after LIKE")
        return self._matching(value, like(pattern))

    def _is_null(self, node: Node) -> Truth:
        if self._is_text(node):
            words = self._text(node)
            null: Any = np.array([word is None for word in words.texts], dtype=bool)[words.codes]
        else:
            number = self.number(node)
            null = np.zeros(len(self.columns), dtype=bool) if number.null is None else number.null
        return Truth(yes=null, no=~null)


def _named(node: Node) -> str:
    return repr(node.name) if isinstance(node, Name) else repr(node)


def _known(yes: Any, *numbers: Exact) -> Truth:
    """Result of a comparison: unknown if a side has no value."""
    mask = np.asarray(yes, dtype=bool)
    no = ~mask
    for null in (number.null for number in numbers if number.null is not None):
        mask, no = mask & ~null, no & ~null
    return Truth(yes=mask, no=no)


def _remainder(left: Exact, right: Exact) -> Exact:
    whole = left.times(right.inverse()).truncated()
    return left.plus(right.times(whole), -1)


_ARITHMETIC: Final[dict[str, Callable[[Exact, Exact], Exact]]] = {
    "+": Exact.plus,
    "-": lambda left, right: left.plus(right, -1),
    "*": Exact.times,
    "/": lambda left, right: left.times(right.inverse()),
    "div": lambda left, right: left.times(right.inverse()).truncated(),
    "%": _remainder,
    "^": Exact.power,
}


def evaluate(condition: Filter, columns: Columns, aggregates: Mapping[str, Node] | None = None) -> NDArray[np.bool_]:
    """Rows for which a filter is true.

    Args:
        condition: the filter.
        columns: columns for the filter.
        aggregates: names of arithmetic expressions on columns; they do not refer to each other.

    Returns:
        (row,) bool.

    Raises:
        NotFoundError: an unknown column; similar names are listed.
        InvalidInputError: types that do not fit, or numbers too large to stay exact.
    """
    known = frozenset(columns.names())
    for name, node in (aggregates or {}).items():
        for part in _parts(node):
            if part not in known:
                raise NotFoundError.of(f"column (in aggregate {name!r})", part, known)
    yes = _Evaluator(columns, aggregates or {}).truth(condition.root).yes
    return np.broadcast_to(np.asarray(yes, dtype=bool), (len(columns),))


def _parts(node: Node) -> Iterable[str]:
    if isinstance(node, Name):
        yield node.name
    elif isinstance(node, Call):
        for item in node.args:
            yield from _parts(item)
