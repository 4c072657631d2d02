"""Filters: bounded before they are parsed, exact when they are evaluated."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from landloom.errors import InvalidInputError, LandloomError, NotFoundError
from landloom.query.cql2.filter import MAX_LENGTH, parse, parse_sum, scan
from landloom.query.cql2.integers import Exact, compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.query.conftest import Truth

HOSTILE = [
    "(" * 2_000 + "a = 1" + ")" * 2_000,
    "NOT " * 20_000 + "a = 1",
    " AND ".join(["a = 1"] * 20_000),
    "a = " + "-" * 15_000 + "1",
    "a = " + "+".join(["1"] * 8_000),
    "a IN (" + ",".join(["1"] * 8_000) + ")",
    "f(" * 5_000 + "a" + ")" * 5_000,
    "a = '" + "x" * 20_000,
    "a = 'x",
    '"' + "a" * 200,
    "a = 1\0",
    "S_INTERSECTS(geometry, POLYGON((" + ",".join(["0 0"] * 5_000) + ")))",
    "a = 1e999999999",
    "a = 0." + "1" * 400,
    "((((((((((",
    "))))((((",
    "CASEI(" * 31 + "a" + ")" * 31 + " = 'x'",
    '{"op":"and","args":[' * 3_000 + "1" + "]}" * 3_000,
    '{"op":"not","args":[' * 60 + "true" + "]}" * 60,
    '{"op":"=","args":[{"property":"a"},1e400]}',
    '{"op":"in","args":[{"property":"a"},[' + ",".join(["1"] * 7_000) + "]]}",
    "[" * 15_000,
    "{" * 15_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:24].replace("\0", "0"))
def test_hostile_filters_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="filter"):
        parse(text)


def test_bounds_are_where_they_are_said_to_be() -> None:
    scan("(" * 32 + "a = 1" + ")" * 32)
    scan(" AND ".join(["a = 1"] * 128))
    with pytest.raises(InvalidInputError, match="operators"):
        scan(" AND ".join(["a = 1"] * 129))
    scan("a IN (" + ",".join(["1"] * 5_000) + ")")
    with pytest.raises(InvalidInputError, match="list items"):
        scan("a IN (" + ",".join(["1"] * 5_001) + ")")
    with pytest.raises(InvalidInputError, match="16384"):
        scan("a" * 16_385)


FUZZ = """
import random, sys
from landloom.errors import LandloomError
from landloom.query.cql2.filter import parse
rng = random.Random(int(sys.argv[1]))
pieces = ["(", ")", "a", "clc_1", " AND ", " OR ", " NOT ", "=", "<>", ">", " IN ", " BETWEEN ", "1", "0.5", "'x'", ",",
          "+", "-", "*", "/", "^", "%", " div ", " IS NULL", " LIKE ", '"', "'", " ", "POINT(1 2)", "DATE('x')",
          "[", "]", "{", "}", '"op":', '"args":', "true", "\\n", "é", "\\x00", "CASEI(", "S_INTERSECTS("]
