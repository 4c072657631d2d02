"""The annotation app as one ASGI application, to be mounted at `/annotate`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route as Path
from starlette.routing import Router

from landloom.server.annotate.dispatch import Endpoint, Lanes
from landloom.server.annotate.errors import not_found, response_to
from landloom.server.annotate.guard import Guard
from landloom.server.annotate.page import Page, page_files
from landloom.server.annotate.table import PREFIX, ROUTES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from landloom.server.annotate.origins import Site
    from landloom.server.annotate.routes import Route
    from landloom.server.annotate.state import AppState


def annotation_app(state: AppState) -> ASGIApp:
    """The app over a campaign.

    Args:
        state: what its handlers work with.
    """
    methods: defaultdict[str, dict[str, Route]] = defaultdict(dict)
    for route in ROUTES:
        methods[route.path][route.method] = route
    lanes, page = Lanes(), Page(page_files())
    paths = [
        *(Path(f"{PREFIX}{path}", Endpoint(state, lanes, own), name=path) for path, own in methods.items()),
        Path(PREFIX, _to_page),
        Path(f"{PREFIX}/", page),
        Path(f"{PREFIX}/{{name:path}}", page),
    ]
    return Guard(Router(paths, redirect_slashes=False, default=_nothing), state.site)


def only_annotation(site: Site) -> ASGIApp:
    """What is served beside the annotation app where nothing else is: the way to it.

    Args:
        site: how browsers reach the server.
    """
    return Guard(Router([Path("/", _to_page)], redirect_slashes=False, default=_nothing), site)


def _to_page(_: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/", status_code=308)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await response_to(not_found())(scope, receive, send)
