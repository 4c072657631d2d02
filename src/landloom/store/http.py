"""The one HTTP client: retries that know what is worth one, and faults by their name.

What object stores keep is read through `landloom.store.objects`, under the same policy (`landloom.store.patience`).
"""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, Timeout
from requests.exceptions import ConnectionError as CutConnectionError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, retry_if_result, stop_after_attempt

from landloom.errors import MissingKeyError, PermanentFaultError, TransientFaultError
from landloom.store.patience import BUSY, GONE, WORTH_RETRYING, Patience, retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK: Final = 1 << 20
_CUT: Final = (CutConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError)


class RetryingAdapter(HTTPAdapter):
    """Sends a request again on cut connections, timeouts, 429 and 5xx, never on another 4xx."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send, read the body unless it is streamed, and retry; the last answer comes back whatever it is."""
        if not options.get("timeout"):
            options["timeout"] = self._patience.timeout
        stream = bool(options.get("stream", False))

        def once() -> requests.Response:
            response = HTTPAdapter.send(self, request, *args, **options)
            if not stream or response.status_code in WORTH_RETRYING:
                response.content  # noqa: B018 - reads the body here, where a cut connection is retried
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

    def _is_passing(self, response: requests.Response) -> bool:
        return response.status_code in WORTH_RETRYING and (_asked(response) or 0.0) <= self._patience.longest_asked

    def _wait(self, state: RetryCallState) -> float:
        outcome = state.outcome
        asked = _asked(outcome.result()) if outcome is not None and not outcome.failed else None
        return self._patience.pause(state.attempt_number, asked)


def _asked(response: requests.Response) -> float | None:
    return retry_after(response.headers.get("Retry-After"))


def _last(state: RetryCallState) -> requests.Response:
    if state.outcome is None:
        raise TransientFaultError("no answer")
    response: requests.Response = state.outcome.result()
    return response


def retrying(session: requests.Session, patience: Patience) -> requests.Session:
    """Make a session retry; returns it."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, RetryingAdapter(patience))
    return session


def new_session(patience: Patience | None = None) -> requests.Session:
    """A session that retries.

    Example:
        >>> new_session(Patience(attempts=1)).get_adapter("https://example.org").__class__.__name__
        'RetryingAdapter'
    """
    return retrying(requests.Session(), patience or Patience())


def fault_of(status: int, what: str) -> PermanentFaultError | TransientFaultError:
    """The error for an HTTP status that is no success (DESIGN section 3).

    Example:
        >>> type(fault_of(503, "https://example.org")).__name__
        'TransientFaultError'
        >>> str(fault_of(403, "a.json"))
        'a.json: HTTP 403'
    """
    message = f"{what}: HTTP {status}"
    return TransientFaultError(message) if status in WORTH_RETRYING else PermanentFaultError(message)


def get(session: requests.Session, href: str) -> bytes:
    """The body of an answer.

    Raises:
        MissingKeyError: it is not there.
        TransientFaultError: it cannot be had just now.
        PermanentFaultError: it can never be had.
    """
    with _answer(session, href) as response:
        content: bytes = response.content
        return content


def download(session: requests.Session, href: str, path: Path) -> None:
    """Write the body of an answer to a file, in bounded memory.

    Raises:
        MissingKeyError: it is not there.
        TransientFaultError: it cannot be had just now, or came short.
        PermanentFaultError: it can never be had.
    """
    with _answer(session, href, stream=True) as response, path.open("wb") as file:
        for chunk in _chunks(response, href):
            file.write(chunk)
        announced = response.headers.get("Content-Length")
    if announced is not None and "Content-Encoding" not in response.headers and int(announced) != path.stat().st_size:
        raise TransientFaultError(f"{href}: got {path.stat().st_size} bytes, expected {announced}")


def _chunks(response: requests.Response, href: str) -> Iterator[bytes]:
    try:
        yield from response.iter_content(_CHUNK)
    except requests.RequestException as error:
        raise TransientFaultError(f"{href}: {error}") from error


def _answer(session: requests.Session, href: str, *, stream: bool = False) -> requests.Response:
    try:
        response = session.get(href, stream=stream)
    except requests.RequestException as error:
        raise TransientFaultError(f"{href}: {error}") from error
    if not response.ok:
        response.close()
        if response.status_code in GONE:
            raise MissingKeyError(f"{href}: HTTP {response.status_code}")
        raise fault_of(response.status_code, href)
    return response


def asked_to_wait(href: str) -> float | None:
    """Seconds that a busy server asks to wait; None where it does not, or is not busy (any more)."""
    with suppress(requests.RequestException), closing(requests.Session()) as session:
        answer = session.head(href, timeout=10)
        return retry_after(answer.headers.get("Retry-After")) if answer.status_code in BUSY else None
    return None
