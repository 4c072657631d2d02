"""CSV tables: UTF-8, commas, line feeds."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How texts begin that spreadsheets would compute; the last four are wide forms of the first."""


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]], *, quote_formulas: bool = False) -> bytes:
    r"""Encode a table as CSV.

    Args:
        header: names of the columns.
        rows: values.
        quote_formulas: put an apostrophe before texts that a spreadsheet would compute; for texts that others wrote.

    Example:
        >>> csv_bytes(("a", "b"), [(1, "x,y")])
        b'a,b\n1,"x,y"\n'
        >>> csv_bytes(("a", "b"), [(-1, "=1+1")], quote_formulas=True)
        b"a,b\n-1,'=1+1\n"
    """
    if quote_formulas:
        rows = ([_harmless(value) for value in row] for row in rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
