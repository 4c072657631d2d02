"""Bodies of requests: bounded while they arrive, never unpacked."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from landloom.server.annotate.errors import RefusedError
from landloom.server.annotate.routes import Body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive

_DRAINED: Final = 16 * 1_048_576
"""Bytes read and discarded, so that a client that is still sending gets its response."""


class GoneError(Exception):
    """The client closed the connection in the middle of its request."""


class BodyReader:
    """The body of one request.

    Args:
        receive: gives its pieces.
        headers: of the request, by lower-case name.
    """

    def __init__(self, receive: Receive, headers: Mapping[str, str]) -> None:
        self._receive, self._headers = receive, headers
        self._more = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._size = 0

    async def _piece(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise GoneError
        self._more = message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        self._size += len(piece)
        return piece

    async def read(self, kind: Body, most: int) -> bytes:
        """The whole body.

        Args:
            kind: what it may be.
            most: its largest size in bytes.

        Raises:
            RefusedError: it is compressed, of another type, or longer.
            GoneError: the client went away.
        """
        coding = self._headers.get("content-encoding", "identity").strip().lower()
        if self._more and coding not in ("", "identity"):
            raise RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"got a body packed with {coding[:40]}, expected none"
            )
        media = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind.media is not None and media != kind.media:
            why = f"got content type {media[:80]!r}, expected {kind.media}"
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, why)
        stated = self._headers.get("content-length", "")
        body = bytearray()
        while self._more:
            if (stated.isdecimal() and int(stated) > most) or self._size > most:
                break
            body += await self._piece()
        if self._more or self._size > most:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"got a body of more than {most} bytes")
        return b"" if kind is Body.NONE else bytes(body)

    async def drained(self) -> bool:
        """Discard what was not read; whether all of it has arrived, so that the connection can serve again."""
        try:
            while self._more and self._size < _DRAINED:
                await self._piece()
        except GoneError:
            return False
        return not self._more
