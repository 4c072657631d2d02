"""The one HTTP client: one policy for retries, redirects, hosts and rates, and faults by status code.

Object stores are read through `landloom.store.objects`, under the same policy (`landloom.store.patience`).
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, Timeout, TooManyRedirects

from landloom.errors import (
    FaultError,
    ForeignAddressError,
    MissingKeyError,
    PermanentFaultError,
    StoreError,
    TransientFaultError,
)
from landloom.model.address import shown
from landloom.store.credentials import bearer
from landloom.store.faults import GONE, http_fault
from landloom.store.hosts import check_host, lead, led_by, redirected
from landloom.store.network.adapter import RetryingAdapter, chunks, refused_redirect, words_of
from landloom.store.network.retrying import Again, Tries
from landloom.store.network.traffic import host_of
from landloom.store.patience import BUSY, Patience, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import IO

Received = TypeVar("Received")
_ADDRESS: Final = re.compile(r"[a-z0-9+.-]+://[^\s'\"()<>]+")


class CutBodyError(TransientFaultError):
    """The connection was dropped while the body of a response arrived."""


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
        """Send; what led here is the document of the session unless the request has one of its own.

        A redirect is sent like the request that led to it: the token of a host goes to that host alone.
        """
        token = bearer(str(request.url))
        if token is not None and "Authorization" not in request.headers:
            request.headers["Authorization"] = f"Bearer {token}"
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
            raise refused_redirect(before, after, refused)
        redirected(before)
        return target


def _why_refused(before: str, after: str) -> str | None:
    try:
        schemes = {urlsplit(before).scheme, "https"}
        if urlsplit(after).scheme not in schemes:
            return f"expected {' or '.join(sorted(schemes))}"
        check_host(after)
    except (ForeignAddressError, ValueError) as error:
        return str(error)
    return None


def new_session(
    patience: Patience | None = None, document: str | None = None, *, twice: bool = False
) -> requests.Session:
    """A session that retries and checks hosts and redirects.

    Args:
        patience: retry policy.
        document: address whose documents name what is requested, if the user does not.
        twice: whether a 404 is believed only the second time.

    Example:
        >>> new_session(Patience(attempts=1)).get_adapter("https://example.org").__class__.__name__
        'RetryingAdapter'
    """
    session = CheckedSession(document)
    for scheme in ("http://", "https://"):
        session.mount(scheme, RetryingAdapter(patience or Patience(), twice=twice))
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

    def once() -> None:
        with answer(session, href, stream=True) as response, path.open("wb") as file:
            save(response, file, patience or Patience())

    whole(href, once, patience)


def whole(href: str, receive: Callable[[], Received], patience: Patience | None = None) -> Received:
    """Repeat a request, from its beginning, as long as its body is cut; `receive` sends it and raises `CutBodyError`.

    Raises:
        TransientFaultError: it was cut every time.
    """

    def verdict(got: object) -> Again | None:
        return Again() if isinstance(got, CutBodyError) else None

    tries = Tries(host_of(href), patience or Patience(), verdict, counted=False)
    try:
        return tries.run(receive)
    except CutBodyError as error:
        raise TransientFaultError(f"{error}{tries.words}") from error


def save(response: requests.Response, file: IO[bytes], patience: Patience) -> int:
    """Write the decoded body of a streamed response to a file; returns the number of bytes.

    Raises:
        CutBodyError: the body is incomplete, too slow, or its encoding is broken.
    """
    href, size = shown(str(response.url)), 0
    try:
        for chunk in chunks(response, patience):
            file.write(chunk)
            size += len(chunk)
    except requests.RequestException as error:
        raise CutBodyError(f"{href}: {plain_reason(error)}") from error
    announced = response.headers.get("Content-Length")
    if announced is not None and "Content-Encoding" not in response.headers and int(announced) != size:
        raise CutBodyError(f"{href}: got {size} bytes, expected {announced}")
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
        raise http_fault(response.status_code, f"{shown(href)}{hops}", words_of(response))
    return response


def plain_reason(error: BaseException) -> str:
    """The innermost cause of an error, without addresses, which may contain secrets, and how often it was tried."""
    return _innermost(error) + "".join(getattr(error, "__notes__", ()))


def _innermost(error: BaseException) -> str:
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


def asked_to_wait(href: str, method: str = "HEAD") -> float | None:
    """Seconds that a busy server asks to wait; None if it does not ask, or is not busy."""
    with suppress(requests.RequestException, StoreError, FaultError), new_session(Patience(attempts=1)) as session:
        found = session.request(method, href, timeout=10, headers={"Range": "bytes=0-0"})
        return retry_after(found.headers.get("Retry-After")) if found.status_code in BUSY else None
    return None


def first_bytes(session: requests.Session, href: str, count: int) -> bytes:
    """The first bytes of a body; a server without ranges sends more, which is not read.

    Raises:
        MissingKeyError: there is nothing at that address.
        TransientFaultError: it is temporarily unavailable.
        PermanentFaultError: its host may not be contacted.
    """

    def once() -> bytes:
        body = bytearray()
        with answer(session, href, stream=True, headers={"Range": f"bytes=0-{count - 1}"}) as response:
            try:
                for chunk in chunks(response, Patience()):
                    body += chunk
                    if len(body) >= count:
                        break
            except requests.RequestException as error:
                raise CutBodyError(f"{shown(href)}: {plain_reason(error)}") from error
        return bytes(body[:count])

    return whole(href, once)


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