seen = 0
for _ in range(int(sys.argv[2])):
    kind = rng.random()
    if kind < 0.3:
        unit = "".join(rng.choices(pieces, k=rng.randint(1, 4)))
        text = unit * rng.randint(1, 20_000 // max(len(unit), 1))
    elif kind < 0.4:
        n = rng.randint(1, 400)
        text = rng.choice(pieces) * n + "a = 1" + rng.choice(pieces) * n
    else:
        text = "".join(rng.choices(pieces, k=rng.randint(1, 80)))
    if rng.random() < 0.15:
        text = "{" + text
    try:
        parse(text)
        seen += 1
    except LandloomError:
        pass
print(seen)
"""


def test_no_text_ends_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, "11", "6000"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])


LONG: list[Callable[[int], str]] = [
    lambda n: "{" + '"' * n,
    lambda n: "{" + '"\\' * (n // 2),
    lambda n: '{"' + '\\"' * (n // 2),
    lambda n: "a = " + "1" * n + "e5555",
    lambda n: '{"op":"=","args":[{"property":"a"},' + "1" * n + "e5555]}",
    lambda n: "a = " + "1." * (n // 2),
    lambda n: "a = " + "'" * (n + 1),
    lambda n: "a = " + '"' * (n + 1),
    lambda n: "a" + " " * n + "= 1",
    lambda n: "a IN (" + "1 ," * (n * 3 // 10) + "1)",
    lambda n: "a BETWEEN " * (n // 16) + "1",
    lambda n: "a IN (" + "'x' ," * (n // 6) + "'1)",
    lambda n: "(" * 30 + "1," * (n // 2) + "1" + ")" * 30 + " = 1",
    lambda n: "NOT (" * 31 + "a=1" + " " * n + ")" * 31,
    lambda n: "S_INTERSECTS(g, POLYGON((" + "0 0," * (n // 4) + "0 0)))",
    lambda n: "f(" * 31 + "1," * (n // 2) + "1" + ")" * 31 + " = 1",
]


def seconds_of(text: str) -> float:
    """The processor's time for a text, the least of five."""
    times, told = [], ""
    for _ in range(5):
        begin = time.process_time()
        try:
            parse(text)
        except LandloomError as error:
            told = str(error)
        times.append(time.process_time() - begin)
    assert len(told) < 400, told
    assert "\n" not in told, told
    return min(times)


@pytest.mark.parametrize("text", LONG, ids=lambda text: text(8)[:20])
def test_the_time_for_a_text_grows_with_its_length(text: Callable[[int], str]) -> None:
    """Each was or might have been quadratic: 16,000 digits before a wrong exponent once took 20 s."""
    short, long = text(2_000), text(16_000)
    assert len(long) <= MAX_LENGTH
    assert seconds_of(long) < 24 * seconds_of(short) + 0.01, "8 times as long; 64 if quadratic"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clc_1 >", "filter: got 'clc_1 >', not CQL2 at its end"),
        ("clc_1 > 0.5 clc_2 > 1", "filter: got 'clc_1 > 0.5 clc_2 > 1', not CQL2 from 'clc_2 > 1' on (character 13)"),
        ("clc_1 > 0.5\nAND = 3", "filter: got 'clc_1 > 0.5\\nAND = 3', not CQL2 from '= 3' on (character 17)"),
        ("  ", "filter: got an empty text, expected a condition such as clc_31 = 1"),
        ("clc_1 = 'x", "filter: got a quote that is never closed, ' at character 9"),
        (
            '{"op": "=", "args": [{"property": "a"}, 1' + "0" * 50 + "]}",
            "filter: got a number of 51 characters, expected at most 40",
        ),
    ],
)
def test_one_line_names_the_place(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "value", [5, 0.5, None, b"a = 1", ["a = 1"], {"op": "=", "args": [10**5000, 1]}, {"op": [[[]]] * 99}]
)
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError, match="filter: got"):
        parse(value)


