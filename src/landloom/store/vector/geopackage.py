"""What a GeoPackage holds, asked of its tables alone: a view may be a query that never ends."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from landloom.errors import InvalidInputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STEPS: Final = 50_000
"""Instructions of SQLite's machine between two looks at how many there were."""
_MOST: Final = 200_000
"""Looks, at most: ten thousand million instructions, which no question about a table of features takes."""
_LAYERS: Final = """
    select g.table_name, g.column_name, m.type from gpkg_geometry_columns g
    join gpkg_contents c on c.table_name = g.table_name
    left join sqlite_master m on lower(m.name) = lower(g.table_name) and m.type in ('table', 'view')
    where c.data_type = 'features' order by c.rowid
"""


@contextmanager
def _opened(path: Path, name: str) -> Iterator[sqlite3.Connection]:
    looks = 0

    def is_too_long() -> bool:
        nonlocal looks
        looks += 1
        return looks > _MOST

    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            connection.set_progress_handler(is_too_long, _STEPS)
            yield connection
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StoreError(f"cannot read {name}: {error}") from error


def feature_tables(path: Path, name: str) -> dict[str, str]:
    """Layers of a GeoPackage that are tables, and the column of geometry of each.

    Args:
        path: the file.
        name: what messages call it.

    Raises:
        InvalidInputError: no GeoPackage, one whose own tables are views, or one whose layers all are.
        StoreError: the file cannot be read.
    """
    with _opened(path, name) as connection:
        kinds = dict(connection.execute("select lower(name), type from sqlite_master where type in ('table', 'view')"))
        if not {"gpkg_contents", "gpkg_geometry_columns"} <= kinds.keys():
            raise InvalidInputError(f"{name}: got a SQLite database without layers of features, expected a GeoPackage")
        views = sorted(own for own, kind in kinds.items() if kind == "view" and own.startswith(("gpkg_", "rtree_")))
        if views:
            raise InvalidInputError(f"{name}: got the view {views[0]}, expected a table of that name")
        found = {str(table): (str(column), kind) for table, column, kind in connection.execute(_LAYERS)}
    tables = {table: column for table, (column, kind) in found.items() if kind == "table"}
    if found and not tables:
        raise InvalidInputError(
            f"{name}: got the views {', '.join(found)}, whose queries may never end; expected tables: save them as such"
        )
    return tables


def rows_without_place(path: Path, name: str, table: str, column: str) -> list[int] | None:
    """Ids of features that the spatial index does not hold: their geometry is null or empty; None without an index.

    Raises:
        StoreError: the file cannot be read.
    """
    index, quoted = f"rtree_{table}_{column}", table.replace('"', '""')
    with _opened(path, name) as connection:
        known = connection.execute("select 1 from sqlite_master where lower(name) = lower(?)", (f"{index}_rowid",))
        if known.fetchone() is None:
            return None
        rtree = f'"{index}_rowid"'.replace(index, index.replace('"', '""'))
        counts = connection.execute(f'select (select count(*) from "{quoted}"), (select count(*) from {rtree})')  # noqa: S608
        features, placed = counts.fetchone()
        if features == placed:
            return []
        missing = f'select rowid from "{quoted}" where rowid not in (select rowid from {rtree})'  # noqa: S608
        return [int(row) for (row,) in connection.execute(missing)]
