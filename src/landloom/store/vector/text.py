"""CSV with geometry, block by block: WKT, EWKT, WKB in hexadecimal digits or GeoJSON in a column, or x and y in two."""

from __future__ import annotations

import csv as table
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyarrow as pa
import shapely
from pyarrow import csv

from landloom.errors import InvalidInputError, NotFoundError, StoreError
from landloom.model.crs_key import CrsKey, crs_key
from landloom.store.vector.cells import nfc
from landloom.store.vector.rows import Rows, Told, flat
from landloom.store.vector.tables import decoded, separator_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from landloom.model.grid import Bounds

_BLOCK: Final = 64 << 20
"""Bytes read at once, so that filters apply before a large file fills memory."""
_HEADER: Final = 1 << 20
"""Bytes of a first line, at most."""
_LISTED: Final = 20
_GEOMETRY: Final = ("geometry", "wkt", "geom", "the_geom", "wkt_geom", "wkt_geometry", "shape", "wkb", "wkb_geometry")
"""Names of columns of geometry, in any case, the most telling first."""
_POINTS: Final = (("x", "y"), ("lon", "lat"), ("long", "lat"), ("lng", "lat"), ("longitude", "latitude"),
                  ("easting", "northing"))  # fmt: skip
"""Names of columns of coordinates, in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayer:
    """A CSV with geometry."""

    path: Path
    name: str
    encoding: str
    separator: str
    skipped: int
    geometry: tuple[str, ...]
    known: tuple[str, ...]
    crs_column: str
    crs: CrsKey | None = None
    is_stated: bool = True
    counted: Literal["feature", "row"] = "row"

    @classmethod
    def of(cls, path: Path, name: str, told: Told) -> TextLayer:
        """Read a file's first line.

        Args:
            path: the file.
            name: what messages call it.
            told: column of geometry, where its name does not tell; encoding of the text, where it is not UTF-8.

        Raises:
            InvalidInputError: no column of geometry; text of another encoding; a first line that is none.
            NotFoundError: no such column of geometry.
        """
        encoding = told.encoding
        first, rest = _first_lines(path, name, encoding)
        skipped = int(first.lower().startswith("sep="))
        separator = separator_of(first)
        header = rest if skipped else first
        text = encoding or "utf-8"
        known = next(table.reader([header], delimiter=separator), [])
        if len(set(known)) < len(known):
            twice = sorted({own for own in known if known.count(own) > 1})
            raise InvalidInputError(f"{name}: got the columns {', '.join(twice)} more than once")
        return cls(
            path=path,
            name=name,
            encoding=text,
            separator=separator,
            skipped=skipped,
            geometry=_geometry(name, known, told.geometry),
            known=tuple(known),
            crs_column=told.crs_column,
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the attributes; `crs` is not one of them, nor are coordinates in one column."""
        taken = {self.crs_column, *(self.geometry if len(self.geometry) == 1 else ())}
        return tuple(own for own in self.known if own not in taken)

    def rows(self, columns: Sequence[str], bounds: Bounds | None = None, *, bare: bool = False) -> Iterator[Rows]:
        """All rows, cells as text: a type guessed from the head of a file fails further down, and eats zeros.

        A row with more or fewer cells than the first line has none that can be told, and is unread.
        """
        _ = bounds, bare
        keep = list(dict.fromkeys([*columns, *({self.crs_column} & set(self.known)), *self.geometry]))
        odd: dict[int, str] = {}
        first = fit = 0
        with _named(self.name, self.encoding):
            for batch in self._batches(keep, odd):
                places = _places(first, batch.num_rows, odd)
                yield self._rows(batch.take(places), columns, first, odd)
                first += len(places)
                fit += batch.num_rows
        if odd and not fit:
            row = min(odd)
            raise InvalidInputError(f"{self.name}, row {row}: {odd[row]}, and none of the rows has as many")
        rest = sum(number >= first for number in odd)
        if rest:
            texts = [pa.nulls(rest, pa.string())] * len(keep)
            yield self._rows(pa.RecordBatch.from_arrays(texts, names=keep), columns, first, odd)

    def _batches(self, keep: Sequence[str], odd: dict[int, str]) -> Any:
        """Arrow's reader of the rows; what it passes over, which it may do ahead of what it gives, goes into `odd`."""

        def note(row: csv.InvalidRow) -> str:
            odd[row.number - 2 - self.skipped] = f"got {row.actual_columns} cells, expected {row.expected_columns}"
            return "skip"

        return _batches(self.path, self.encoding, self.separator, self.skipped, keep, note)

    def is_empty(self) -> bool:
        """Whether it has no row at all."""
        return not any(len(rows.numbers) for rows in self.rows(()))

    def check_memory(self) -> None:
        """Refuse text that cannot fit into memory whole; inside a box it is read block by block, whatever its size.

        Raises:
            InvalidInputError: it cannot.
        """
        pages, page = (os.sysconf(key) if key in os.sysconf_names else 0 for key in ("SC_PHYS_PAGES", "SC_PAGE_SIZE"))
        size, memory = self.path.stat().st_size, pages * page
        if 0 < memory < size:
            raise InvalidInputError(
                f"{self.name}: {size / 1e9:,.1f} GB of text do not fit into {memory / 1e9:,.1f} GB of memory; expected "
                "a region or bounds, inside which it is read block by block"
            )

    def _rows(self, batch: Any, columns: Sequence[str], first: int, odd: Mapping[int, str]) -> Rows:
        numbers = np.arange(first, first + batch.num_rows)
        said: list[CrsKey | None] = [None] * batch.num_rows
        if len(self.geometry) == 1:
            shapes, unread, said = _shapes(batch.column(self.geometry[0]).to_pylist())
        else:
            shapes, unread = _points(*(batch.column(own).to_pylist() for own in self.geometry))
        if self.crs_column in self.known:
            said = self._stated(batch.column(self.crs_column).to_pylist(), said)
        found = {nfc(own): batch.column(own) for own in columns}
        crs = said if any(own is not None for own in said) else None
        odd_here = {number - first: why for number, why in odd.items() if first <= number < first + batch.num_rows}
        return Rows(numbers=numbers, columns=found, shapes=shapes, unread=unread | odd_here, crs=crs)

    def _stated(self, cells: Sequence[str | None], said: list[CrsKey | None]) -> list[CrsKey | None]:
        known: dict[str, CrsKey] = {}
        for text in dict.fromkeys(cell for cell in cells if cell):
            try:
                known[text] = crs_key(text)
            except InvalidInputError as error:
                raise InvalidInputError(f"{self.name}: {error}") from error
        return [known[cell] if cell else own for cell, own in zip(cells, said, strict=True)]


