"""HTTP as archives need it: retries that know what is worth one, and faults by their name."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, Timeout
from requests.exceptions import ConnectionError as CutConnectionError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, retry_if_result, stop_after_attempt
from tenacity.wait import wait_random_exponential

from landloom.errors import MissingKeyError, PermanentFaultError, TransientFaultError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from landloom.store.protocol import Readable

WORTH_RETRYING: Final = frozenset({429, 500, 502, 503, 504})
"""Answers that may be another one soon: too many requests, and the server's own failures."""
_CUT: Final = (CutConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError)
_GONE: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to go on when an archive does not answer."""

    attempts: int = 6
    """Tries of one request, the first included."""
    first_wait: float = 1.0
    """Upper bound of the first wait in seconds; it doubles every time, and the wait is drawn at random below it."""
    longest_wait: float = 60.0
    """Upper bound of every wait in seconds; a longer Retry-After ends the tries."""
    timeout: float = 60.0
    """Seconds without a byte after which a connection counts as cut."""
    sleep: Callable[[float], None] = time.sleep
    """Waits; another one for tests and for clocks that are not the wall's."""


def retry_after(headers: requests.structures.CaseInsensitiveDict[str], now: datetime) -> float | None:
    """Seconds that a server asks to wait (RFC 9110, section 10.2.3); None where it does not, or not legibly.

    Example:
        >>> from datetime import UTC, datetime
        >>> from requests.structures import CaseInsensitiveDict
        >>> now = datetime(2024, 1, 1, tzinfo=UTC)
        >>> retry_after(CaseInsensitiveDict({"Retry-After": "120"}), now)
        120.0
        >>> retry_after(CaseInsensitiveDict({"Retry-After": "Mon, 01 Jan 2024 00:00:30 GMT"}), now)
        30.0
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):
        return None


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
        return response.status_code in WORTH_RETRYING and (_asked(response) or 0.0) <= self._patience.longest_wait

    def _wait(self, state: RetryCallState) -> float:
        drawn = wait_random_exponential(multiplier=self._patience.first_wait, max=self._patience.longest_wait)(state)
        outcome = state.outcome
        asked = _asked(outcome.result()) if outcome is not None and not outcome.failed else None
        return drawn if asked is None else asked + min(drawn, 1.0)


def _asked(response: requests.Response) -> float | None:
    from datetime import UTC, datetime

    return retry_after(response.headers, datetime.now(UTC))


def _last(state: RetryCallState) -> requests.Response:
    if state.outcome is None:
        raise TransientFaultError("no answer")
    response: requests.Response = state.outcome.result()
    return response


def mount(session: requests.Session, patience: Patience) -> requests.Session:
    """Make a session retry; returns it."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, RetryingAdapter(patience))
    return session


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


class HrefDocuments:
    """Reads documents by local path, http(s) URL or any other that `open_store` takes; what archives use by default."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._session: requests.Session | None = None
        self._stores: dict[str, Readable] = {}

    def read(self, href: str) -> bytes:
        """See `landloom.archive.search.Documents`."""
        if href.startswith(("http://", "https://")):
            return self._get(href)
        if "://" in href:
            return self._stored(href)
        from pathlib import Path

        try:
            return Path(href).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MissingKeyError(f"{href}: no such file") from error
        except IsADirectoryError as error:
            raise PermanentFaultError(f"{href}: a folder, wanted a file") from error
        except OSError as error:
            raise TransientFaultError(f"{href}: {error}") from error

    def _stored(self, href: str) -> bytes:
        from landloom.store.open import open_store

        folder, _, name = href.rpartition("/")
        if folder not in self._stores:
            self._stores[folder] = open_store(folder)
        return self._stores[folder].get(name)

    def _get(self, href: str) -> bytes:
        if self._session is None:
            self._session = mount(requests.Session(), self._patience)
        try:
            response = self._session.get(href)
        except _CUT as error:
            raise TransientFaultError(f"{href}: {error}") from error
        if response.status_code in _GONE:
            raise MissingKeyError(f"{href}: HTTP {response.status_code}")
        if not response.ok:
            raise fault_of(response.status_code, href)
        return response.content
