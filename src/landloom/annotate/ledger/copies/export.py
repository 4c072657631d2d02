"""A ledger as files: one Parquet table for each table of the database, and a document about them."""

from __future__ import annotations

import errno
import json
import os
import shutil
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import null, select

from landloom.annotate.ledger.errors import ConflictError, StorageFullError
from landloom.annotate.ledger.schema.migrating import newest
from landloom.annotate.ledger.schema.models import Base

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Select, Table
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger

DOCUMENT: Final = "ledger.json"
"""Written last: a folder without it is no export."""
FORMAT: Final = 1
"""Version of this layout."""
SECRET: Final = frozenset({"session", "login_failure", "invitation"})
"""Tables that only a copy with names holds."""
BATCH: Final = 2_000
"""Rows read and written at a time."""

_TYPES: Final[dict[type, pa.DataType]] = {
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bool: pa.bool_(),
    bytes: pa.binary(),
}


def export_ledger(ledger: Ledger, folder: Path, *, names: bool = False) -> int:
    """Write one state of a ledger to a new folder while others work on.

    Args:
        ledger: an open one.
        folder: it is made; nothing stands there yet.
        names: whether login names, password hashes, sessions, invitations and tokens are in it: a copy to be kept as
            safely as the ledger. Otherwise people appear under their pseudonyms alone.

    Returns:
        Number of rows.

    Raises:
        ConflictError: something stands there.
        StorageFullError: no space is left.
    """
    if folder.exists():
        raise ConflictError(f"{folder}: exists already; expected a name for a new folder")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True, mode=0o700)
        rows = _write(ledger, partial, names=names)
        partial.replace(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if error.errno == errno.ENOSPC:
            raise StorageFullError(f"{folder}: no space is left for the export") from error
        raise
    return rows


def _write(ledger: Ledger, folder: Path, *, names: bool) -> int:
    tables = [one for one in Base.metadata.sorted_tables if names or one.name not in SECRET]
    counts = {}
    with ledger.read() as connection:
        for table in tables:
            counts[table.name] = _write_table(connection, table, folder / f"{table.name}.parquet", names=names)
    document = {"format": FORMAT, "revision": newest(), "names": names, "rows": counts}
    with (folder / DOCUMENT).open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    return sum(counts.values())


def _write_table(connection: Connection, table: Table, path: Path, *, names: bool) -> int:
    schema = pa.schema(
        [
            pa.field(column.name, _TYPES[column.type.python_type], nullable=bool(column.nullable))
            for column in table.columns
        ]
    )
    wanted = _columns(table, names=names).order_by(*table.primary_key.columns)
    count = 0
    with (
        pq.ParquetWriter(path, schema, compression="zstd") as writer,
        connection.execute(wanted.execution_options(yield_per=BATCH)) as found,
    ):
        for rows in found.partitions():
            columns = zip(*rows, strict=True)
            arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(rows)
    return count


def _columns(table: Table, *, names: bool) -> Select[Any]:
    """Every column; of people, only the pseudonym unless names are wanted."""
    if names or table.name != "user_account":
        return select(table)
    hidden = {"name": table.c.pseudonym, "name_key": table.c.pseudonym, "password": null()}
    return select(*(hidden.get(column.name, column).label(column.name) for column in table.columns))
