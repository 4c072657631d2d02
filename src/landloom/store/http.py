"""The one HTTP client: one policy for retries, redirects, hosts and rates, and faults by status code.

Object stores are read through `landloom.store.objects`, under the same policy (`landloom.store.patience`).
"""

from __future__ import annotations

import re
from contextlib import closing, suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    Timeout,
    TooManyRedirects,
)
from requests.exceptions import ConnectionError as CutConnectionError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, retry_if_result, stop_after_attempt
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from landloom.errors import ForeignAddressError, MissingKeyError, PermanentFaultError, TransientFaultError
from landloom.model.address import shown
from landloom.store.faults import GONE, http_fault
from landloom.store.hosts import check_again, check_host, check_peer, lead, led_by, redirected
from landloom.store.patience import BUSY, WORTH_RETRYING, Patience, Rate, retry_after

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import IO

_CHUNK: Final = 1 << 20
_LARGEST: Final = 1 << 29
"""Largest number of bytes of a document that is held in memory."""
_ADDRESS: Final = re.compile(r"[a-z0-9+.-]+://[^\s'\"()<>]+")
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


class RetryingAdapter(HTTPAdapter):
    """Repeats a request after dropped or slow connections, timeouts, 429 and 5xx, but not after other 4xx.

    Hosts that may not be contacted (`landloom.store.hosts`) are refused; after a redirect that is a transient fault.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        super().__init__(pool_maxsize=64)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Use connections that check the peer's address."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _CheckedPool, "https": _CheckedTlsPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send, read the body unless it is streamed, and retry; returns the last response, whatever its status."""
        check_host(str(request.url))
        if not options.get("timeout"):
            options["timeout"] = self._patience.timeout
        stream = bool(options.get("stream", False))
        options["stream"] = True

        def once() -> requests.Response:
            response = self._send_once(request, *args, **options)
            if not stream or response.status_code in WORTH_RETRYING:
                _read_here(response, self._patience)
            return response

        retrying = Retrying(
            stop=stop_after_attempt(self._patience.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(_CUT) | retry_if_result(self._is_passing),
            retry_error_callback=_last,
            sleep=self._patience.sleep,
        )
        response: requests.Response = retrying(once)
        return response

    def _send_once(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        try:
            check_again(urlsplit(str(request.url)).hostname or "")
            return super().send(request, *args, **options)
        except ForeignAddressError as error:
            led = lead()
            if led is None or not led.redirect:
                raise
            raise _refused_redirect(led.document, str(request.url), str(error)) from error

    def _is_passing(self, response: requests.Response) -> bool:
        return response.status_code in WORTH_RETRYING and (_asked(response) or 0.0) <= self._patience.longest_asked

    def _wait(self, state: RetryCallState) -> float:
        outcome = state.outcome
        asked = _asked(outcome.result()) if outcome is not None and not outcome.failed else None
        return self._patience.pause(state.attempt_number, asked)


def _read_here(response: requests.Response, patience: Patience) -> None:
    """Read the body here, so that a dropped connection is retried."""
    body = bytearray()
    for chunk in chunks(response, patience):
        body += chunk
        if len(body) > _LARGEST:
            raise TransientFaultError(f"{shown(str(response.url))}: got more than {_LARGEST:,} bytes")
    response.raw = BytesIO(body)


def chunks(response: requests.Response, patience: Patience) -> Iterator[bytes]:
    """Yield the decoded body of a streamed response as it arrives.

    Raises:
        requests.RequestException: the connection was dropped, silent for `patience.timeout` seconds or slower than
            `patience.least_rate`; or the body cannot be decoded.
    """
    rate = Rate(patience)
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            yield chunk
            if not rate.keeps(len(chunk)):
                raise Timeout(f"fewer than {patience.least_rate:.0f} bytes a second", response=response)
    except HTTPError as error:
        raise ChunkedEncodingError(error, response=response) from error
    finally:
        response.close()


def _asked(response: requests.Response) -> float | None:
    return retry_after(response.headers.get("Retry-After"))


def _last(state: RetryCallState) -> requests.Response:
    if state.outcome is None:
        raise TransientFaultError("no answer")
    response: requests.Response = state.outcome.result()
    return response


class CheckedSession(requests.Session):
    """A session that follows redirects only to allowed hosts and never to a less secure or another scheme.

    Credentials are not sent to another host (`requests` removes them).

    Args:
        document: address whose documents name what is requested, if the user does not.
    """

    def __init__(self, document: str | None = None) -> None:
        super().__init__()
        self._document = document

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send; what led here is the document of the session unless the request has one of its own."""
        led = lead()
        with led_by(self._document) if led is None else led_by(led.document, redirect=led.redirect):
            return super().send(request, **options)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """The target of a redirect, if any.

        Raises:
            TransientFaultError: the target is not allowed.
        """
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        before, after = str(resp.url), urljoin(str(resp.url), target)
        refused = _why_refused(before, after)
        if refused is not None:
            raise _refused_redirect(before, after, refused)
        redirected(before)
        return target


def _refused_redirect(before: str, after: str, why: str) -> TransientFaultError:
    return TransientFaultError(f"{shown(before)}: redirects to {shown(after)}, refused: {why}")


def _why_refused(before: str, after: str) -> str | None:
    try:
        schemes = {urlsplit(before).scheme, "https"}
        if urlsplit(after).scheme not in schemes:
            return f"expected {' or '.join(sorted(schemes))}"
        check_host(after)
    except (ForeignAddressError, ValueError) as error:
        return str(error)
    return None


def new_session(patience: Patience | None = None, document: str | None = None) -> requests.Session:
    """A session that retries and checks hosts and redirects.

    Args:
        patience: retry policy.
        document: address whose documents name what is requested, if the user does not.

    Example:
        >>> new_session(Patience(attempts=1)).get_adapter("https://example.org").__class__.__name__
        'RetryingAdapter'
    """
    session = CheckedSession(document)
    for scheme in ("http://", "https://"):
        session.mount(scheme, RetryingAdapter(patience or Patience()))
    return session


def get(session: requests.Session, href: str, document: str | None = None) -> bytes:
    """The body of a response.

    Args:
        session: of `new_session`.
        href: address.
        document: address of the document that names it; None if the user does.

    Raises:
        MissingKeyError: there is no such file.
        TransientFaultError: it is temporarily unavailable.
        PermanentFaultError: its host may not be contacted.
    """
    with answer(session, href, document=document) as response:
        content: bytes = response.content
        return content


def download(session: requests.Session, href: str, path: Path, patience: Patience | None = None) -> None:
    """Write the body of a response to a file, in bounded memory.

    Raises:
        MissingKeyError: there is no such file.
        TransientFaultError: it is temporarily unavailable, or the body is incomplete.
        PermanentFaultError: its host may not be contacted.
    """
    with answer(session, href, stream=True) as response, path.open("wb") as file:
        save(response, file, patience or Patience())


def save(response: requests.Response, file: IO[bytes], patience: Patience) -> int:
    """Write the decoded body of a streamed response to a file; returns the number of bytes.

    Raises:
        TransientFaultError: the body is incomplete, too slow, or its encoding is broken.
    """
    href, size = shown(str(response.url)), 0
    try:
        for chunk in chunks(response, patience):
            file.write(chunk)
            size += len(chunk)
    except requests.RequestException as error:
        raise TransientFaultError(f"{href}: {plain_reason(error)}") from error
    announced = response.headers.get("Content-Length")
    if announced is not None and "Content-Encoding" not in response.headers and int(announced) != size:
        raise TransientFaultError(f"{href}: got {size} bytes, expected {announced}")
    return size


def answer(
    session: requests.Session,
    href: str,
    *,
    stream: bool = False,
    headers: Mapping[str, str] | None = None,
    accept: frozenset[int] = frozenset(),
    method: str = "GET",
    document: str | None = None,
) -> requests.Response:
    """A successful response, or one with a status in `accept`; with `stream`, its body is still unread.

    `document` is the address of the document that names this one; None if the user does.

    Raises:
        MissingKeyError: there is nothing at that address.
        TransientFaultError: any other failure.
        PermanentFaultError: the host may not be contacted, or the address is invalid.
    """
    try:
        with led_by(document):
            response = session.request(method, href, stream=stream, headers=headers)
    except (InvalidURL, InvalidSchema, MissingSchema) as error:
        raise PermanentFaultError(f"{shown(href)}: not a valid address") from error
    except (requests.RequestException, UnicodeError, ValueError) as error:
        raise TransientFaultError(f"{shown(href)}: {plain_reason(error)}") from error
    if not response.ok and response.status_code not in accept:
        response.close()
        if response.status_code in GONE:
            raise MissingKeyError(f"{shown(href)}: HTTP {response.status_code}")
        hops = f" after a redirect to {shown(str(response.url))}" if response.history else ""
        raise http_fault(response.status_code, f"{shown(href)}{hops}")
    return response


def plain_reason(error: BaseException) -> str:
    """The innermost cause of an error, without addresses, which may contain secrets."""
    *_, deepest = _causes(error)
    if isinstance(error, TooManyRedirects):
        return "redirects without end"
    if isinstance(deepest, TimeoutError | Timeout) or isinstance(error, Timeout):
        return str(deepest) if "bytes a second" in str(deepest) else "timed out"
    if isinstance(deepest, OSError) and deepest.strerror:
        return deepest.strerror
    return _ADDRESS.sub(lambda found: shown(found[0]), str(deepest)) or type(deepest).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        inner = [one for one in link.args if isinstance(one, BaseException)]
        reason = getattr(link, "reason", None)
        link = reason if isinstance(reason, BaseException) else (inner[0] if inner else None)


def asked_to_wait(href: str) -> float | None:
    """Seconds that a busy server asks to wait; None if it does not ask, or is not busy."""
    with suppress(requests.RequestException), closing(requests.Session()) as session:
        found = session.head(href, timeout=10)
        return retry_after(found.headers.get("Retry-After")) if found.status_code in BUSY else None
    return None


def first_bytes(session: requests.Session, href: str, count: int) -> bytes:
    """The first bytes of a body; a server without ranges sends more, which is not read.

    Raises:
        MissingKeyError: there is nothing at that address.
        TransientFaultError: it is temporarily unavailable.
        PermanentFaultError: its host may not be contacted.
    """
    body = bytearray()
    with answer(session, href, stream=True, headers={"Range": f"bytes=0-{count - 1}"}) as response:
        try:
            for chunk in chunks(response, Patience()):
                body += chunk
                if len(body) >= count:
                    break
        except requests.RequestException as error:
            raise TransientFaultError(f"{shown(href)}: {plain_reason(error)}") from error
    return bytes(body[:count])


def version_of(session: requests.Session, href: str) -> str | None:
    """What identifies this version of a body: its ETag, or its time of change and size; None without any.

    Raises:
        MissingKeyError: there is nothing at that address.
        TransientFaultError: it is temporarily unavailable.
        PermanentFaultError: its host may not be contacted.
    """
    with answer(session, href, stream=True) as response:
        headers = response.headers
        if "ETag" in headers:
            return str(headers["ETag"])
        if "Last-Modified" in headers and "Content-Length" in headers:
            return f"{headers['Last-Modified']} {headers['Content-Length']}"
        return None
