"""Errors say everything that is wrong, and what is wrong for one reason in one line."""

from __future__ import annotations

from landloom.errors import BuildError, Problem


def test_a_thousand_units_that_fail_for_one_reason_are_one_line() -> None:
    problems = [Problem(where=f"s2/{n}", what="no column") for n in range(1000)]
    assert str(BuildError(problems)).splitlines()[1:] == ["  - s2/0 and 999 more: no column"]
    assert len(BuildError(problems).problems) == 1000
