"""The server of a corpus: STAC API, files and explorer page in one ASGI application."""

from __future__ import annotations

import logging
import sys
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import InvalidInputError, MissingExtraError
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import uvicorn
    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from landloom.server.explore.basemap import Basemap

_TURN: Final = 5e-4
"""Interval of thread switches in seconds: the thread that sends responses should not wait for searches."""
_GRACE: Final = 8
"""Seconds in which requests that have begun are answered when the server stops."""
_NEEDED: Final = ("fastapi", "uvicorn", "stac_fastapi")


def check_extra() -> None:
    """Explain that the libraries of the server are not installed.

    Raises:
        MissingExtraError: always.
    """
    for name in _NEEDED:
        if find_spec(name) is None:
            raise MissingExtraError.of("server", f"serving a corpus (no module {name})")


def create_app(corpus: Corpus, basemap: Basemap | None = None) -> FastAPI:
    """The ASGI application over an open corpus; it only reads.

    Args:
        corpus: the corpus.
        basemap: tiles below the samples on the explorer's map.

    Raises:
        MissingExtraError: the extra `server` is not installed.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> create_app(example_corpus()).title
        'example 1.0'
    """
    check_extra()
    # It warns about its own settings during import, before anybody can have set them.
    logging.getLogger("stac_fastapi.types.config").setLevel(logging.ERROR)
    from landloom.server import files
    from landloom.server.explore import page, routes
    from landloom.server.explore.api import Explorer
    from landloom.server.limits import policy_with
    from landloom.server.stac.api import stac_app
    from landloom.server.stac.documents import StacDocuments
    from landloom.server.stac.search import Searcher

    info = corpus.info
    searcher = Searcher(corpus, info)
    documents = StacDocuments(corpus, info, searcher.item_collections)
    foreign = "" if basemap is None else basemap.origin
    headers = {"content-security-policy": policy_with(foreign)} if foreign else {}
    app = stac_app(searcher, documents, partial(page.page, info, len(corpus)), headers)
    if documents.folder is not None:
        files.install(app, documents.folder)
    routes.install(app, Explorer(corpus, info, basemap))
    page.install(app)
    return app


def serve(
    uri: str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    announce: Callable[[str], None] | None = None,
    basemap: Basemap | None = None,
) -> None:
    """Serve a corpus until interrupted.

    Args:
        uri: any form accepted by `Corpus.open`.
        host: address to listen on; by default only this machine.
        port: 0 for any free port.
        announce: called with the address once the server listens.
        basemap: tiles below the samples on the explorer's map.

    Raises:
        MissingExtraError: the extra `server` is not installed.
        InvalidInputError: the address cannot be listened on.
    """
    check_extra()
    run(create_app(Corpus.open(uri), basemap), host=host, port=port, announce=announce)


def run(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    announce: Callable[[str], None] | None = None,
    **options: Any,
) -> None:
    """Serve an application until interrupted; requests that have begun are answered before it ends.

    Args:
        app: what is served.
        host: address to listen on.
        port: 0 for any free port.
        announce: called with the address once the server listens.
        options: further ones of `uvicorn.Config`.

    Raises:
        InvalidInputError: the address cannot be listened on.
    """
    import socket

    import uvicorn

    if not 0 <= port <= 65_535:
        raise InvalidInputError(f"got port {port}, expected 0 to 65535")
    sys.setswitchinterval(_TURN)
    config = server_config(app, **options)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise InvalidInputError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
        listener.listen(128)
        shown = f"[{host}]" if ":" in host else host
        if announce is not None:
            announce(f"{'https' if config.is_ssl else 'http'}://{shown}:{listener.getsockname()[1]}/")
        uvicorn.Server(config).run(sockets=[listener])


def server_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """How uvicorn serves an application: with bounds on connections, without telling what it is.

    Args:
        app: what is served.
        options: further ones of `uvicorn.Config`.
    """
    import uvicorn

    from landloom.server.connections import HEAD_SECONDS, BoundedProtocol

    plain: dict[str, Any] = {"log_level": "warning", "ws": "none", "lifespan": "off", "server_header": False}
    plain["timeout_graceful_shutdown"] = _GRACE
    idle = int(HEAD_SECONDS)
    return uvicorn.Config(app, **plain | options, http=BoundedProtocol, timeout_keep_alive=idle, backlog=128)
