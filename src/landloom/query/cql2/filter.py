"""CQL2 filters: bounded, parsed, and checked before evaluation.

The parser of CQL2 text (cql2) overflows its stack on deep or long input, which kills the process. So a linear scan
first bounds length, depth, operators and list items; JSON is bounded in the same way, and needs no external parser.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from landloom.errors import InvalidInputError

MAX_LENGTH: Final = 16_384
"""Maximum number of characters of a filter."""
MAX_DEPTH: Final = 32
"""Maximum nesting of parentheses, or JSON values."""
MAX_OPERATORS: Final = 256
"""Maximum number of comparisons, arithmetic and logical operators together."""
MAX_ITEMS: Final = 5_000
"""Maximum number of list items."""
MAX_DIGITS: Final = 15
"""Maximum number of significant digits: those preserved by a double, so that every number is used as written."""
MAX_WRITTEN: Final = 40
"""Maximum number of characters of a number."""
MAX_EXPONENT: Final = 30
"""Maximum absolute power of ten of a number."""

COMPARISONS: Final = frozenset({"=", "<>", "<", ">", "<=", ">="})
ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "^", "%", "div"})
_ARITIES: Final[dict[str, tuple[int, int]]] = {
    "and": (1, MAX_OPERATORS + 1),
    "or": (1, MAX_OPERATORS + 1),
    "not": (1, 1),
    "in": (2, 2),
    "between": (3, 3),
    "like": (2, 2),
    "isNull": (1, 1),
    **dict.fromkeys(COMPARISONS, (2, 2)),
    **dict.fromkeys(ARITHMETIC - {"-"}, (2, 2)),
    "-": (1, 2),
}

_TOKEN: Final = re.compile(
    r"""(?P<text>'[^']*(?:''[^']*)*')|(?P<name>"[^"]*")|(?P<number>\.?\d[\w.]*(?:(?<=[eE])[-+]\d+)?)"""
    r"""|(?P<word>[^\W\d][\w.:]*)|(?P<sign><=|>=|<>|!=|[-+*/^%=<>])|(?P<open>\()|(?P<close>\))|(?P<comma>,)"""
    r"""|(?P<space>\s+)|(?P<other>.)""",
    re.DOTALL,
)
_JSON_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{}]', re.DOTALL)
"""A string, or an unterminated one, is one token: no character is read twice."""
_STEPS: Final = {"(": 1, ")": -1}
_WORDS: Final = frozenset({"and", "or", "not", "in", "between", "like", "is", "div"})

Literal = Fraction | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A column, by name."""

    name: str
    """As written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An operator with its operands."""

    op: str
    """Operator name in CQL2 JSON."""
    args: tuple[Node, ...]
    """Operands; the second one of `in` is a tuple of literals."""


Node = Name | Call | Fraction | str | bool | tuple[Fraction | str | bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A checked filter."""

    root: Node
    """The parsed condition."""

    def names(self) -> tuple[str, ...]:
        """Its columns, in order of appearance.

        Example:
            >>> parse("clc_31 = 1 AND NOT clc_2 >= 0.5").names()
            ('clc_31', 'clc_2')
        """
        found: dict[str, None] = {}
        pending: list[Node] = [self.root]
        while pending:
            node = pending.pop(0)
            if isinstance(node, Name):
                found[node.name] = None
            elif isinstance(node, Call):
                pending[:0] = node.args
        return tuple(found)


def _refuse(what: str) -> InvalidInputError:
    return InvalidInputError(f"filter: {what}")


