"""Our tables against the standard library's reader."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from landloom.formats.csv_table import csv_bytes

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)
"""A carriage return by itself ends a line for readers in text mode, too."""


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=5)))
def test_the_standard_library_reads_every_cell_back(table: list[list[str]]) -> None:
    text = csv_bytes(table[0], table[1:]).decode("utf-8")
    assert list(csv.reader(io.StringIO(text, newline=""))) == table


def test_numbers_stand_as_python_prints_them_and_lines_end_in_line_feeds() -> None:
    assert csv_bytes(("id", "share"), iter([("é", 0.1), (None, 3)])) == "id,share\né,0.1\n,3\n".encode()