@contextmanager
def _named(name: str, encoding: str | None) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, UnicodeError, LookupError) as error:
        reason = str(error).splitlines()[0][:300]
        if isinstance(error, NotFoundError):
            raise
        if "UTF8" in reason or isinstance(error, UnicodeError):
            wanted = "name its encoding, such as cp1252" if encoding in {None, "utf-8"} else "another encoding"
            raise InvalidInputError(f"{name}: got text that is not {encoding or 'UTF-8'}; expected {wanted}") from error
        if isinstance(error, LookupError):
            raise InvalidInputError(f"{name}: got the encoding {encoding!r}, expected one such as cp1252") from error
        raise StoreError(f"cannot read {name}: {reason}") from error


def _places(first: int, count: int, odd: Mapping[int, str]) -> pa.Array:
    """Place of each row from `first` among those that were read; none for odd ones before the last that was read."""
    places: list[int | None] = []
    for place in range(count):
        while odd and first + len(places) in odd:
            places.append(None)
        places.append(place)
    return pa.array(places, pa.int64())


def _batches(
    path: Path,
    encoding: str,
    separator: str,
    skipped: int,
    keep: Sequence[str],
    odd: Callable[[csv.InvalidRow], str],
) -> Any:
    """Arrow's reader of a table of text."""
    return csv.open_csv(
        path,
        read_options=csv.ReadOptions(block_size=_BLOCK, encoding=encoding, skip_rows=skipped, use_threads=False),
        parse_options=csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=odd),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(keep, pa.string()),
            include_columns=list(keep),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )


