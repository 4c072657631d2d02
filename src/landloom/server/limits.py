"""Limits of requests, checked before anything parses them."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import InvalidInputError
from landloom.server.errors import document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY: Final = 1_048_576
"""Maximum size of a request body in bytes."""
MAX_JSON_DEPTH: Final = 64
"""Maximum nesting of values."""
MAX_PAGE: Final = 1_000
"""Maximum number of items per page; larger limits are reduced to it, as OGC API Features requires."""
PAGE: Final = 10
"""Default number of items per page."""
MAX_IDS: Final = 5_000
"""Maximum number of ids, or collections, in one search."""
MAX_VERTICES: Final = 10_000
"""Maximum number of vertices of a geometry."""
# Possessive, and an unterminated string extends to the end: one pass for any input.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)
_DRAINED: Final = 16 * MAX_BODY
"""Bytes read and discarded, so that a client that is still sending gets its response."""
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self' blob:; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_GUARDS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", _POLICY.encode()),
)
_STEP: Final = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


def policy_with(pictures: str) -> str:
    """The content security policy of a page that may show pictures of another origin.

    Args:
        pictures: the origin.

    Example:
        >>> "img-src 'self' https://tiles.example data:" in policy_with("https://tiles.example")
        True
    """
    return _POLICY.replace("img-src 'self'", f"img-src 'self' {pictures}")


def check_depth(content: bytes) -> None:
    """Refuse JSON that is nested deeper than any query needs, because parsers recurse.

    Raises:
        InvalidInputError: it is nested too deep.

    Example:
        >>> check_depth(b'{"op": "not", "args": [true]}')
        >>> check_depth(b"[" * 65)
        Traceback (most recent call last):
            ...
        landloom.errors.InvalidInputError: got JSON values more than 64 deep
    """
    depth = 0
    for token in _TOKEN.finditer(content):
        depth += _STEP.get(token[0], 0)
        if depth > MAX_JSON_DEPTH:
            raise InvalidInputError(f"got JSON values more than {MAX_JSON_DEPTH} deep")


def read_json(text: str, what: str) -> Any:
    """Decode JSON of bounded length and depth.

    Args:
        text: the JSON.
        what: its name in errors.

    Raises:
        InvalidInputError: it is not JSON, or exceeds the limits.
    """
    if len(text) > MAX_BODY:
        raise InvalidInputError(f"{what}: got {len(text)} characters, expected at most {MAX_BODY}")
    check_depth(text.encode())
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"{what}: got broken JSON: {error}") from error


def check_geometry(geometry: Mapping[str, Any]) -> None:
    """Limit the number of vertices of a GeoJSON geometry.

    Raises:
        InvalidInputError: too many.

    Example:
        >>> check_geometry({"type": "Point", "coordinates": [13.4, 52.5]})
    """
    pending: list[Any] = [geometry]
    vertices = 0
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += [value.get("coordinates"), value.get("geometries"), value.get("geometry")]
        elif isinstance(value, list | tuple):
            if value and isinstance(value[0], int | float):
                vertices += 1
            else:
                pending += value
        if vertices > MAX_VERTICES:
            raise InvalidInputError(f"intersects: got more than {MAX_VERTICES} vertices; simplify the geometry")


class Bounded:
    """Middleware: limits bodies, answers HEAD like GET without a body, and OPTIONS with the allowed methods.

    Args:
        app: the wrapped application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        send = _guarded(send)
        if not _HOST.fullmatch(dict(scope["headers"]).get(b"host", b"")):
            await _refuse(send, HTTPStatus.BAD_REQUEST, "got a Host header that is not a host name")
        elif scope["method"] == "HEAD":
            await self.app({**scope, "method": "GET"}, receive, _without_body(send))
        elif scope["method"] == "OPTIONS":
            allowed = "GET, HEAD, OPTIONS, POST" if scope["path"].rstrip("/") == "/search" else "GET, HEAD, OPTIONS"
            await _answer(send, HTTPStatus.NO_CONTENT, b"", [(b"allow", allowed.encode())])
        elif scope["method"] == "GET":
            await self.app(scope, receive, send)
        else:
            await self._with_body(scope, receive, send)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more, size = bytearray(), True, 0
        while more and size < _DRAINED:
            message = await receive()
            if message["type"] != "http.request":
                return
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
            if size <= MAX_BODY:
                body += message.get("body", b"")
        if size > MAX_BODY:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            await _refuse(send, status, f"got a body of more than {MAX_BODY} bytes")
            return
        try:
            check_depth(bytes(body))
            if scope["path"] == "/search":
                _check_object(bytes(body), dict(scope["headers"]).get(b"content-type", b""))
        except InvalidInputError as error:
            await _refuse(send, HTTPStatus.BAD_REQUEST, str(error))
            return
        whole: Message = {"type": "http.request", "body": bytes(body), "more_body": False}
        given = False

        async def once() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return whole

        await self.app(scope, once, send)


def _check_object(content: bytes, media: bytes) -> None:
    """Only a JSON object is a valid search: models fail on anything else."""
    if b"json" not in media.lower():
        raise InvalidInputError(f"got content type {media[:80].decode('latin-1')!r}, expected application/json")
    if content.lstrip()[:1] != b"{":
        raise InvalidInputError("got a body that is not a JSON object")


def _guarded(send: Send) -> Send:
    """Every answer tells browsers not to guess types, not to be framed, and what a page may load."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", ())}
            more = [(name, value) for name, value in _GUARDS if name not in given]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return guarded


def _without_body(send: Send) -> Send:
    async def bare(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return bare


async def _refuse(send: Send, status: HTTPStatus, why: str) -> None:
    content = json.dumps(document(status, why)).encode()
    await _answer(send, status, content, [(b"content-type", b"application/json"), (b"connection", b"close")])


async def _answer(send: Send, status: HTTPStatus, content: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    if content:
        headers = [*headers, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
