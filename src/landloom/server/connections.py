"""Bounds of connections: how many, and how long a client may take to ask and to read.

One timer for each connection looks every few seconds at what it waits for: a request's head, its body, or room to
write. A client that is slower than the bounds is cut off; what it holds of an answer is dropped at once.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from landloom.server.errors import document

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

HEAD_SECONDS: Final = 20.0
"""Until the head of a request is complete, or the next one begins."""


class _Counting:
    """A transport that counts what is written to it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.written = 0

    def write(self, data: bytes) -> None:
        """Hand on."""
        self.written += len(data)
        self._transport.write(data)

    @property
    def taken(self) -> int:
        """Bytes that the client's side has accepted."""
        return self.written - self._transport.get_write_buffer_size()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 over one connection, with bounds."""

    MOST = 1_000
    """Connections at once; further ones are answered 503 and closed."""
    HEAD = HEAD_SECONDS
    """Seconds until the head of a request is complete, or the next one begins."""
    BODY = 30.0
    """Seconds until the body of a request is complete."""
    STILL = 30.0
    """Seconds without a byte taken by a client for which some lie ready."""
    LOOK = 2.0
    """Seconds between two looks."""
    _timer: asyncio.TimerHandle | None = None
    _seen: tuple[Any, ...] = ()
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch, or refuse a connection too many."""
        self._counting = _Counting(transport)
        super().connection_made(self._counting)  # type: ignore[arg-type]
        if len(self.connections) > self.MOST:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections; try again later")
            return
        self._since = self.loop.time()
        self._timer = self.loop.call_later(self.LOOK, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP request in the shape of every error."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        content = json.dumps(document(status, why)).encode()
        head = f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
        self.transport.close()

    def _state(self) -> tuple[str, float]:
        """What the connection waits for, and how many seconds it may."""
        if self._counting.get_write_buffer_size():
            return "room", self.STILL
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return "head", self.HEAD
        return ("body", self.BODY) if cycle.more_body else ("answer", float("inf"))

    def _look(self) -> None:
        what, patience = self._state()
        seen = what, id(self.cycle), self._counting.taken
        now = self.loop.time()
        if seen != self._seen:
            self._seen, self._since = seen, now
        elif now - self._since > patience:
            self.transport.abort()
            return
        self._timer = self.loop.call_later(self.LOOK, self._look)
