"""From errors to responses: those of the annotation app beside those of the server."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse

from landloom.annotate.ledger.errors import (
    ConflictError,
    LeaseLostError,
    LedgerUnavailableError,
    LoginError,
    NotAllowedError,
    StaleDraftError,
    TooManyAttemptsError,
)
from landloom.errors import DiskFullError, LandloomError, MissingKeyError, NotFoundError
from landloom.server.errors import answer_to, document

if TYPE_CHECKING:
    from starlette.responses import Response

STATUSES: Final[dict[type[LandloomError], HTTPStatus]] = {
    LoginError: HTTPStatus.UNAUTHORIZED,
    NotAllowedError: HTTPStatus.FORBIDDEN,
    LeaseLostError: HTTPStatus.CONFLICT,
    ConflictError: HTTPStatus.CONFLICT,
    StaleDraftError: HTTPStatus.PRECONDITION_FAILED,
    TooManyAttemptsError: HTTPStatus.TOO_MANY_REQUESTS,
    DiskFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    LedgerUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Error of the ledger → status; others are those of the server."""
_GENERAL: Final = {
    HTTPStatus.INSUFFICIENT_STORAGE: "the server's disk is full; nothing was lost, and nothing can be saved just now",
    HTTPStatus.SERVICE_UNAVAILABLE: "the ledger cannot be reached just now",
}
"""What is answered where the error's own words are for the server's log."""
NOTHING: Final = "nothing here"
"""What is said about all that one may not see, and about what does not exist."""
_LOGGER: Final = logging.getLogger("landloom.server")


class RefusedError(LandloomError):
    """A request that is refused before anything is done about it."""

    def __init__(self, status: HTTPStatus, why: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}
        super().__init__(why)


def not_found() -> RefusedError:
    """What is answered for anything that one may not see: the same as for what does not exist."""
    return RefusedError(HTTPStatus.NOT_FOUND, NOTHING)


def response_to(error: Exception) -> Response:
    """The response to an error.

    Example:
        >>> int(response_to(RefusedError(HTTPStatus.FORBIDDEN, "got a request of another site")).status_code)
        403
    """
    headers = {"cache-control": "no-store"}
    if isinstance(error, RefusedError):
        return JSONResponse(document(error.status, str(error)), error.status, headers | error.headers)
    if isinstance(error, NotFoundError | MissingKeyError):
        return JSONResponse(document(HTTPStatus.NOT_FOUND, NOTHING), HTTPStatus.NOT_FOUND, headers)
    own = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), None)
    if own is not None:
        if own in _GENERAL:
            _LOGGER.error("%s", error)
        if isinstance(error, TooManyAttemptsError):
            headers["retry-after"] = str(error.seconds)
        if isinstance(error, StaleDraftError):
            headers["etag"] = f'"{error.version}"'
        return JSONResponse(document(own, _GENERAL.get(own, str(error))), own, headers)
    if not isinstance(error, LandloomError):
        _LOGGER.error("a request of the annotation app failed", exc_info=error)
    status, content = answer_to(error)
    return JSONResponse(content, status, headers)
