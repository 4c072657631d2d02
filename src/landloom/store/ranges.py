"""Remote files by byte ranges: GDAL reads remote rasters through landloom's client, never through its own.

So rasters share the policy for retries, redirects, hosts, rates and faults, and GDAL has no network access. A range is
accepted only if it belongs to the version that was opened (size and ETag, or Last-Modified): replacing a file while it
is read is a transient fault, and never mixes versions.
"""

from __future__ import annotations

import io
import os
import tempfile
from functools import cache
from typing import IO, TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from landloom.errors import (
    FaultError,
    InvalidInputError,
    MissingKeyError,
    PermanentFaultError,
    StoreError,
    TransientFaultError,
)
from landloom.model.address import shown
from landloom.store.credentials import requested
from landloom.store.hosts import check_host
from landloom.store.http import answer, new_session, save, whole
from landloom.store.objects import ObjectStore
from landloom.store.patience import Patience
from landloom.store.versions import PLAIN, Version, note_version, stated_range

if TYPE_CHECKING:
    import requests

BLOCK: Final = 64 * 2**10
"""Bytes of the smallest request; the first one brings the header of most files."""
_EMPTY: Final = frozenset({416})
"""Status code for the first bytes of an empty file."""


class ChangedFileError(TransientFaultError):
    """A file is another version than the one that was opened."""


class Source(Protocol):
    """A version of a remote file."""

    size: int
    """Size in bytes."""
    head: bytes
    """The first bytes, up to `BLOCK`."""
    version: Version
    """What tells it from other versions."""

    def part(self, start: int, stop: int) -> bytes:
        """Bytes from `start` to `stop`, both within the file.

        Raises:
            PermanentFaultError: the file is gone.
            ChangedFileError: it is another version.
            TransientFaultError: it is temporarily unreadable.
        """
        ...

    def close(self) -> None:
        """Release its resources."""
        ...


def open_source(
    href: str, patience: Patience | None = None, document: str | None = None, known: Version | None = None
) -> Source:
    """Open a remote file.

    Args:
        href: URL: `http(s)`, or any that `landloom.store.open.open_store` accepts.
        patience: retry policy; that of object stores is set when they are opened.
        document: address of the document that names it; None if the user does.
        known: the version that it is expected to be, with its size; it is not asked before a part of it is read, and
            has no head. By default, it is asked for its first bytes.

    Raises:
        PermanentFaultError: there is no such file, or its host may not be contacted.
        TransientFaultError: it is temporarily unreadable.
    """
    check_host(href)
    web = urlsplit(href).scheme in {"http", "https"}
    try:
        source: Source = _WebFile(href, patience or Patience(), document, known) if web else _StoredFile(href, known)
    except InvalidInputError as error:
        raise PermanentFaultError(str(error)) from error
    except PermanentFaultError:
        note_version(href, Version(absent=True))
        raise
    note_version(href, source.version)
    return source


