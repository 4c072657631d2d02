"""Tables of text as users have them: their encoding, their separator, and the marks before them."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from pathlib import Path
from typing import Final, cast

from landloom.errors import InvalidInputError

SEPARATORS: Final = (",", ";", "\t", "|")
"""What may stand between cells."""
LARGEST: Final = 2**26
"""Bytes of a table of text at most."""
_MARKS: Final = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def decoded(data: bytes, name: str, encoding: str | None = None) -> str:
    r"""Text without a byte order mark; UTF-8, or UTF-16 where a mark says so, unless told.

    Raises:
        InvalidInputError: it is not; the line is named.

    Example:
        >>> decoded(b"\xef\xbb\xbfid", "a.csv"), decoded("id".encode("utf-16"), "a.csv")
        ('id', 'id')
    """
    own = next((known for mark, known in _MARKS.items() if data.startswith(mark)), "utf-8")
    require_encoding(name, encoding)
    try:
        return data.decode(encoding or own).removeprefix("\ufeff")
    except UnicodeError as error:
        line = data[: getattr(error, "start", 0)].count(b"\n") + 1
        wanted = "; name its encoding, such as cp1252" if encoding is None else ""
        raise InvalidInputError(f"{name}, line {line}: is not {encoding or own} text{wanted}") from error


def require_encoding(name: str, encoding: str | None) -> None:
    """Refuse a word that is no encoding of text.

    Raises:
        InvalidInputError: it is none.

    Example:
        >>> require_encoding("a.csv", "cp1252")
    """
    try:
        "".encode(encoding or "utf-8")
    except LookupError as error:
        raise InvalidInputError(f"{name}: got the encoding {encoding!r}, expected one such as cp1252") from error


def read_text(path: str | Path, name: str | None = None, *, encoding: str | None = None, largest: int = LARGEST) -> str:
    """A file's text without a byte order mark, as `decoded`.

    Raises:
        InvalidInputError: it cannot be read, is too large, or is not UTF-8, nor UTF-16 with a mark.
    """
    shown = str(path) if name is None else name
    try:
        size = Path(path).stat().st_size
        if size > largest:
            raise InvalidInputError(f"{shown}: got {size:,} bytes, expected at most {largest:,}")
        data = Path(path).read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{shown}: cannot be read: {error.strerror}") from error
    return decoded(data, shown, encoding)


def separator_of(header: str) -> str:
    """What stands between the cells of a table's first line; `sep=;` as spreadsheets write it says so itself.

    Raises:
        InvalidInputError: the line cannot be read.

    Example:
        >>> separator_of("id;crop;'a,b'"), separator_of("id"), separator_of('"a;b",c')
        (';', ',', ',')
    """
    if header.lower().startswith("sep=") and header[4:5]:
        return header[4]
    try:
        counts = {own: len(next(csv.reader([header], delimiter=own), [])) for own in SEPARATORS}
    except csv.Error as error:
        raise InvalidInputError(f"line 1: cannot be read as a table: {error}") from error
    return max(SEPARATORS, key=lambda own: counts[own])


def column_names(text: str) -> list[str]:
    r"""Names of a table's columns, whatever separates its cells.

    Raises:
        InvalidInputError: the first line cannot be read.

    Example:
        >>> column_names("sep=;\nvalue;code\nmaize;1\n")
        ['value', 'code']
    """
    return [name.strip() for name in _reader(text)[0].fieldnames or ()]


def table_rows(text: str, name: str = "") -> list[dict[str, str]]:
    r"""A table's rows by the names of its columns, whatever separates its cells; cells that are not there are empty.

    Args:
        text: the table.
        name: what messages call it.

    Raises:
        InvalidInputError: a line cannot be read, or has more cells than there are columns.

    Example:
        >>> table_rows("value;code\nmaize;1\n")
        [{'value': 'maize', 'code': '1'}]
    """
    rows, odd = numbered_rows(text, name)
    for line, why in odd.items():
        raise InvalidInputError(f"{_line(name, line)}: {why}")
    return list(rows.values())


def numbered_rows(text: str, name: str = "") -> tuple[dict[int, dict[str, str]], dict[int, str]]:
    r"""A table's rows as `table_rows`, where one with too many cells costs only itself.

    Returns:
        Rows by the lines on which they end, and lines → why they are no rows.

    Raises:
        InvalidInputError: a line cannot be read.

    Example:
        >>> numbered_rows("value;code\nmaize;1\nrye;2;3\n")
        ({2: {'value': 'maize', 'code': '1'}}, {3: 'got 3 cells, expected 2'})
    """
    reader, skipped = _reader(text)
    rows: dict[int, dict[str, str]] = {}
    odd: dict[int, str] = {}
    try:
        for row in reader:
            beyond = [cell for cell in row.pop(cast("str", None), ()) if cell.strip()]
            line = reader.line_num + skipped
            if beyond:
                odd[line] = f"got {len(row) + len(beyond)} cells, expected {len(row)}"
            else:
                rows[line] = {key.strip(): value for key, value in row.items()}
    except csv.Error as error:
        where = _line(name, reader.line_num + skipped)
        raise InvalidInputError(f"{where}: cannot be read as a table: {error}") from error
    return rows, odd


def _line(name: str, line: int) -> str:
    return f"{name}, line {line}" if name else f"line {line}"


def _reader(text: str) -> tuple[csv.DictReader[str], int]:
    """A reader of rows, and how many lines stand before the names of the columns."""
    text = unicodedata.normalize("NFC", text)
    first, _, rest = text.partition("\n")
    separator = separator_of(first.rstrip("\r"))
    told = first.lower().startswith("sep=")
    return csv.DictReader(io.StringIO(rest if told else text, newline=""), delimiter=separator, restval=""), int(told)
