"""Files on a web server, read-only: any server that answers GET.

Ranges, lengths and HEAD are used where the server has them. Where it has not, a file is read whole, and kept for the
reads that follow. What a server compresses on its way is decoded.
"""

from __future__ import annotations

import zlib
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError

from landloom.errors import MissingKeyError, StoreError, TransientFaultError
from landloom.model.address import shown
from landloom.store.credentials import keep, requested
from landloom.store.http import CutBodyError, answer, new_session, plain_reason, whole
from landloom.store.network.adapter import chunks
from landloom.store.patience import Patience
from landloom.store.protocol import check_key
from landloom.store.versions import PLAIN, stated_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.store.protocol import Entry

_KEPT: Final = 256 << 20
"""Bytes of the largest file that is kept for further reads."""
_NO_HEAD: Final = frozenset({400, 403, 405, 501})
"""Answers of servers that know no HEAD, or that signed another method."""
_GZIP: Final = b"\x1f\x8b"
_GZIP_FRAME: Final = 31
"""zlib's window bits for a gzip frame."""
_UNFOLDED: Final = 1 << 29
"""Bytes of the largest file within a second layer."""


class WebStore:
    """Files below an address on a web server.

    Args:
        uri: the address; a login or a signature in it is used and never shown.
        patience: retries.

    Example:
        >>> WebStore("https://user:secret@example.org/corpus/").href("imagery/a b.tif")
        'https://example.org/corpus/imagery/a%20b.tif'
    """

    def __init__(self, uri: str, patience: Patience | None = None) -> None:
        self._uri = keep(uri).rstrip("/")
        self._patience = patience
        self._session: requests.Session | None = None
        self._whole: tuple[str, bytes] = ("", b"")

    def __repr__(self) -> str:
        return f"WebStore({self._uri!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return WebStore, (requested(self._uri), self._patience)

    @property
    def uri(self) -> str:
        """Where it is, without credentials."""
        return self._uri

    def href(self, key: str) -> str:
        """URL of a file, without credentials."""
        base, mark, query = self._uri.partition("?")
        return f"{base}/{quote(check_key(key))}{mark}{query}"

    def get(self, key: str) -> bytes:
        """The whole file; errors as in `protocol.Readable`."""
        if key == self._whole[0]:
            return self._whole[1]

        def once() -> bytes:
            with closing(self._answer("GET", key, stream=key.endswith(".gz"))) as response:
                return self._body(response, key)

        return whole(self.href(key), once, self._patience)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; errors as in `protocol.Readable`."""
        if key == self._whole[0] or length == 0:
            return self._cut(key, self.get(key), start, length) if length else self.get(key)[:0]
        wanted = {"Range": f"bytes={start}-{start + length - 1}", **PLAIN}
        with closing(self._answer("GET", key, wanted, accept=frozenset({416}))) as response:
            if response.status_code == 416:
                raise StoreError(f"{self.href(key)} is too short: expected {length} bytes from {start}")
            data = self._body(response, key)
            if response.status_code == 206:
                stated = stated_range(response.headers)
                if stated is None or stated[0] != start:
                    raise TransientFaultError(f"{self.href(key)}: got another range than bytes {start} onward")
                return self._cut(key, data, 0, length)
        if len(data) <= _KEPT:
            self._whole = key, data
        return self._cut(key, data, start, length)

    def _cut(self, key: str, data: bytes, start: int, length: int) -> bytes:
        found = data[start : start + length]
        if len(found) != length:
            raise StoreError(f"{self.href(key)} is too short: got {len(found)} bytes from {start}, expected {length}")
        return found

    def size(self, key: str) -> int:
        """Length in bytes; errors as in `protocol.Readable`."""
        with closing(self._head(key)) as response:
            length = response.headers.get("Content-Length", "")
            if response.status_code < 300 and length.isdigit() and "Content-Encoding" not in response.headers:
                return int(length)
        return len(self.get(key))

    def exists(self, key: str) -> bool:
        """Whether there is a file of that key."""
        try:
            with closing(self._head(key)) as response:
                if response.status_code < 300:
                    return True
            self._answer("GET", key, PLAIN, stream=True).close()
        except MissingKeyError:
            return False
        return True

    def version(self, key: str) -> str:
        """What a server says that changes with a file: ETag, time of change and size; nothing without the first two.

        Raises:
            MissingKeyError: there is no such file.
            TransientFaultError: the server does not answer.
        """
        with closing(self._head(key)) as response:
            headers = response.headers if response.status_code < 300 else {}
            told = [str(headers.get(name, "")) for name in ("ETag", "Last-Modified", "Content-Length")]
        return " ".join(told) if told[0] or told[1] else ""

    def _head(self, key: str) -> requests.Response:
        return self._answer("HEAD", key, PLAIN, accept=_NO_HEAD)

    def put(self, key: str, data: bytes | memoryview, *, durable: bool = True) -> None:  # noqa: ARG002 - of the protocol
        """A web server takes no files.

        Raises:
            StoreError: always.
        """
        del data
        raise StoreError(f"{self.href(key)}: a web server can only be read from")

    def create(self, key: str, data: bytes | memoryview) -> bool:
        """A web server takes no files.

        Raises:
            StoreError: always.
        """
        self.put(key, data)
        return False

    def delete(self, key: str) -> None:
        """A web server deletes no files.

        Raises:
            StoreError: always.
        """
        self.put(key, b"")

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """A web server lists no files.

        Raises:
            StoreError: always.
        """
        raise StoreError(f"{self._uri}: a web server does not list the files below {prefix!r}")

    def _answer(
        self,
        method: str,
        key: str,
        headers: dict[str, str] | None = None,
        *,
        stream: bool = False,
        accept: frozenset[int] = frozenset(),
    ) -> requests.Response:
        if self._session is None:
            self._session = new_session(self._patience)
        href = requested(self.href(key))
        return answer(self._session, href, stream=stream, headers=headers, accept=accept, method=method)

    def _body(self, response: requests.Response, key: str) -> bytes:
        """The decoded body, whole."""
        data: bytes = b"".join(self._chunks(response, key)) if key.endswith(".gz") else response.content
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and "Content-Encoding" not in response.headers and int(length) != len(data):
            raise CutBodyError(f"{shown(self.href(key))}: got {len(data)} bytes, expected {length}")
        return data

    @contextmanager
    def stream(self, key: str) -> Iterator[Iterator[bytes]]:
        """A whole file, decoded, piece by piece; errors as of `get`, also while pieces are taken."""
        with closing(self._answer("GET", key, PLAIN, stream=True)) as response:
            yield self._chunks(response, key)

    def _chunks(self, response: requests.Response, key: str) -> Iterator[bytes]:
        """The decoded body; of a file that is published compressed, the compressed one."""
        try:
            if key.endswith(".gz") and response.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip"):
                yield _compressed_once(response.raw.read(decode_content=False))
            else:
                yield from chunks(response, self._patience or Patience())
        except (requests.RequestException, HTTPError) as error:
            raise CutBodyError(f"{shown(self.href(key))}: {plain_reason(error)}") from error


def _compressed_once(body: bytes) -> bytes:
    """A gzip file whose server says `Content-Encoding: gzip`: of itself, or of one more layer around it.

    Raises:
        TransientFaultError: the outer layer unfolds to more than `_UNFOLDED` bytes.
    """
    outer = zlib.decompressobj(_GZIP_FRAME)
    try:
        if not outer.decompress(body, len(_GZIP)).startswith(_GZIP):
            return body
        inner = zlib.decompressobj(_GZIP_FRAME).decompress(body, _UNFOLDED)
    except zlib.error:
        return body
    if len(inner) == _UNFOLDED:
        raise TransientFaultError(f"got more than {_UNFOLDED:,} bytes, expected a file that is compressed once")
    return inner