class _WebFile:
    """A file on a web server: by ranges, or as a whole copy if the server does not support ranges."""

    def __init__(self, href: str, patience: Patience, document: str | None, known: Version | None) -> None:
        self._href, self._patience, self._document = href, patience, document
        self._redirected: str | None = None
        self._session = _session(os.getpid(), patience)
        self._copy: IO[bytes] | None = None
        if known is not None:
            self.version, self.size, self.head = known, known.size or 0, b""
            return
        response = self._answer(0, BLOCK)
        if response.status_code == 416:
            response = self._answered_whole()
        if response.status_code == 206 and "Content-Encoding" not in response.headers:
            self.version, self.size = self._versioned(response, 0)
            self.head = self._body(response, min(BLOCK, self.size))
        else:
            self._copy = self._whole(response)
            self.size = self._copy.seek(0, os.SEEK_END)
            self.version = Version.of_headers(response.headers, None)
            self.head = self.part(0, min(BLOCK, self.size))

    def part(self, start: int, stop: int) -> bytes:
        """See `Source.part`."""
        if self._copy is not None:
            return os.pread(self._copy.fileno(), stop - start, start)
        response = self._answer(start, stop)
        if response.status_code != 206 or self._versioned(response, start)[0].differs(self.version):
            response.close()
            raise ChangedFileError(f"{shown(self._href)}: the file changed while it was being read")
        return self._body(response, stop - start)

    def close(self) -> None:
        """See `Source.close`."""
        if self._copy is not None:
            self._copy.close()

    def _answer(self, start: int, stop: int) -> requests.Response:
        """Request from the target of the last redirect while it responds; its signature may expire."""
        headers = {"Range": f"bytes={start}-{stop - 1}", **PLAIN}
        if self._redirected is not None:
            try:
                return answer(self._session, self._redirected, stream=True, headers=headers, document=self._href)
            except (FaultError, MissingKeyError):
                self._redirected = None
        try:
            response = answer(
                self._session,
                requested(self._href),
                stream=True,
                headers=headers,
                accept=_EMPTY,
                document=self._document,
            )
        except MissingKeyError as error:
            raise PermanentFaultError(str(error)) from error
        self._redirected = str(response.url) if response.history else None
        return response

    def _answered_whole(self) -> requests.Response:
        return answer(self._session, requested(self._href), stream=True, headers=PLAIN, document=self._document)

    def _versioned(self, response: requests.Response, start: int) -> tuple[Version, int]:
        first, size = stated_range(response.headers) or (None, None)
        if first != start or size is None:
            response.close()
            raise TransientFaultError(f"{shown(self._href)}: got no range of a known file from byte {start}")
        return Version.of_headers(response.headers, size), size

    def _body(self, response: requests.Response, length: int) -> bytes:
        body = io.BytesIO()
        save(response, body, self._patience)
        if body.tell() != length:
            raise TransientFaultError(f"{shown(self._href)}: got {body.tell()} bytes, expected {length}")
        return body.getvalue()

    def _whole(self, response: requests.Response) -> IO[bytes]:
        """A copy of the file; if the first response is cut, of what the server sends when it is asked again."""
        copy: IO[bytes] = tempfile.TemporaryFile(prefix="landloom-")  # noqa: SIM115 - lives as long as the file
        first: list[requests.Response] = [response]

        def receive() -> None:
            copy.truncate(copy.seek(0))
            save(first.pop() if first else self._answered_whole(), copy, self._patience)

        try:
            whole(self._href, receive, self._patience)
            copy.flush()
        except BaseException:
            copy.close()
            raise
        return copy


class _StoredFile:
    """A file in an object store."""

    def __init__(self, href: str, known: Version | None) -> None:
        folder, _, self._key = href.rpartition("/")
        self._href, self._store = href, _store(os.getpid(), folder)
        if known is not None:
            self.version, self.size, self.head = known, known.size or 0, b""
            return
        self.head, self.size, etag = self._asked(0, BLOCK, None)
        self.version = Version(size=self.size, etag=etag)

    def part(self, start: int, stop: int) -> bytes:
        """See `Source.part`."""
        data, size, etag = self._asked(start, stop, self.version.etag)
        if Version(size=size, etag=etag).differs(self.version):
            raise ChangedFileError(f"{shown(self._href)}: the file changed while it was being read")
        return data

    def close(self) -> None:
        """See `Source.close`."""

    def _asked(self, start: int, stop: int, etag: str | None) -> tuple[bytes, int, str | None]:
        try:
            return self._store.part(self._key, start, stop, etag)
        except MissingKeyError as error:
            raise PermanentFaultError(str(error)) from error
        except StoreError as error:
            kind = TransientFaultError if etag is None else ChangedFileError
            raise kind(str(error)) from error


@cache
def _session(process: int, patience: Patience) -> requests.Session:  # noqa: ARG001 - connections are not inherited
    return new_session(patience, twice=True)


@cache
def _store(process: int, folder: str) -> ObjectStore:  # noqa: ARG001
    return ObjectStore(folder)
