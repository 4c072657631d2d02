"""From errors to responses: those of the annotation app beside those of the server."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from landloom.errors import LandloomError
from landloom.server.annotate.attempts import TooManyAttemptsError
from landloom.server.errors import answer_to, document

if TYPE_CHECKING:
    from starlette.responses import Response

_LOGGER: Final = logging.getLogger("landloom.server")


class RefusedError(LandloomError):
    """A request that is refused before anything is done about it."""

    def __init__(self, status: HTTPStatus, why: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}
        super().__init__(why)


def not_found() -> RefusedError:
    """What is answered for anything that one may not see: the same as for what does not exist."""
    return RefusedError(HTTPStatus.NOT_FOUND, "nothing here")


def response_to(error: Exception) -> Response:
    """The response to an error.

    Example:
        >>> response_to(RefusedError(HTTPStatus.FORBIDDEN, "got a request of another site")).status_code
        403
    """
    headers = {"cache-control": "no-store"}
    if isinstance(error, RefusedError):
        return JSONResponse(document(error.status, str(error)), error.status, headers | error.headers)
    if isinstance(error, HTTPException):
        return JSONResponse(document(error.status_code, "nothing here"), error.status_code, headers)
    if isinstance(error, TooManyAttemptsError):
        headers |= {"retry-after": str(error.seconds)}
        return JSONResponse(document(HTTPStatus.TOO_MANY_REQUESTS, str(error)), 429, headers)
    if not isinstance(error, LandloomError):
        _LOGGER.error("a request of the annotation app failed", exc_info=error)
    status, content = answer_to(error)
    return JSONResponse(content, status, headers)
