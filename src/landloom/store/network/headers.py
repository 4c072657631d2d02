"""Headers of remote files, kept beside the journal of a build, so that no file is opened twice over the network.

What a reader asked of a file until it knew its grid and its blocks is kept with the version of the file. A file that is
opened again is not asked before its pixels are; the first answer tells whether it is still that version. If it is not,
`StaleHeaderError` makes the work begin again, without what was kept.

The processes of one machine share a database; machines share none, since file systems over a network do not lock
reliably. It is a cache: where it cannot be written or is damaged, files are opened as without it.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sqlite3
import struct
import threading
import zlib
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from landloom.errors import TransientFaultError
from landloom.model.address import public
from landloom.store.versions import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Answer = TypeVar("Answer")
LIMIT: Final = 2**30
"""Bytes of a database at most; beyond it, the headers that were kept first are dropped."""
LARGEST: Final = 2**18
"""Bytes of a header that is kept at most."""
_PART: Final = struct.Struct("<QI")
_OFTEN: Final = 256
"""Headers kept between two looks at the size of the database."""
_SCHEMA: Final = """
create table if not exists header (file blob primary key, version text not null, parts blob not null)
"""


class StaleHeaderError(TransientFaultError):
    """A file is not the version any more whose header was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What was asked of a file when it was opened."""

    version: Version
    """Of the file; its size is known."""
    parts: tuple[tuple[int, bytes], ...]
    """First byte and bytes of every part, in order; they neither touch nor overlap."""

    @classmethod
    def of(cls, version: Version, asked: list[tuple[int, bytes]]) -> Header | None:
        """The header of what was asked for; None if it is too large, or nothing would tell another version.

        Example:
            >>> header = Header.of(Version(size=90, etag='"1"'), [(4, b"efgh"), (0, b"abcdef"), (20, b"xy")])
            >>> header.parts
            ((0, b'abcdefgh'), (20, b'xy'))
        """
        parts: list[tuple[int, bytearray]] = []
        for start, data in sorted(asked):
            if parts and start <= parts[-1][0] + len(parts[-1][1]):
                parts[-1][1].extend(data[parts[-1][0] + len(parts[-1][1]) - start :])
            else:
                parts.append((start, bytearray(data)))
        told = version.size is not None and (version.etag or version.modified)
        if not told or sum(len(data) for _, data in parts) > LARGEST:
            return None
        return cls(version=version, parts=tuple((start, bytes(data)) for start, data in parts))

    @property
    def head(self) -> bytes:
        """The first bytes of the file."""
        return self.parts[0][1] if self.parts and self.parts[0][0] == 0 else b""

    def cut(self, start: int, stop: int) -> bytes | None:
        """Bytes from one position to another; None if they are not all in it."""
        for first, data in self.parts:
            if first <= start and stop <= first + len(data):
                return data[start - first : stop - first]
        return None

    def packed(self) -> bytes:
        """Its parts as bytes."""
        return zlib.compress(b"".join(_PART.pack(start, len(data)) + data for start, data in self.parts))

    @classmethod
    def unpacked(cls, version: str, packed: bytes) -> Header:
        """The inverse of `packed`.

        Raises:
            ValueError, zlib.error, struct.error: they are damaged.
        """
        data, at, parts = zlib.decompress(packed), 0, []
        while at < len(data):
            start, size = _PART.unpack_from(data, at)
            at += _PART.size + size
            parts.append((start, data[at - size : at]))
        return cls(version=Version.parse(json.loads(version)), parts=tuple(parts))


class Headers:
    """The headers that a machine has kept in a folder; for several threads, and processes.

    Args:
        folder: of the state of a build; a folder that is not there is not made.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> header = Header.of(Version(size=90, etag='"1"'), [(0, b"II*")])
        >>> with TemporaryDirectory() as folder:
        ...     headers = Headers(Path(folder))
        ...     headers.keep("https://example.org/B04.tif?sig=secret", header)
        ...     headers.of("https://example.org/B04.tif") == header
        ...     headers.close()
        True
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        machine = re.sub(r"[^A-Za-z0-9.-]", "-", platform.node()) or "machine"
        self._path, self._limit = folder / f"{machine}.sqlite", limit
        self._lock, self._since = threading.Lock(), 0
        self._database: sqlite3.Connection | None = None
        if folder.is_dir():
            self._tried(self._open)

    def close(self) -> None:
        """Keep and find nothing more."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None

    def of(self, href: str) -> Header | None:
        """The header that was kept for a file."""
        query = "select version, parts from header where file = ?"
        row = self._tried(lambda: self._do(query, _key(href)).fetchone())
        if row is None:
            return None
        try:
            return Header.unpacked(*row)
        except (ValueError, TypeError, zlib.error, struct.error):
            self.forget(href)
            return None

    def keep(self, href: str, header: Header) -> None:
        """Keep the header of a file, instead of the one before."""
        row = (_key(href), json.dumps(header.version.document()), header.packed())
        self._tried(lambda: self._do("insert or replace into header values (?, ?, ?)", *row))
        self._since += 1
        if self._since % _OFTEN == 0:
            self._tried(self._cut)

    def forget(self, href: str) -> None:
        """Drop the header of a file."""
        self._tried(lambda: self._do("delete from header where file = ?", _key(href)))

    def _open(self) -> None:
        self._database = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
        self._do("pragma journal_mode = wal")
        self._do("pragma synchronous = off")
        self._do(_SCHEMA)

    def _cut(self) -> None:
        """Drop a quarter of a database that is too large."""
        pages, free, size = (
            self._do(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > self._limit:
            self._do(
                "delete from header where rowid in (select rowid from header order by rowid"
                " limit (select count(*) / 4 + 1 from header))"
            )

    def _do(self, query: str, *values: object) -> sqlite3.Cursor:
        if self._database is None:
            raise sqlite3.OperationalError("not open")
        return self._database.execute(query, values)

    def _tried(self, work: Callable[[], Answer]) -> Answer | None:
        """What some work brings; None if the database does not allow it. One that is damaged is begun anew."""
        with self._lock:
            try:
                return work()
            except sqlite3.OperationalError:
                return None
            except sqlite3.DatabaseError:
                self._database = None
                for suffix in ("", "-wal", "-shm"):
                    with suppress(OSError):
                        Path(f"{self._path}{suffix}").unlink()
                return None


def _key(href: str) -> bytes:
    return hashlib.sha256(public(href).encode()).digest()[:16]


@dataclass(frozen=True, slots=True)
class _Use:
    headers: Headers
    afresh: bool


_used: ContextVar[_Use | None] = ContextVar("headers", default=None)


@contextmanager
def kept_headers(folder: Path | None, *, afresh: bool = False) -> Iterator[None]:
    """Keep the headers of the remote files that are opened within, and use those that were kept.

    Args:
        folder: where; nowhere if None.
        afresh: use none that was kept before.
    """
    headers = None if folder is None else Headers(folder)
    token = _used.set(None if headers is None else _Use(headers, afresh))
    try:
        yield
    finally:
        _used.reset(token)
        if headers is not None:
            headers.close()


def kept_header(href: str) -> Header | None:
    """The header of a file, where it is kept and may be used."""
    use = _used.get()
    return None if use is None or use.afresh else use.headers.of(href)


def keep_header(href: str, header: Header | None) -> None:
    """Keep the header of a file, where headers are kept."""
    use = _used.get()
    if use is not None and header is not None:
        use.headers.keep(href, header)


def forget_header(href: str) -> None:
    """Drop the header of a file."""
    use = _used.get()
    if use is not None:
        use.headers.forget(href)