def scan(text: str) -> None:
    """Bound a CQL2 text by one pass over its tokens.

    Raises:
        InvalidInputError: too long, too deep, too many operators or list items, numbers with more digits than are kept,
            unfinished quotes or unbalanced parentheses.

    Example:
        >>> scan("clc_31 = 1 AND stratum IN ('DE', 'FR')")
        >>> scan("(" * 33 + "a = 1" + ")" * 33)
        Traceback (most recent call last):
            ...
        landloom.errors.InvalidInputError: filter: got parentheses more than 32 deep
    """
    if len(text) > MAX_LENGTH:
        raise _refuse(f"got {len(text)} characters, expected at most {MAX_LENGTH}")
    depth = operators = items = 0
    for token in _TOKEN.finditer(text):
        kind, word = token.lastgroup, token[0]
        if kind == "number":
            _number(word)
        elif kind == "other":
            what = f"a quote that is never closed, {word}" if word in "'\"" else repr(word)
            raise _refuse(f"got {what} at character {token.start() + 1}")
        depth += _STEPS.get(word, 0)
        operators += kind == "sign" or (kind == "word" and word.lower() in _WORDS)
        items += kind == "comma"
        if not 0 <= depth <= MAX_DEPTH:
            what = f"parentheses more than {MAX_DEPTH} deep" if depth > 0 else "a closing parenthesis too many"
            raise _refuse(f"got {what}")
        if operators > MAX_OPERATORS or items >= MAX_ITEMS:
            what = f"{MAX_OPERATORS} operators" if operators > MAX_OPERATORS else f"{MAX_ITEMS} list items"
            raise _refuse(f"got more than {what}")
    if depth:
        raise _refuse("got a parenthesis that is never closed")


def _number(text: str) -> Fraction:
    """A number as written."""
    if len(text) > MAX_WRITTEN:
        raise _refuse(f"got a number of {len(text)} characters, expected at most {MAX_WRITTEN}")
    match = re.fullmatch(r"-?(\d*)\.?(\d*)(?:[eE]([-+]?\d{1,3}))?", text)
    if match is None or not (match[1] or match[2]):
        raise _refuse(f"got {text!r}, expected a number")
    digits = (match[1] + match[2]).lstrip("0")
    if len(digits.rstrip("0") if "." not in text else digits) > MAX_DIGITS:
        raise _refuse(f"got {text}, expected a number of at most {MAX_DIGITS} digits")
    if abs(int(match[3] or 0)) > MAX_EXPONENT:
        raise _refuse(f"got {text}, expected a number within 1e±{MAX_EXPONENT}")
    return Fraction(Decimal(text))


def _bounded_json(text: str) -> Any:
    """Decode JSON after one pass that bounds its length and depth."""
    if len(text) > MAX_LENGTH:
        raise _refuse(f"got {len(text)} characters, expected at most {MAX_LENGTH}")
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > 2 * MAX_DEPTH:
            raise _refuse(f"got JSON values more than {2 * MAX_DEPTH} deep")
    try:
        return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_number)
    except json.JSONDecodeError as error:
        raise _refuse(f"got broken JSON: {error}") from error


class _Checker:
    """Convert CQL2 JSON to nodes, counting on the way, so that documents are bounded too."""

    def __init__(self) -> None:
        self.operators = 0
        self.items = 0

    def node(self, value: Any, depth: int = 0) -> Node:
        if depth > MAX_DEPTH:
            raise _refuse(f"got expressions more than {MAX_DEPTH} deep")
        if isinstance(value, Mapping):
            if set(value) == {"property"} and isinstance(value["property"], str):
                return Name(name=value["property"])
            if "op" in value:
                return self._call(value, depth)
            raise _refuse(f"got {_short(value)}: dates, times and geometries are not columns of a corpus index")
        return self._literal(value)

    def _literal(self, value: Any) -> Fraction | str | bool:
        if isinstance(value, bool | str | Fraction):
            return value
        if isinstance(value, int):
            return _number(str(value) if value.bit_length() < 4 * MAX_WRITTEN else "1" * (MAX_WRITTEN + 1))
        if isinstance(value, float):
            return _number(repr(float(value)).removesuffix(".0"))
        raise _refuse(f"got {_short(value)}, expected a number, text, a column or an operation")

    def _call(self, value: Mapping[str, Any], depth: int) -> Call:
        op, args = value["op"], value.get("args")
        if not isinstance(op, str) or op not in _ARITIES:
            known = ", ".join(sorted(_ARITIES))
            raise _refuse(f"got the operator {_short(op)}, expected one of {known}")
        low, high = _ARITIES[op]
        if not isinstance(args, list | tuple) or not low <= len(args) <= high:
            raise _refuse(f"got {_short(args)} as arguments of {op!r}")
        self.operators += max(len(args) - 1, 1)
        if self.operators > MAX_OPERATORS:
            raise _refuse(f"got more than {MAX_OPERATORS} operators")
        if op == "in":
            return Call(op=op, args=(self.node(args[0], depth + 1), self._list(args[1])))
        return Call(op=op, args=tuple(self.node(item, depth + 1) for item in args))

    def _list(self, value: Any) -> tuple[Fraction | str | bool, ...]:
        if not isinstance(value, list | tuple):
            raise _refuse(f"got {_short(value)}, expected a list after IN")
        self.items += len(value)
        if self.items > MAX_ITEMS:
            raise _refuse(f"got more than {MAX_ITEMS} list items")
        return tuple(self._literal(item) for item in value)


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str | int | float) else reprlib.repr(value)  # which bounds depth
    return text if len(text) <= 60 else f"{text[:57]}..."


