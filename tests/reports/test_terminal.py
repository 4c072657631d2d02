"""What people see on the terminal: tables that line up, sizes, JSON that reads back, and progress as lines."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.reports.terminal import ProgressBars, cores, say_json, say_table, size


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"), (5e18, "5000.0 PB")]
)
def test_sizes_are_in_thousands(count: float, text: str) -> None:
    assert size(count) == text


@given(st.floats(1, 1e17))
def test_a_size_is_within_its_digits(count: float) -> None:
    number, unit = size(count).split()
    scale = 1000 ** ["B", "kB", "MB", "GB", "TB", "PB"].index(unit)
    assert abs(float(number) * scale - count) <= (0.5 if unit == "B" else 0.05 * scale) * (1 + 1e-9)


def test_tables_line_up_with_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    say_table("Products", ["name", "files", "done"], [["s2", 1_234_567, True], ["labels", 8, False]])
    assert capsys.readouterr().out.splitlines() == [
        "Products",
        "  name    files      done",
        "  s2      1,234,567  yes",
        "  labels          8  no",
    ]


def test_json_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"b": 1, "a": [None, 2.5]})
    assert json.loads(capsys.readouterr().out) == {"b": 1, "a": [None, 2.5]}


def test_progress_is_lines_where_there_is_no_terminal_and_a_reason_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressBars() as bars:
        bars.started("building", 3)
        for unit, reason in (("a", None), ("b", "no space"), ("c", "no space")):
            bars.advanced(unit, reason)
        bars.started("publishing", 1)
        bars.advanced("d", "no space")
    assert capsys.readouterr().err.splitlines() == [
        "building: 3",
        "building: b failed: no space",
        "publishing: 1",
        "publishing: d failed: no space",
    ]


def test_no_number_of_workers_means_one_a_core() -> None:
    assert cores(3) == 3
    assert 1 <= cores(0) <= (os.cpu_count() or 1)