def test_json_and_text_say_the_same() -> None:
    text = "clc_31 = 1 AND (stratum IN ('DE', 'FR') OR NOT clc_112 BETWEEN 0.1 AND 0.25)"
    import cql2

    document = cql2.parse_text(text).to_json()
    assert parse(document) == parse(json.dumps(document)) == parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S_INTERSECTS(geometry, POINT(1 2))", "operator 's_intersects'"),
        ("stratum = DATE('2018-01-01')", "dates"),
        ("clc_1 + clc_2", "condition"),
        ("foo(clc_1) = 1", "operator 'foo'"),
        ("clc_1 == 1", "not CQL2"),
        ("'clc_1'", "condition"),
        ('{"op": "=", "args": [1]}', "arguments"),
        ('{"op": "in", "args": [{"property": "a"}, "a"]}', "list"),
        ('{"a": 1}', "dates"),
        ('{"op": "=", "args": [null, 1]}', "expected a number"),
        ("{", "broken JSON"),
    ],
)
def test_what_cannot_be_meant_is_named(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        parse(text)


def test_an_aggregate_is_arithmetic() -> None:
    with pytest.raises(InvalidInputError, match="sum of columns"):
        parse_sum("clc_1 = 1")


CASES = [
    "clc_412 > 0.8",
    "clc_31 = 1",
    "clc_2 >= 0.5 AND clc_112 < 0.1",
    "NOT clc_1 = 0",
    "clc_311 + clc_312 = 1",
    "clc_3 BETWEEN 0.25 AND 0.75",
    "clc_211 * 2 > clc_231 + 0.1",
    "0.5 < clc_3",
    "clc_211 / clc_231 > 1",
    "clc_211 IN (0, 1, 0.5)",
    "clc_3 - clc_31 > 0 OR clc_5 = 1",
    "-clc_3 < -0.9",
    "clc_3 ^ 2 > 0.5",
    "clc_3 * 10 div 3 = 2",
    "clc_3 * 10 % 3 > 1.5",
    "clc_3 IS NULL",
    "clc_211 / clc_231 IS NOT NULL",
    "clc_3 <> 0",
]


@pytest.mark.parametrize("text", CASES)
def test_filters_equal_row_by_row_fractions(text: str, published: Truth) -> None:
    chosen = set(published.corpus.query(where=text).ids)
    import cql2

    document = cql2.parse_text(text).to_json()
    expected = {
        identity
        for identity, shares in zip(published.ids, published.shares.tolist(), strict=True)
        if _truth(document, shares) is True
    }
    assert chosen == expected


def _value(node: object, shares: list[int]) -> Fraction | None:
    from landloom.model.taxonomy import taxonomy

    if isinstance(node, dict) and "property" in node:
        code = node["property"].removeprefix("clc_")
        columns = taxonomy("clc").codes()
        return Fraction(sum(v for c, v in zip(columns, shares, strict=True) if c.startswith(code)), 10**6)
    if isinstance(node, dict):
        parts = [_value(item, shares) for item in node["args"]]
        if any(part is None for part in parts):
            return None
        x, y = (parts[0] or Fraction(0)), (parts[1] or Fraction(0))
        if node["op"] in ("/", "div", "%") and y == 0:
            return None
        whole = Fraction(int(x / y)) if y else Fraction(0)
        ways = {"+": x + y, "-": x - y, "*": x * y, "/": x / y if y else None, "div": whole, "%": x - y * whole}
        return x ** int(y) if node["op"] == "^" else ways[node["op"]]
    return Fraction(str(node))


def _truth(node: object, shares: list[int]) -> bool | None:  # noqa: PLR0911 - one return a rule
    assert isinstance(node, dict)
    op, args = node["op"], node["args"]
    if op in ("and", "or"):
        parts = [_truth(item, shares) for item in args]
        decisive = op == "or"
        return decisive if decisive in parts else None if None in parts else not decisive
    if op == "not":
        inner = _truth(args[0], shares)
        return None if inner is None else not inner
    value = _value(args[0], shares)
    if op == "isNull":
        return value is None
    if op == "in":
        return value in [Fraction(str(item)) for item in args[1]]
    others = [_value(item, shares) for item in args[1:]]
    if value is None or any(other is None for other in others):
        return None
    first = others[0] or Fraction(0)
    if op == "between":
        return first <= value <= (others[1] or Fraction(0))
    return {
        "=": value == first,
        "<>": value != first,
        "<": value < first,
        ">": value > first,
        "<=": value <= first,
        ">=": value >= first,
    }[op]


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("stratum = 'DE'", lambda s, _: s == "DE"),
        ("stratum <> 'DE'", lambda s, _: s is not None and s != "DE"),
        ("NOT stratum = 'DE'", lambda s, _: s is not None and s != "DE"),
        ("stratum IN ('DE', 'FI')", lambda s, _: s in ("DE", "FI")),
        ("stratum IS NULL", lambda s, _: s is None),
        ("stratum IS NOT NULL AND split = 'test'", lambda s, p: s is not None and p == "test"),
        ("stratum LIKE 'F%'", lambda s, _: s in ("FI", "FR")),
        ("stratum LIKE '_R'", lambda s, _: s == "FR"),
        ("'E' < stratum", lambda s, _: s in ("FI", "FR")),
        ("stratum NOT IN ('DE')", lambda s, _: s is not None and s != "DE"),
        ("NOT (stratum = 'DE' OR split = 'test')", lambda s, p: s not in (None, "DE") and p not in (None, "test")),
    ],
)
def test_text_columns_follow_three_valued_logic(text: str, test: object, own: Truth) -> None:
    assert callable(test)
    expected = [i for i, s, p in zip(own.ids, own.stratum, own.split, strict=True) if test(s, p)]
    assert list(own.corpus.query(where=text).ids) == expected
    assert expected


