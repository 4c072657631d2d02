"""From errors to responses: one table gives the status of each."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import (
    CorpusError,
    InvalidDocumentError,
    InvalidValueError,
    LandloomError,
    MissingKeyError,
    NotFoundError,
    TransientFaultError,
)
from landloom.model.address import without_secrets

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

STATUSES: Final[dict[type[LandloomError], HTTPStatus]] = {
    InvalidValueError: HTTPStatus.BAD_REQUEST,
    InvalidDocumentError: HTTPStatus.BAD_REQUEST,
    NotFoundError: HTTPStatus.NOT_FOUND,
    MissingKeyError: HTTPStatus.NOT_FOUND,
    TransientFaultError: HTTPStatus.BAD_GATEWAY,
    CorpusError: HTTPStatus.INTERNAL_SERVER_ERROR,
    LandloomError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Error → status; the nearest base class of an error counts."""
_GENERAL: Final = {
    HTTPStatus.NOT_FOUND: "the corpus has no such file",
    HTTPStatus.BAD_GATEWAY: "the corpus's files cannot be reached just now",
    HTTPStatus.INTERNAL_SERVER_ERROR: "the server failed; its log says why",
}
"""What is answered where the error's own words are for the server's log."""
_LOGGER: Final = logging.getLogger("landloom.server")
_SHOWN: Final = 2_000


def status_of(error: LandloomError) -> HTTPStatus:
    """The HTTP status of an error.

    Example:
        >>> from landloom.errors import InvalidInputError
        >>> int(status_of(InvalidInputError("got a filter that is none")))
        400
    """
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def document(status: int, description: str) -> dict[str, Any]:
    """The response to an error, in the form required by the STAC API.

    Example:
        >>> document(404, "no collection 'x'")
        {'code': 'Not Found', 'description': "no collection 'x'"}
    """
    return {"code": HTTPStatus(status).phrase, "description": description[:_SHOWN]}


def answer_to(error: Exception) -> tuple[HTTPStatus, dict[str, Any]]:
    """Status and document of the response to an error; what is for the server's log alone goes there.

    Example:
        >>> status, content = answer_to(NotFoundError("no sample 'x'"))
        >>> int(status), content["description"]
        (404, "no sample 'x'")
    """
    status = status_of(error) if isinstance(error, LandloomError) else HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, MissingKeyError) or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOGGER.warning("%s", error)  # it may name folders of this machine, which are nobody else's business
        return status, document(status, _GENERAL.get(status, _GENERAL[HTTPStatus.INTERNAL_SERVER_ERROR]))
    return status, document(status, without_secrets(str(error)))


def install(app: FastAPI) -> None:
    """Answer every failure of an application in the same form."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse

    def of_ours(_: Request, error: Exception) -> Response:
        status, content = answer_to(error)
        return JSONResponse(content, status)

    def of_parameters(_: Request, error: Exception) -> Response:
        problems = error.errors() if isinstance(error, RequestValidationError) else []
        lines = [f"{'.'.join(str(part) for part in row['loc'])}: {row['msg']}" for row in problems[:10]]
        return JSONResponse(document(HTTPStatus.BAD_REQUEST, "; ".join(lines)), HTTPStatus.BAD_REQUEST)

    def of_framework(_: Request, error: Exception) -> Response:
        status, detail = (
            (error.status_code, str(error.detail))
            if isinstance(error, HTTPException)
            else (HTTPStatus.INTERNAL_SERVER_ERROR, "")
        )
        headers = error.headers if isinstance(error, HTTPException) else None
        return JSONResponse(document(status, detail), status, dict(headers or {}))

    def of_anything(_: Request, error: Exception) -> Response:
        del error  # it is logged with its traceback
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return JSONResponse(document(status, _GENERAL[status]), status)

    app.add_exception_handler(Exception, of_anything)
    app.add_exception_handler(LandloomError, of_ours)
    app.add_exception_handler(RequestValidationError, of_parameters)
    app.add_exception_handler(HTTPException, of_framework)
