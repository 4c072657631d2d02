"""The annotation page, as built from `web/`; or a plain page that explains that it is not built."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from landloom.server.annotate.errors import RefusedError, not_found, response_to

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

STATIC: Final = Path(__file__).parents[1] / "static" / "annotate"
"""Folder of the page built by `make web`; wheels include it."""
INDEX: Final = "index.html"
_PLAIN: Final = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>landloom annotate</title>
<h1>The annotation page is not built in this installation</h1>
<p>In a checkout, <code>make web</code> builds it; wheels include it. The API works without it.</p>
</html>
"""
_HASHED: Final = "public, max-age=31536000, immutable"
_MEDIA: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
_PACKED: Final = (".html", ".js", ".css", ".svg", ".json")


def built() -> bool:
    """Whether the annotation page is built."""
    return (STATIC / INDEX).is_file()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFile:
    """One file of the page."""

    content: bytes
    packed: bytes | None
    """As gzip; None where that is of no use."""
    media: str
    cache: str

    @classmethod
    def of(cls, name: str, content: bytes) -> PageFile:
        """Pack it once.

        Example:
            >>> PageFile.of("assets/index-4f2a.js", b"1;" * 999).media
            'text/javascript'
        """
        ending = PurePosixPath(name).suffix
        media = _MEDIA.get(ending, "application/octet-stream")
        packed = gzip.compress(content, mtime=0) if ending in _PACKED else None
        cache = _HASHED if name.startswith("assets/") else "no-cache"  # names of assets hold a digest of them
        return cls(content=content, packed=packed, media=media, cache=cache)

    def response(self, headers: dict[str, str]) -> Response:
        """As a browser asks for it."""
        tag = f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'
        own = {"cache-control": self.cache, "etag": tag, "vary": "accept-encoding"}
        if headers.get("if-none-match") == tag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=own)
        if self.packed is not None and "gzip" in headers.get("accept-encoding", ""):
            return Response(self.packed, headers=own | {"content-encoding": "gzip"}, media_type=self.media)
        return Response(self.content, headers=own, media_type=self.media)


def page_files(folder: Path = STATIC) -> dict[str, PageFile]:
    """The files of the built page by relative name, read once: nothing else is ever served from there."""
    files = {
        path.relative_to(folder).as_posix(): PageFile.of(path.relative_to(folder).as_posix(), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    files.setdefault(INDEX, PageFile.of(INDEX, _PLAIN))
    return files


class Page:
    """The page as an ASGI application.

    Args:
        files: from `page_files`.
    """

    def __init__(self, files: dict[str, PageFile]) -> None:
        self.files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for the file that `name` in the path says."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        file = self.files.get(scope.get("path_params", {}).get("name") or INDEX)
        if file is None:
            response = response_to(not_found())
        elif scope["method"] not in ("GET", "HEAD"):
            refused = RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "another method is needed", {"allow": "GET, HEAD"})
            response = response_to(refused)
        else:
            response = file.response(headers)
        await response(scope, receive, send)
