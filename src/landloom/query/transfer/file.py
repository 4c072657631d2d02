"""Download one file from an object store or web server: retried, resumed, its size and digest checked."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.model.address import without_secrets
from landloom.store.faults import stated_status
from landloom.store.hosts import hosts_are_limited
from landloom.store.http import asked_to_wait
from landloom.store.network.waiting import tell
from landloom.store.patience import BUSY, WORTH_RETRYING, Patience

if TYPE_CHECKING:
    import os
    from datetime import datetime
    from threading import Event

SMALL: Final = 4 << 20
"""Files up to this size are received in one piece, and restarted instead of resumed."""
_CHUNK: Final = 1 << 20
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """What a store says of the bytes that it is about to send."""

    size: int
    etag: str | None
    changed: datetime | None
    """Time of change; None where it says none."""

    @classmethod
    def of(cls, meta: Any) -> _Version:
        changed = meta["last_modified"]
        return cls(size=meta["size"], etag=meta["e_tag"], changed=changed if changed.timestamp() > 0 else None)

    @property
    def told(self) -> bool:
        """Whether another version would say something else."""
        return self.etag is not None or self.changed is not None


@dataclass(slots=True, kw_only=True)
class _Progress:
    expected: int | None
    """Bytes that are due, where a manifest says."""
    proved: bool
    """Whether the whole will be held to a digest."""
    offset: int = 0
    version: _Version | None = None
    busy: int = 0
    waited: float = 0
    """Seconds between tries."""
    digest: Any = field(default_factory=hashlib.sha256)

    def restart(self, out: Any) -> None:
        out.seek(0)
        out.truncate()
        self.offset, self.version, self.digest = 0, None, hashlib.sha256()

    def write(self, out: Any, data: memoryview, path: str) -> None:
        """Take the next bytes.

        Raises:
            PermanentFaultError: they are more than are due.
        """
        self.offset += len(data)
        self.demand(self.offset, path)
        _write(out, data)
        self.digest.update(data)

    def demand(self, size: int, path: str) -> None:
        """Cut a body that is larger than what is due.

        Raises:
            PermanentFaultError: it is.
        """
        if self.expected is not None and size > self.expected:
            raise PermanentFaultError(f"{path}: got a body of {size} bytes or more, expected {self.expected}")


def _permanent(error: BaseException) -> bool:
    from obstore.exceptions import NotFoundError, PermissionDeniedError, UnauthenticatedError

    if isinstance(error, NotFoundError | FileNotFoundError | PermissionDeniedError | UnauthenticatedError):
        return True
    status = stated_status(error)
    return status is not None and 400 <= status < 500 and status not in WORTH_RETRYING


class _NotPlainError(Exception):
    """A server that sends neither lengths nor the bytes as they are: its files are received in another way."""


def _receive(store: Any, path: str, out: Any, state: _Progress) -> None:
    """Receive the missing rest of a file; after a failure `state` tells how much was received."""
    import obstore

    options: dict[str, Any] = {}
    if state.offset:
        options = {"range": {"offset": state.offset}}
        if state.version is not None and state.version.etag is not None:
            options["if_match"] = state.version.etag
    result = obstore.get(store, path, options=options)  # type: ignore[arg-type]
    version = _Version.of(result.meta)
    if _is_encoded(result.attributes, path, version.size, state.expected):
        raise _NotPlainError
    if state.offset and version != state.version:
        state.restart(out)
        raise TransientFaultError(f"{path} changed while it was being fetched")
    state.demand(version.size, path)
    state.version = version
    small = version.size - state.offset <= SMALL
    for chunk in [result.bytes()] if small else result.stream(min_chunk_size=_CHUNK):
        state.write(out, memoryview(chunk), path)
    if state.offset != version.size:
        got = state.offset
        state.restart(out)
        raise TransientFaultError(f"{path}: got {got} bytes, expected {version.size}")


def _is_encoded(attributes: Any, path: str, size: int, expected: int | None) -> bool:
    """Whether a server compressed a file on its way; what is published compressed is sent as it is."""
    encoding = str(attributes.get("Content-Encoding", "identity")).lower()
    published_so = expected is None and path.endswith(".gz")
    return encoding not in ("identity", "") and size != expected and not published_so


def _receive_whole(base: str, path: str, out: Any, state: _Progress) -> None:
    """Receive a file from a web server that says no length, or that compresses: from its beginning, decoded."""
    from landloom.store.web import WebStore

    state.restart(out)
    with WebStore(base, Patience(attempts=1)).stream(path) as chunks:
        for chunk in chunks:
            state.write(out, memoryview(chunk), path)
    if state.expected is not None and state.offset != state.expected:
        raise TransientFaultError(f"{path}: got {state.offset} bytes, expected {state.expected}")


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
    size: int | None = None,
    proved: bool = False,
    patience: Patience | None = None,
    stop: Event | None = None,
) -> Received:
    """Download one file to a local path.

    Args:
        store: an obstore store without its own retries.
        path: key within the store.
        part: where to write; overwritten.
        base: address of the store, asked for Retry-After where it is a web server: the transport hides its headers.
        size: bytes that are due, where a manifest says; a larger body is cut at once.
        proved: whether the caller will hold the file to a digest; if not, a file is resumed only where the server says
            by ETag or time of change that it is still the same one.
        patience: how long to go on; it starts anew with bytes that come at `least_rate` or faster.
        stop: give up as soon as it is set.

    Raises:
        PermanentFaultError: it does not exist, may not be read, or is larger than expected.
        TransientFaultError: it could not be received within the retry policy.
        OSError: it cannot be written.
    """
    from obstore.exceptions import BaseError

    limit, failures = patience or PATIENCE, 0
    state = _Progress(expected=size, proved=proved)
    with open(part, "wb", buffering=0) as out:  # noqa: PTH123 - called for each file, and half the time of Path.open
        while True:
            before, since = state.offset, time.monotonic()
            try:
                _attempt(store, base, path, out, state)
                return Received(size=state.offset, sha256=state.digest.hexdigest(), busy=state.busy)
            except (BaseError, TransientFaultError, TimeoutError, ConnectionError, FileNotFoundError) as error:
                if _permanent(error):
                    raise PermanentFaultError(f"{path}: {_first_line(error)}") from error
                progress = state.offset - before
                steady = progress > limit.least_rate * (time.monotonic() - since)
                failures = 1 if steady else failures + 1
                _prepare(error, out, state)
                busy = stated_status(error) in BUSY
                state.busy += busy
                asked = asked_to_wait(f"{base.rstrip('/')}/{quote(path)}") if busy and _is_web(base) else None
                spent = failures >= limit.attempts or (asked or 0.0) > limit.longest_asked
                if spent or (stop is not None and stop.is_set()):
                    raise TransientFaultError(f"{path}: {_first_line(error)}") from error
                wait = limit.pause(failures, asked)
                tell(urlsplit(base).hostname or base, _first_line(error), waited=state.waited, wait=wait)
                state.waited += wait
                _wait(limit, wait, stop)


_odd_servers: set[str] = set()
"""Web servers that send no lengths, or compress: asked by other means at once."""


def _attempt(store: Any, base: str, path: str, out: Any, state: _Progress) -> None:
    """One try, by the means that the server needs; where hosts are limited, by those that check redirects."""
    from obstore.exceptions import GenericError

    if base not in _odd_servers and not (_is_web(base) and hosts_are_limited()):
        try:
            _receive(store, path, out, state)
        except _NotPlainError:
            pass
        except GenericError as error:
            if "Content-Length" not in str(error) or not _is_web(base):
                raise
        else:
            return
        if not _is_web(base):
            raise PermanentFaultError(f"{path}: is stored in an encoding of its own")
        _odd_servers.add(base)
    _receive_whole(base, path, out, state)


def _prepare(error: BaseException, out: Any, state: _Progress) -> None:
    """Start anew where the rest of a file might be the rest of another one, or cannot be asked for."""
    unsure = not state.proved and (state.version is None or not state.version.told)
    if stated_status(error) == 412 or "range" in str(error).lower() or unsure:
        state.restart(out)


def _is_web(base: str) -> bool:
    return base.startswith(("http://", "https://"))


def _wait(patience: Patience, seconds: float, stop: Event | None) -> None:
    if stop is None:
        patience.sleep(seconds)
    else:
        stop.wait(seconds)


def _first_line(error: BaseException) -> str:
    return without_secrets(str(error).strip().split("\n", maxsplit=1)[0])[:300]
