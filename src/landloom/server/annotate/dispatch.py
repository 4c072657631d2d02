"""From a request to its handler: every check that does not depend on the handler, in one order for all routes."""

from __future__ import annotations

import hmac
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qsl

from anyio import CapacityLimiter, to_thread

from landloom.server.annotate.access import Access, allowed
from landloom.server.annotate.bodies import BodyReader, GoneError
from landloom.server.annotate.calls import Call
from landloom.server.annotate.errors import RefusedError, not_found, response_to
from landloom.server.annotate.routes import Lane, Then

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from landloom.server.annotate.routes import Route
    from landloom.server.annotate.state import AppState, Caller

T = TypeVar("T")
CSRF: Final = "x-csrf"
"""Header with the value that belongs to the session; other sites cannot know it."""
_AT_ONCE: Final = {Lane.QUICK: 4, Lane.TAKING: 1, Lane.PASSWORD: 2, Lane.READING: 2}
"""Threads of each lane: few, for more only wait for each other, the interpreter, or the one writer of a ledger."""
_WAITING: Final = {Lane.QUICK: 300, Lane.TAKING: 300, Lane.PASSWORD: 60, Lane.READING: 300}
"""Requests that run or wait in a lane; further ones are told to come back later."""


class Lanes:
    """Threads for handlers, so many for each lane."""

    def __init__(self) -> None:
        self._limiters: dict[Lane, CapacityLimiter] = {}
        self._waiting = dict.fromkeys(Lane, 0)

    async def run(self, lane: Lane, function: Callable[..., T], *arguments: object) -> T:
        """Call a function in a thread of a lane.

        Raises:
            RefusedError: too many wait already.
        """
        if self._waiting[lane] >= _WAITING[lane]:
            why = "the server is busy; try again later"
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, why, {"retry-after": "5"})
        limiter = self._limiters.setdefault(lane, CapacityLimiter(_AT_ONCE[lane]))
        self._waiting[lane] += 1
        try:
            return await to_thread.run_sync(function, *arguments, limiter=limiter)
        finally:
            self._waiting[lane] -= 1


class Endpoint:
    """The methods of one path, as an ASGI application.

    Args:
        state: what handlers work with.
        lanes: where they run.
        routes: one for each method.
    """

    def __init__(self, state: AppState, lanes: Lanes, routes: Mapping[str, Route]) -> None:
        self.state, self.lanes, self.routes = state, lanes, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = BodyReader(receive, headers)
        try:
            response = await self._answer(scope, headers, body)
        except GoneError:
            return
        except Exception as error:  # noqa: BLE001 - every failure gets a response; unknown ones are logged there
            response = response_to(error)
        if not await body.drained():
            response.headers["connection"] = "close"
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, headers: Mapping[str, str], body: BodyReader) -> Response:
        state = self.state
        route = self.routes.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if route is None:
            allow = ", ".join([*(["HEAD"] if "GET" in self.routes else []), *self.routes])
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "another method is needed", {"allow": allow})
        if route.changes and not state.site.same_origin(headers):
            raise RefusedError(HTTPStatus.FORBIDDEN, "got a request of another site")
        call = await self._identified(route, scope, headers)
        call = replace(call, body=await body.read(route.body, route.body.most(state.campaign.settings)))
        answer = await self.lanes.run(route.lane, route.handler, state, call)
        return await self.lanes.run(answer.lane, answer.respond) if isinstance(answer, Then) else answer

    async def _identified(self, route: Route, scope: Scope, headers: Mapping[str, str]) -> Call:
        """Who calls, and whether they may."""
        state = self.state
        token = state.cookie.token(headers.get("cookie", ""))
        caller = await self.lanes.run(Lane.QUICK, state.who, token) if token else None
        if route.access is not Access.PUBLIC:
            if caller is None:
                raise RefusedError(HTTPStatus.UNAUTHORIZED, "sign in first")
            if not allowed(route.access, caller.roles):
                raise not_found()
            if route.changes and not _is_own(caller, headers.get(CSRF, "")):
                raise RefusedError(HTTPStatus.FORBIDDEN, f"got no valid {CSRF.upper()} header")
        client = scope.get("client") or ("", 0)
        return Call(
            path=scope.get("path_params", {}),
            query=_query(scope["query_string"]),
            headers=headers,
            body=b"",
            client=state.site.client(headers, client[0]),
            token=token,
            caller=caller,
        )


def _is_own(caller: Caller, given: str) -> bool:
    """Whether a request carries what only a page of this server can know."""
    return hmac.compare_digest(caller.csrf.encode(), given.encode())


def _query(text: bytes) -> dict[str, str]:
    """The parameters of a query; each may occur once."""
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "got a query that cannot be read") from error
    if len(dict(pairs)) != len(pairs):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "got a parameter twice")
    return dict(pairs)
