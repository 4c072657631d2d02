"""How a session sends requests: only to hosts that may be contacted, several times if need be."""

from __future__ import annotations

import re
import weakref
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, Timeout
from requests.exceptions import ConnectionError as CutConnectionError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from landloom.errors import ForeignAddressError, TransientFaultError
from landloom.model.address import shown
from landloom.store.hosts import check_again, check_host, check_peer, lead
from landloom.store.network.retrying import Again, Tries
from landloom.store.network.traffic import host_of, slots_of
from landloom.store.patience import ABSENT, WORTH_RETRYING, Patience, Rate, retry_after

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

_CHUNK: Final = 1 << 20
_LARGEST: Final = 1 << 29
"""Largest number of bytes of a document that is held in memory."""
_HELD: Final = 1 << 26
"""Bytes of the largest range that is received within a try."""
_SPAN: Final = re.compile(r"bytes=(\d+)-(\d+)")
_CUT: Final = (CutConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError)


class _CheckedConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


class _CheckedTlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


class _CheckedPool(HTTPConnectionPool):
    ConnectionCls = _CheckedConnection


class _CheckedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTlsConnection


def _checked(sock: socket.socket, host: str) -> socket.socket:
    try:
        check_peer(str(sock.getpeername()[0]), host)
    except ForeignAddressError:
        sock.close()
        raise
    return sock


class _Body(BytesIO):
    """A body that was received and decoded."""

    def read1(self, size: int | None = -1, /, **_: bool) -> bytes:
        return super().read1(-1 if size is None else size)

    def read(self, size: int | None = -1, /, **_: bool) -> bytes:
        return super().read(size)


class RetryingAdapter(HTTPAdapter):
    """Repeats a request after dropped or slow connections, timeouts, 429 and 5xx, but not after other 4xx.

    Where what is asked for was named by a catalogue, a 404 is not believed at once: it is asked for once more. Hosts
    that may not be contacted (`landloom.store.hosts`) are refused; after a redirect that is a transient fault.
    """

    def __init__(self, patience: Patience, *, twice: bool = False) -> None:
        self._patience, self._twice = patience, twice
        super().__init__(pool_maxsize=64)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Use connections that check the peer's address."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _CheckedPool, "https": _CheckedTlsPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send, and retry; returns the last response, whatever its status, with a note of the tries (`words`).

        The body is received within a try, unless it is streamed and more than a short range.
        """
        check_host(str(request.url))
        if not options.get("timeout"):
            options["timeout"] = self._patience.timeout
        stream = bool(options.get("stream", False))
        options["stream"] = True
        verdict, size = _Verdict(twice=self._twice), _expected(request)
        tries = Tries(host_of(str(request.url)), self._patience, verdict, size=size)

        def once() -> requests.Response:
            response = self._send_once(request, *args, **options)
            if not stream or response.status_code in WORTH_RETRYING or _is_short(request, response):
                _receive(response, self._patience)
            return response

        response = tries.run(once)
        response.words = tries.words  # type: ignore[attr-defined]
        return response

    def _send_once(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        slots = slots_of(str(request.url))
        try:
            check_again(urlsplit(str(request.url)).hostname or "")
            if slots is None:
                return super().send(request, *args, **options)
            slots.take()
            try:
                response = super().send(request, *args, **options)
            except BaseException:
                slots.give()
                raise
        except ForeignAddressError as error:
            led = lead()
            if led is None or not led.redirect:
                raise
            raise refused_redirect(led.document, str(request.url), str(error)) from error
        give = weakref.finalize(response, slots.give)
        close = response.close

        def closed() -> None:
            close()
            give()

        response.close = closed  # type: ignore[method-assign]
        return response


def refused_redirect(before: str, after: str, why: str) -> TransientFaultError:
    """The fault of a redirect that is not followed."""
    return TransientFaultError(f"{shown(before)}: redirects to {shown(after)}, refused: {why}")


def words_of(response: requests.Response) -> str:
    """What to add to the reason of a response that is a failure: after how many tries."""
    return str(getattr(response, "words", ""))


class _Verdict:
    """Whether a request is worth another try.

    Args:
        twice: whether a 404 is, the first time.
    """

    def __init__(self, *, twice: bool) -> None:
        self._doubts = twice

    def __call__(self, got: object) -> Again | None:
        if not isinstance(got, requests.Response):
            return Again() if isinstance(got, _CUT) else None
        if got.status_code == ABSENT and self._doubts:
            self._doubts = False
            return Again()
        return Again(retry_after(got.headers.get("Retry-After"))) if got.status_code in WORTH_RETRYING else None


def _expected(request: requests.PreparedRequest) -> int:
    """Bytes of the range that is asked for; 0 if none is."""
    found = _SPAN.fullmatch(str(request.headers.get("Range", "")))
    return 0 if found is None else int(found[2]) - int(found[1]) + 1


def _is_short(request: requests.PreparedRequest, response: requests.Response) -> bool:
    """Whether a response holds a short range that was asked for."""
    return response.status_code == 206 and 0 < _expected(request) <= _HELD


def _receive(response: requests.Response, patience: Patience) -> None:
    """Receive the body here, so that a dropped connection is retried."""
    body = bytearray()
    for chunk in chunks(response, patience):
        body += chunk
        if len(body) > _LARGEST:
            raise TransientFaultError(f"{shown(str(response.url))}: got more than {_LARGEST:,} bytes")
    response.raw = _Body(body)


def chunks(response: requests.Response, patience: Patience) -> Iterator[bytes]:
    """Yield the decoded body of a streamed response as it arrives.

    Raises:
        requests.RequestException: the connection was dropped, silent for `patience.timeout` seconds or slower than
            `patience.least_rate`; or the body cannot be decoded.
    """
    rate, host = Rate(patience), host_of(str(response.url))
    held = isinstance(response.raw, _Body)
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            if not held:
                host.count(size=len(chunk))
            yield chunk
            if not held and not rate.keeps(len(chunk)):
                raise Timeout(f"fewer than {patience.least_rate:.0f} bytes a second", response=response)
    except HTTPError as error:
        raise ChunkedEncodingError(error, response=response) from error
    finally:
        response.close()
