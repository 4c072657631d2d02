"""Download one file from an object store or web server: retried, resumed, its size and digest checked."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.store.http import asked_to_wait
from landloom.store.patience import BUSY, WORTH_RETRYING, Patience

if TYPE_CHECKING:
    import os
    from threading import Event

SMALL: Final = 4 << 20
"""Files up to this size are received in one piece, and restarted instead of resumed."""
_CHUNK: Final = 1 << 20
_STATUS: Final = re.compile(r"\b([45]\d\d) [A-Z][a-z]|status code: (\d{3})|status: ([45]\d\d)")
PATIENCE: Final = Patience(attempts=12, first_wait=0.4, longest_wait=20.0)
"""Retry policy of one file: about three minutes without a byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A completely received file."""

    size: int
    """Size in bytes."""
    sha256: str
    """SHA-256 of its bytes."""
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


def _status(error: BaseException) -> int | None:
    found = _STATUS.search(str(error))
    return int(next(group for group in found.groups() if group)) if found else None


def _permanent(error: BaseException) -> bool:
    from obstore.exceptions import NotFoundError, PermissionDeniedError, UnauthenticatedError

    if isinstance(error, NotFoundError | FileNotFoundError | PermissionDeniedError | UnauthenticatedError):
        return True
    status = _status(error)
    return status is not None and 400 <= status < 500 and status not in WORTH_RETRYING


def _receive(store: Any, path: str, out: Any, state: _Progress) -> None:
    """Receive the missing rest of a file; after a failure `state` tells how much was received."""
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
        raise TransientFaultError(f"{path} changed during the download")
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
        raise TransientFaultError(f"{path}: got {got} bytes, expected {size}")


def _write(out: Any, data: memoryview) -> None:
    """Write everything to an unbuffered file, which may accept less at a time."""
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
    """Download one file to a local path.

    Args:
        store: an obstore store without its own retries.
        path: key within the store.
        part: path to write to; overwritten.
        base: address of the store; a web server is asked for Retry-After, because the transport hides its headers.
        patience: retry policy; it starts again with bytes received at `least_rate` or faster.
        stop: ends the download as soon as it is set.

    Raises:
        PermanentFaultError: it does not exist, or may not be read.
        TransientFaultError: it could not be received within the retry policy.
        OSError: it cannot be written.
    """
    from obstore.exceptions import BaseError

    limit, state, failures = patience or PATIENCE, _Progress(), 0
    with open(part, "wb", buffering=0) as out:  # noqa: PTH123 - called for each file, and half the time of Path.open
        while True:
            before, since = state.offset, time.monotonic()
            try:
                _receive(store, path, out, state)
                return Received(size=state.offset, sha256=state.digest.hexdigest(), busy=state.busy)
            except (BaseError, TransientFaultError, TimeoutError, ConnectionError, FileNotFoundError) as error:
                if _permanent(error):
                    raise PermanentFaultError(f"{path}: {_first_line(error)}") from error
                if _status(error) == 412 or "range" in str(error).lower():
                    state.restart(out)
                progress = state.offset - before
                steady = progress > limit.least_rate * (time.monotonic() - since)
                failures = 1 if steady else failures + 1
                busy = _status(error) in BUSY
                state.busy += busy
                asked = asked_to_wait(f"{base.rstrip('/')}/{quote(path)}") if busy and _is_web(base) else None
                spent = failures >= limit.attempts or (asked or 0.0) > limit.longest_asked
                if spent or (stop is not None and stop.is_set()):
                    raise TransientFaultError(f"{path}: {_first_line(error)}") from error
                _wait(limit, limit.pause(failures, asked), stop)


def _is_web(base: str) -> bool:
    return base.startswith(("http://", "https://"))


def _wait(patience: Patience, seconds: float, stop: Event | None) -> None:
    if stop is None:
        patience.sleep(seconds)
    else:
        stop.wait(seconds)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0][:300]
