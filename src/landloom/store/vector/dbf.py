"""What GDAL does not tell of a shapefile's table: bytes of text, whole numbers of any length, records without shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_WHOLE: Final = re.compile(rb"[+-]?[0-9]+")
_LONG: Final = 19
"""Digits from which GDAL reads a whole number as a float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    name: bytes
    kind: str
    start: int
    width: int
    decimals: int


def _beside(path: Path, suffix: str) -> Path | None:
    """The part of a shapefile with a suffix, whatever its case."""
    for own in (suffix, suffix.upper()):
        file = path.with_suffix(own)
        if file.is_file():
            return file
    return None


def _records(path: Path) -> tuple[NDArray[np.uint8], list[_Column], int]:
    """(record, byte) of a table, its columns, and the byte that says its encoding."""
    file = _beside(path, ".dbf")
    size = 0 if file is None else file.stat().st_size
    if file is None or size < 33:
        return np.zeros((0, 1), np.uint8), [], 0
    data = np.memmap(file, np.uint8, "r")
    head = bytes(data[:32])
    count, first, width = (
        int.from_bytes(head[4:8], "little"),
        int.from_bytes(head[8:10], "little"),
        int.from_bytes(head[10:12], "little"),
    )
    columns, position = [], 1
    for start in range(32, max(first - 31, 32), 32):
        text = bytes(data[start : start + 32])
        if len(text) < 32 or text[:1] == b"\r":
            break
        columns.append(
            _Column(
                name=text[:11].partition(b"\x00")[0],
                kind=chr(text[11]),
                start=position,
                width=text[16],
                decimals=text[17],
            )
        )
        position += text[16]
    if not width or position > width:
        return np.zeros((0, 1), np.uint8), [], head[29]
    count = min(count, max(size - first, 0) // width)
    return data[first : first + count * width].reshape(count, width), columns, head[29]


def text_encoding(path: Path, name: str, wanted: Sequence[str] | None = None) -> str | None:
    """The encoding to read a table's text by, where what the shapefile declares is not so.

    Args:
        path: the .shp.
        name: what messages call it.
        wanted: columns that are read; all unless told.

    Returns:
        `UTF-8` where all text is that, whatever is declared; None where what is declared holds.

    Raises:
        InvalidInputError: text that is not what the .cpg declares; or of no declared encoding.
    """
    records, columns, language = _records(path)
    cells = [
        bytes(records[row, own.start : own.start + own.width]).rstrip(b" \x00")
        for own in columns
        if own.kind == "C" and (wanted is None or own.name.decode("utf-8", "replace") in wanted)
        for row in np.flatnonzero((records[:, own.start : own.start + own.width] > 127).any(axis=1)).tolist()
    ]
    if not cells:
        return None
    if all(map(_is_utf8, cells)):
        return "UTF-8"
    file = _beside(path, ".cpg")
    declared = "" if file is None else file.read_text(encoding="ascii", errors="replace").strip()
    if declared.upper().replace("-", "") in {"UTF8", "65001"} or not (declared or language):
        got = f"{declared} in {path.with_suffix('.cpg').name}" if declared else "no encoding (.cpg)"
        raise InvalidInputError(
            f"{name}: got {got} and text that is not UTF-8, such as {cells[0]!r}; expected its encoding, such as "
            "cp1252: name it, or correct the .cpg"
        )
    return None


def _is_utf8(cell: bytes) -> bool:
    """Whether bytes are UTF-8, of which a cell that is full may hold the beginning of a last letter."""
    for cut in range(4):
        try:
            cell[: len(cell) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False


def long_numbers(path: Path, encoding: str) -> dict[str, list[int | None]]:
    """Column → whole numbers by record, of the columns whose digits a float may not hold."""
    records, columns, _ = _records(path)
    found = {}
    for own in columns:
        if own.kind in "NF" and own.width >= _LONG and own.decimals == 0:
            cells = [bytes(cell).strip(b" \x00*") for cell in records[:, own.start : own.start + own.width]]
            if all(_WHOLE.fullmatch(cell) for cell in cells if cell):
                found[own.name.decode(encoding, "replace")] = [int(cell) if cell else None for cell in cells]
    return found


def records_without_shape(path: Path) -> list[int]:
    """Records whose shape is null, told by their length in the .shx."""
    file = _beside(path, ".shx")
    if file is None:
        return []
    lengths = np.fromfile(file, ">i4", offset=100)[1::2]
    return [int(row) for row in np.flatnonzero(lengths <= 2)]