def test_places_can_be_named_in_filters(own: Truth) -> None:
    first = own.ids[0]
    tile = first.rsplit("_", 2)[0]
    assert own.corpus.query(where=f"id = '{first}'").ids == (first,)
    assert own.corpus.query(where=f"tile = '{tile}'").ids == tuple(i for i in own.ids if i.startswith(tile))
    assert own.corpus.query(where=f"zone = '{first[:3]}'").ids == tuple(i for i in own.ids if i.startswith(first[:3]))


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("clc_41a > 0", "clc_41"),
        ("clc_31 + clc_3111 = 1", "clc_311"),
        ("strata = 'DE'", "stratum"),
        ("clc_9999 = 1", "clc_999"),
    ],
)
def test_unknown_columns_name_the_nearest(text: str, near: str, own: Truth) -> None:
    with pytest.raises(NotFoundError, match=near):
        own.corpus.query(where=text)


@pytest.mark.parametrize("text", ["stratum > 1", "clc_3 = 'x'", "stratum + 1 = 2", "clc_3 IN ('x')", "clc_3 LIKE 'x'"])
def test_types_that_do_not_fit_are_named(text: str, own: Truth) -> None:
    with pytest.raises(InvalidInputError, match="filter"):
        own.corpus.query(where=text)


def test_division_by_a_constant_zero_is_named(own: Truth) -> None:
    with pytest.raises(InvalidInputError, match="division by zero"):
        own.corpus.query(where="clc_3 / 0 = 1")


def test_a_sum_of_fractions_is_exactly_one(published: Truth) -> None:
    corpus = published.corpus.define(forest="clc_311 + clc_312 + clc_313", wet="clc_4 / 2")
    exact = corpus.query(where="forest = 1")
    assert exact.ids == corpus.query(where="clc_31 = 1").ids
    from landloom.model.taxonomy import taxonomy

    places = [taxonomy("clc").index[code] for code in ("311", "312", "313")]
    assert list(exact.ids) == [published.ids[r] for r in np.flatnonzero(published.shares[:, places].sum(1) == 10**6)]
    assert len(exact) > 100


def test_a_sum_that_floats_lose_is_one() -> None:
    shares = [np.array([value], dtype=np.int32) for value in (600_000, 300_000, 100_000)]
    floats = [float(share[0]) / 1e6 for share in shares]
    assert floats[0] + floats[1] + floats[2] != 1.0
    total = Exact.constant(Fraction(0))
    for share in shares:
        total = total.plus(Exact.column(share, 10**6, 10**6))
    assert compare("=", total, Exact.constant(Fraction(1))).tolist() == [True]


def test_aggregates_are_checked_when_defined(published: Truth) -> None:
    with pytest.raises(NotFoundError, match="clc_31"):
        published.corpus.define(forest="clc_31x")
    with pytest.raises(InvalidInputError, match="clc_311"):
        published.corpus.define(clc_311="clc_312")
