"""A ledger rebuilt from an export; its hash chains are computed again from the label rasters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Integer, MetaData, func, insert, select, text

from landloom.annotate.ledger.chain import verify_on
from landloom.annotate.ledger.copies.export import BATCH, DOCUMENT, FORMAT
from landloom.annotate.ledger.database import Ledger, open_database
from landloom.annotate.ledger.errors import ConflictError
from landloom.annotate.ledger.schema.migrating import upgrade
from landloom.annotate.ledger.schema.models import Campaign
from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection


def rebuild(folder: Path, url: str) -> dict[str, int]:
    """Rebuild a ledger in an empty database, in one transaction.

    Args:
        folder: an export, made by this version of landloom or an older one.
        url: of the database.

    Returns:
        Campaign → number of its submissions, all of them verified.

    Raises:
        InvalidInputError: the folder is no export, or a table is missing or has another number of rows.
        ConflictError: the database holds a ledger already.
        TamperedError: a submission is not the one that was submitted.
        LedgerUnavailableError: the database cannot be used, or the export was made by a newer version of landloom.
    """
    document = _document(folder)
    with open_database(url) as ledger:
        upgrade(ledger, document["revision"])
        with ledger.write() as connection:
            tables = _tables(connection, folder, document)
            for table in tables:
                _fill(connection, table, folder / f"{table.name}.parquet", document["rows"][table.name])
        return _checked(ledger)


def _checked(ledger: Ledger) -> dict[str, int]:
    upgrade(ledger)
    with ledger.read() as connection:
        names = connection.execute(select(Campaign.name).order_by(Campaign.id)).scalars().all()
        return {name: verify_on(connection, name) for name in names}


def _document(folder: Path) -> dict[str, Any]:
    path = folder / DOCUMENT
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        rows = {str(name): int(count) for name, count in document["rows"].items()}
        found, revision = document["format"], str(document["revision"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInputError(f"{path}: expected the document of an exported ledger: {error}") from error
    if found != FORMAT:
        raise InvalidInputError(f"{path}: got an export of format {found!r:.40}, expected {FORMAT}")
    return {"rows": rows, "revision": revision}


def _tables(connection: Connection, folder: Path, document: dict[str, Any]) -> list[Table]:
    """The tables of the export, those first to which others refer."""
    metadata = MetaData()
    metadata.reflect(connection)
    known = [table for table in metadata.sorted_tables if table.name != "alembic_version"]
    unknown = sorted(set(document["rows"]) - {table.name for table in known})
    if unknown:
        raise InvalidInputError(f"{folder}: got the tables {unknown}, which a ledger of this version does not have")
    for table in known:
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise ConflictError("the database holds a ledger already; expected an empty one")
    return [table for table in known if table.name in document["rows"]]


def _fill(connection: Connection, table: Table, path: Path, expected: int) -> None:
    count = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH):
                rows = batch.to_pylist()
                connection.execute(insert(table), rows)
                count += len(rows)
    except (OSError, pa.ArrowException) as error:
        raise InvalidInputError(f"{path}: cannot be read: {error}") from error
    if count != expected:
        raise InvalidInputError(f"{path}: got {count:,} rows, expected {expected:,}")
    if connection.dialect.name == "postgresql" and _counts_up(table):
        sequence = f"select setval(pg_get_serial_sequence('{table.name}', 'id'), coalesce(max(id), 1), max(id) > 0)"
        connection.execute(text(f"{sequence} from {table.name}"))  # the names are those of our own tables


def _counts_up(table: Table) -> bool:
    key = list(table.primary_key.columns)
    return len(key) == 1 and key[0].name == "id" and isinstance(key[0].type, Integer)