def _no_cql2(text: str, said: str) -> str:
    """One-line error with the position; the parser's own messages refer to its grammar."""
    if not text.strip():
        return "got an empty text, expected a condition such as clc_31 = 1"
    place = re.search(r"--> (\d+):(\d+)", said)
    if place is None:
        return f"got {_short(text)}, which is not CQL2"
    line, column = int(place[1]), int(place[2])
    at = sum(len(part) + 1 for part in text.split("\n")[: line - 1]) + column - 1
    rest = text[at:].strip()
    return f"got {_short(text)}, not CQL2 " + (f"from {_short(rest)} on (character {at + 1})" if rest else "at its end")


def text_document(text: str) -> Any:
    """CQL2 text as CQL2 JSON.

    Raises:
        InvalidInputError: it is none, or beyond the bounds of `scan`.

    Example:
        >>> text_document("a > .5")
        {'op': '>', 'args': [{'property': 'a'}, 0.5]}
    """
    scan(text)
    import cql2

    try:
        return cql2.parse_text(_TOKEN.sub(_plain_token, text)).to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError) as error:
        raise _refuse(_no_cql2(text, str(error))) from error


def _plain_token(token: re.Match[str]) -> str:
    """A number that begins with its point gets a zero: the parser does not know this form of the standard."""
    return f"0{token[0]}" if token.lastgroup == "number" and token[0].startswith(".") else token[0]


def _from_text(text: str) -> Node:
    return _Checker().node(text_document(text))


def parse(source: str | Mapping[str, Any]) -> Filter:
    """Parse a filter in CQL2 text, CQL2 JSON (text that begins with `{`), or decoded CQL2 JSON.

    Args:
        source: `clc_31 = 1 AND stratum IN ('DE', 'FR')`.

    Raises:
        InvalidInputError: it is not a filter, or exceeds the limits of this module.

    Example:
        >>> parse("clc_412 > 0.8").root
        Call(op='>', args=(Name(name='clc_412'), Fraction(4, 5)))
        >>> parse('{"op": ">", "args": [{"property": "clc_412"}, 0.8]}') == parse("clc_412 > 0.8")
        True
    """
    if isinstance(source, Mapping):
        return Filter(root=_logical(_Checker().node(source)))
    if not isinstance(source, str):
        raise _refuse(f"got {_short(source)}, expected CQL2 text such as clc_31 = 1, or CQL2 JSON")
    return _parsed(source)


@lru_cache(maxsize=64)
def _parsed(text: str) -> Filter:
    node = _Checker().node(_bounded_json(text)) if text.lstrip()[:1] == "{" else _from_text(text)
    return Filter(root=_logical(node))


def _logical(node: Node) -> Node:
    if isinstance(node, bool) or (isinstance(node, Call) and node.op not in ARITHMETIC):
        return node
    raise _refuse("got a value, expected a condition such as clc_31 = 1")


def parse_sum(text: str) -> Node:
    """Parse an aggregate, an arithmetic expression of columns: `clc_311 + clc_312 + clc_313`.

    Raises:
        InvalidInputError: a condition, or not CQL2.

    Example:
        >>> parse_sum("clc_311 + clc_312").op
        '+'
    """
    if not isinstance(text, str):
        raise _refuse(f"got {_short(text)}, expected a sum of columns such as clc_311 + clc_312")
    node = _from_text(text)
    if isinstance(node, Name | Fraction) or (isinstance(node, Call) and node.op in ARITHMETIC):
        return node
    raise _refuse(f"got {text!r}, expected a sum of columns such as clc_311 + clc_312")
