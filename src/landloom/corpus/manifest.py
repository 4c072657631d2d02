"""Manifests: the published files of a tile, or of the corpus. A file in no manifest is not part of the corpus."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from landloom.errors import InvalidDocumentError, InvalidInputError, InvalidValueError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


@cache
def manifest_schema() -> pa.Schema:
    """Columns of a manifest: key, size and digest of a file."""
    import pyarrow as pa  # noqa: PLC0415 - workers write files, and no manifest

    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False),
            pa.field("bytes", pa.int64(), nullable=False),
            pa.field("sha256", pa.binary(32), nullable=False),
        ]
    )


@dataclass(frozen=True, slots=True, order=True)
class FileEntry:
    """One published file.

    Example:
        >>> FileEntry.of("README.md", b"hello").size
        5
    """

    path: str
    """Key within the corpus."""
    size: int
    """Size in bytes."""
    sha256: str
    """SHA-256 of its bytes, 64 hexadecimal digits."""

    @classmethod
    def of(cls, path: str, content: bytes) -> Self:
        """The entry of a file, from its bytes."""
        return cls(path, len(content), hashlib.sha256(content).hexdigest())

    @property
    def multihash(self) -> str:
        """The digest in the form of STAC's file extension: `1220` (sha2-256, 32 bytes) and the digits."""
        return f"1220{self.sha256}"


def manifest_bytes(entries: Iterable[FileEntry]) -> bytes:
    """Write a manifest; the same entries in any order give the same bytes.

    Args:
        entries: files with unique paths.

    Returns:
        A Parquet file, sorted by path.

    Raises:
        InvalidValueError: a path occurs twice.

    Example:
        >>> one, two = FileEntry.of("b", b"2"), FileEntry.of("a", b"1")
        >>> manifest_bytes([one, two]) == manifest_bytes([two, one])
        True
    """
    import pyarrow as pa  # noqa: PLC0415

    from landloom.formats.parquet import encode_parquet  # noqa: PLC0415

    rows = sorted(entries)
    paths = [row.path for row in rows]
    if len(set(paths)) != len(paths):
        twice = sorted({one for one, other in pairwise(paths) if one == other})
        raise InvalidValueError(f"got these paths twice: {', '.join(twice[:5])}; expected each once")
    table = pa.table(
        {
            "path": pa.array(paths, pa.string()),
            "bytes": pa.array([row.size for row in rows], pa.int64()),
            "sha256": pa.array([bytes.fromhex(row.sha256) for row in rows], pa.binary(32)),
        },
        schema=manifest_schema(),
    )
    return encode_parquet(table)


def read_manifest(content: bytes, subject: str = "manifest") -> tuple[FileEntry, ...]:
    """Parse a manifest; entries are sorted by path.

    Args:
        content: the Parquet file.
        subject: its name in errors.

    Returns:
        Every row. Names are as they were written; whoever takes files from it holds them to `landloom.model.keys`.

    Raises:
        InvalidDocumentError: no Parquet file, not a manifest's columns, or a row without a value.

    Example:
        >>> entry = FileEntry.of("a", b"1")
        >>> read_manifest(manifest_bytes([entry])) == (entry,)
        True
    """
    import pyarrow as pa  # noqa: PLC0415

    from landloom.formats.parquet import decode_parquet  # noqa: PLC0415

    schema = manifest_schema()
    try:
        table = decode_parquet(content)
    except InvalidInputError as error:
        raise InvalidDocumentError(subject, [Problem(where="", what=str(error))]) from error
    if table.schema.names != schema.names or table.schema.types != schema.types:
        problem = Problem(where="", what=f"got columns {_told(table.schema)}, expected {_told(schema)}")
        raise InvalidDocumentError(subject, [problem])
    paths = table.column("path").cast(pa.binary()).to_pylist()  # text that is no Unicode is a name that is refused
    rows = list(zip(paths, table.column("bytes").to_pylist(), table.column("sha256").to_pylist(), strict=True))
    broken = [number for number, row in enumerate(rows) if None in row or row[1] < 0]
    if broken:
        raise InvalidDocumentError(subject, [Problem(where=f"row {row}", what="misses a value") for row in broken[:5]])
    return tuple(FileEntry(path.decode(errors="surrogateescape"), size, digest.hex()) for path, size, digest in rows)


def _told(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
