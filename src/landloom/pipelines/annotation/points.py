"""Points in tables of text, and the pixels of chips that they lie in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError
from landloom.model.grid import Grid, transformer
from landloom.store.vector.tables import read_text, table_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.pipelines.annotation.series import SeriesSource

WGS84: Final = 4326
_PLACE: Final = ({"lon", "lat"}, {"chip", "row", "column"})
"""Columns that say where a point is: either of these."""
_WHERE: Final = set[str]().union(*_PLACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One pixel of a chip."""

    chip: str
    row: int
    """Inside the chip, from 0."""
    column: int
    """Inside the chip, from 0."""


def read_points(
    path: str, further: Sequence[str] = (), names: Mapping[str, str] | None = None
) -> list[tuple[int, dict[str, str]]]:
    """Read a table of points.

    Args:
        path: CSV in any common encoding and with any common separator.
        further: columns that it must have, besides `lon` and `lat`, or `chip`, `row` and `column`.
        names: our name of a column → its name in the table, where they differ; a table may have our name instead.

    Returns:
        Number of each row, from 1 below the header, and its cells by our names; other columns keep theirs.

    Raises:
        InvalidInputError: it cannot be read, or a column is missing.
    """
    file = Path(path).name
    try:
        rows = [_renamed(row, names or {}) for row in table_rows(read_text(path))]
    except InvalidInputError as error:
        raise InvalidInputError(str(error) if str(error).startswith(path) else f"{file}: {error}") from error
    if not rows:
        raise InvalidInputError(f"{file}: got a table without rows, expected points")
    header = set(rows[0])
    missing = [name for name in dict.fromkeys((*further, *sorted(set(names or {}) - _WHERE))) if name not in header]
    if not any(place <= header for place in _PLACE):
        missing.insert(0, "lon and lat (or chip, row and column)")
    if missing:
        got = ", ".join(sorted(header))
        raise InvalidInputError(f"{file}: got the columns {got}; expected {', '.join(missing)}, too")
    return [(number, {key: (value or "").strip() for key, value in row.items()}) for number, row in enumerate(rows, 1)]


def _renamed(row: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """A row by our names; a column that is named as ours replaces one that is called so."""
    own = {name: row[column] for name, column in names.items() if column in row}
    return {key: value for key, value in row.items() if key not in own and key not in names.values()} | own


def coordinates(row: Mapping[str, str]) -> tuple[float, float]:
    """Longitude and latitude of a row in degrees.

    Raises:
        InvalidInputError: they are no numbers, or out of bounds.

    Example:
        >>> coordinates({"lon": "14.5", "lat": "45.9"})
        (14.5, 45.9)
    """
    try:
        lon, lat = float(row["lon"]), float(row["lat"])
    except ValueError:
        lon = lat = float("nan")
    if not (isfinite(lon) and isfinite(lat) and -180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidInputError(f"got lon {row['lon']!r} and lat {row['lat']!r}, expected degrees in WGS84")
    return lon, lat


@dataclass(frozen=True, kw_only=True)
class PointPlaces:
    """Finds the pixels that points lie in."""

    source: SeriesSource

    @cached_property
    def _trees(self) -> dict[int, tuple[shapely.STRtree, tuple[str, ...]]]:
        """EPSG code → index of the squares of its chips, and their ids."""
        sidecar = self.source.corpus.sidecar
        rows = np.arange(len(sidecar), dtype=np.int32)
        codes, squares = sidecar.epsg(rows), sidecar.squares(rows)
        found = {}
        for code in np.unique(codes).tolist():
            own = rows[codes == code]
            found[int(code)] = (shapely.STRtree(shapely.box(*squares[own].T)), sidecar.texts(own))
        return found

    def of(self, row: Mapping[str, str]) -> list[Place]:
        """The pixels of a row: several where chips overlap.

        Raises:
            InvalidInputError: no place, or outside every chip.
            NotFoundError: no such chip.
        """
        by_chip, by_degrees = (place <= row.keys() for place in reversed(_PLACE))
        if by_chip and (row["chip"] or not by_degrees):
            return [self._named(row)]
        lon, lat = coordinates(row)
        found = []
        for code, (tree, ids) in self._trees.items():
            x, y = transformer(WGS84, code).transform(lon, lat)
            if isfinite(x) and isfinite(y):
                for number in tree.query(shapely.Point(x, y), predicate="intersects").tolist():
                    place = _inside(self.source.grid(ids[number]), ids[number], x, y)
                    found += [] if place is None else [place]
        if not found:
            raise InvalidInputError(f"got lon {lon} and lat {lat}, which lie outside every chip")
        return found

    def _named(self, row: Mapping[str, str]) -> Place:
        height, width = self.source.grid(row["chip"]).shape
        try:
            y, x = int(row["row"]), int(row["column"])
        except ValueError:
            y = x = -1
        if not (0 <= y < height and 0 <= x < width):
            got = f"row {row['row']!r} and column {row['column']!r}"
            raise InvalidInputError(f"got {got}, expected 0 to {height - 1} and 0 to {width - 1}")
        return Place(chip=row["chip"], row=y, column=x)


def _inside(grid: Grid, chip: str, x: float, y: float) -> Place | None:
    """The pixel of a point; west and north edges belong to a pixel, east and south edges to its neighbour."""
    row, column = int((grid.north - y) // grid.pixel_height), int((x - grid.west) // grid.pixel_width)
    if 0 <= row < grid.height and 0 <= column < grid.width:
        return Place(chip=chip, row=row, column=column)
    return None