def _first_lines(path: Path, name: str, encoding: str | None) -> tuple[str, str]:
    with path.open("rb") as file:
        first, second = file.readline(_HEADER), file.readline(_HEADER)
    if len(first) == _HEADER:
        raise InvalidInputError(f"{name}: got a line of more than {_HEADER:,} bytes, expected the names of columns")
    return decoded(first, name, encoding).rstrip("\r\n"), second.decode(encoding or "utf-8", "replace")


def _geometry(name: str, known: Sequence[str], asked: str | None) -> tuple[str, ...]:
    """The column of geometry, or two of coordinates."""
    if asked is not None:
        if asked not in known:
            raise NotFoundError.of(f"column of geometry in {name}", asked, known)
        return (asked,)
    folded = {own.strip().casefold(): own for own in reversed(known)}
    for own in _GEOMETRY:
        if own in folded:
            return (folded[own],)
    for pair in _POINTS:
        if set(pair) <= folded.keys():
            return tuple(folded[own] for own in pair)
    raise InvalidInputError(
        f"{name} has the columns {', '.join(known)[:300]}, expected `geometry` with WKT, or its name (geometry=COLUMN)"
    )


def has_geometry(names: Iterable[str]) -> bool:
    """Whether a table of text with these columns is a map.

    Example:
        >>> has_geometry(["id", "WKT"]), has_geometry(["id", "continent"])
        (True, False)
    """
    return any(name.strip().casefold() in _GEOMETRY for name in names)


def _shapes(cells: Sequence[str | None]) -> tuple[Any, dict[int, str], list[CrsKey | None]]:
    """Geometries of text in any form, what cannot be read, and the CRS that each states."""
    texts: list[str | None] = [cell.strip() if cell and cell.strip() else None for cell in cells]
    said: list[CrsKey | None] = [None] * len(texts)
    unknown: dict[int, str] = {}
    for position, text in enumerate(texts):
        if text is not None and text[:5].upper() == "SRID=":
            srid, _, texts[position] = text[5:].partition(";")
            try:
                said[position] = crs_key(srid)
            except InvalidInputError as error:
                unknown[position] = f"{error}"
    forms = np.array([_form(text) for text in texts])
    shapes = np.full(len(texts), None, dtype=object)
    for form, read in (("WKT", shapely.from_wkt), ("WKB", shapely.from_wkb), ("GeoJSON", shapely.from_geojson)):
        own = np.flatnonzero(forms == form)
        shapes[own] = read([texts[position] for position in own.tolist()], on_invalid="ignore")
    for position in np.flatnonzero(forms == "WKB").tolist():
        number = 0 if shapes[position] is None else int(shapely.get_srid(shapes[position]))
        if number:
            said[position] = crs_key(number)
    found, unread = flat(shapes, texts, "WKT")
    found[list(unknown)] = None
    return found, unread | unknown, said


def _form(text: str | None) -> str:
    if text is None:
        return ""
    if text.startswith("{"):
        return "GeoJSON"
    return "WKB" if text[:2] in {"00", "01"} else "WKT"


def _points(xs: Sequence[str | None], ys: Sequence[str | None]) -> tuple[Any, dict[int, str]]:
    import pandas as pd

    numbers = [pd.to_numeric([(cell or "").replace(",", ".") for cell in cells], errors="coerce") for cells in (xs, ys)]
    there = np.isfinite(numbers[0]) & np.isfinite(numbers[1])
    shapes = np.full(len(xs), None, dtype=object)
    shapes[there] = shapely.points(numbers[0][there], numbers[1][there])
    written = [bool(x or y) for x, y in zip(xs, ys, strict=True)]
    return shapes, {
        position: "got coordinates that are no numbers"
        for position in np.flatnonzero(~there).tolist()
        if written[position]
    }
