"""One file from an object store or web server to local disk: retried, resumed, its length and digest checked."""

from __future__ import annotations

import email.utils
import hashlib
import http.client
import random
import re
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from landloom.errors import PermanentFaultError, TransientFaultError

if TYPE_CHECKING:
    import os
    from threading import Event

SMALL: Final = 4 << 20
"""Files up to so many bytes are received in one piece, and received again rather than resumed."""
_CHUNK: Final = 1 << 20
_STATUS: Final = re.compile(r"\b([45]\d\d) [A-Z][a-z]|status code: (\d{3})|status: ([45]\d\d)")
_BUSY: Final = frozenset({429, 503})
_PASSING: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to go on."""

    seconds: float = 180.0
    """Without a byte of a file, after which it has failed."""
    first: float = 0.4
    """Upper bound of the first wait, in seconds; it doubles."""
    longest: float = 20.0
    """Upper bound of any wait of our own; a server's Retry-After may ask for more, up to `seconds`."""

    def wait(self, attempt: int, asked: float | None, rng: random.Random) -> float:
        """Seconds to wait before another attempt: what the server asked, and a random part of a growing bound.

        Args:
            attempt: failures so far, from 1.
            asked: Retry-After, in seconds.
            rng: source of the jitter, so that clients do not come back together.

        Example:
            >>> 2 <= Patience().wait(1, 2.0, random.Random(0)) <= 2.4
            True
        """
        bound = min(self.first * 2 ** (attempt - 1), self.longest)
        return (min(asked, self.seconds) if asked is not None else 0.0) + rng.uniform(
            0.1 if asked is None else 0, bound
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A file that came whole."""

    size: int
    """Bytes."""
    sha256: str
    """Digest of its bytes."""
    busy: int
    """How often the server asked to wait."""


@dataclass(slots=True, kw_only=True)
class _Progress:
    offset: int = 0
    size: int | None = None
    etag: str | None = None
    busy: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def restart(self, out: Any) -> None:
        out.seek(0)
        out.truncate()
        self.offset, self.size, self.etag, self.digest = 0, None, None, hashlib.sha256()


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for; both of its forms.

    Example:
        >>> retry_after("7"), retry_after(None), retry_after("soon")
        (7.0, None, None)
        >>> retry_after("Wed, 21 Oct 2015 07:28:10 GMT", datetime(2015, 10, 21, 7, 28, tzinfo=UTC))
        10.0
    """
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((then - (now or datetime.now(UTC))).total_seconds(), 0.0)


def _asked_to_wait(base: str, path: str) -> float | None:
    """What a busy web server says about coming back; the transport hides its headers, so one is asked for."""
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return None
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    asking = closing(kind(parts.hostname, parts.port, timeout=10))
    with asking as connection, suppress(OSError, http.client.HTTPException):
        connection.request("HEAD", f"{parts.path.rstrip('/')}/{quote(path)}")
        answer = connection.getresponse()
        answer.read()
        return retry_after(answer.headers.get("Retry-After")) if answer.status in _BUSY else None
    return None


def _status(error: BaseException) -> int | None:
    found = _STATUS.search(str(error))
    return int(next(group for group in found.groups() if group)) if found else None


def _permanent(error: BaseException) -> bool:
    from obstore.exceptions import NotFoundError, PermissionDeniedError, UnauthenticatedError

    if isinstance(error, NotFoundError | FileNotFoundError | PermissionDeniedError | UnauthenticatedError):
        return True
    status = _status(error)
    return status is not None and 400 <= status < 500 and status not in _PASSING


def _receive(store: Any, path: str, out: Any, state: _Progress) -> None:
    """Receive what is missing of a file; on any failure `state` says how far it came."""
    import obstore

    options: dict[str, Any] = {}
    if state.offset:
        options = {"range": {"offset": state.offset}}
        if state.etag is not None:
            options["if_match"] = state.etag
    result = obstore.get(store, path, options=options)  # type: ignore[arg-type]
    size, etag = result.meta["size"], result.meta["e_tag"]
    if state.offset and (size, etag) != (state.size, state.etag):
        state.restart(out)
        raise TransientFaultError(f"{path} changed while it was being fetched")
    state.size, state.etag = size, etag
    chunks = [result.bytes()] if size - state.offset <= SMALL else result.stream(min_chunk_size=_CHUNK)
    for chunk in chunks:
        data = memoryview(chunk)
        _write(out, data)
        state.digest.update(data)
        state.offset += len(data)
    if state.offset != size:
        got = state.offset
        state.restart(out)
        raise TransientFaultError(f"{path}: got {got} bytes, wanted {size}")


def _write(out: Any, data: memoryview) -> None:
    """Write all of it to an unbuffered file, which may take less at a time."""
    while data:
        data = data[out.write(data) :]


def fetch(
    store: Any,
    path: str,
    part: str | os.PathLike[str],
    *,
    base: str = "",
    patience: Patience | None = None,
    stop: Event | None = None,
) -> Received:
    """Bring one file to a local path.

    Args:
        store: of obstore; its own retries should be off.
        path: key within the store.
        part: where to write; overwritten.
        base: address of the store, asked for Retry-After where it is a web server.
        patience: how long to go on.
        stop: give up as soon as it is set.

    Raises:
        PermanentFaultError: it is not there, or may not be read.
        TransientFaultError: it could not be had for as long as patience lasts.
        OSError: it cannot be written.
    """
    from obstore.exceptions import BaseError

    limit, state = patience or Patience(), _Progress()
    attempt, since = 0, time.monotonic()
    with open(part, "wb", buffering=0) as out:  # noqa: PTH123 - called for each file, and half the time of Path.open
        while True:
            before = state.offset
            try:
                _receive(store, path, out, state)
                return Received(size=state.offset, sha256=state.digest.hexdigest(), busy=state.busy)
            except (BaseError, TransientFaultError, TimeoutError, ConnectionError, FileNotFoundError) as error:
                if _permanent(error):
                    raise PermanentFaultError(f"{path}: {_first_line(error)}") from error
                if _status(error) == 412 or "range" in str(error).lower():
                    state.restart(out)
                if state.offset > before:
                    attempt, since = 0, time.monotonic()
                attempt += 1
                waited = time.monotonic() - since
                if waited > limit.seconds or (stop is not None and stop.is_set()):
                    raise TransientFaultError(f"{path}: {_first_line(error)}") from error
                asked = _asked_to_wait(base, path) if _status(error) in _BUSY else None
                state.busy += _status(error) in _BUSY
                pause = limit.wait(attempt, asked, random.Random(f"{path} {attempt}"))  # noqa: S311 - no secret
                if stop is None:
                    time.sleep(pause)
                else:
                    stop.wait(pause)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0][:300]
