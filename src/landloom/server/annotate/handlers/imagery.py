"""Imagery of tasks for the page: what a window is, its bytes, its superpixels; for annotators and reviewers alike."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
from starlette.responses import Response

from landloom.errors import InvalidInputError
from landloom.server.annotate.routes import BINARY, utc

if TYPE_CHECKING:
    from landloom.annotate.tasks.values import TaskWindow
    from landloom.server.annotate.calls import Call
    from landloom.server.annotate.state import AppState

_LASTING: Final = {"cache-control": "private, max-age=86400, immutable", "vary": "accept-encoding"}
_SUPERPIXELS: Final = (3, 32)


def place_document(place: TaskWindow) -> dict[str, Any]:
    """Where a task lies in its chip."""
    return {"row": place.row, "column": place.column, "height": place.height, "width": place.width}


def window_document(state: AppState, place: TaskWindow, href: str) -> dict[str, Any]:
    """What the window of a task holds.

    Args:
        state: has the imagery.
        place: the task.
        href: where the bytes of the window are served.
    """
    window = state.windows.window(place)
    return {
        "href": href,
        "rows": int(window.valid.shape[1]),
        "columns": int(window.valid.shape[2]),
        "row_offset": window.row,
        "column_offset": window.column,
        "times": [utc(time) for time in window.times],
        "clear": [round(share, 4) for share in window.clear],
        "bands": [band.name for band in window.bands],
    }


def series(state: AppState, call: Call, place: TaskWindow) -> Response:
    """The series of a task and its surroundings: uint16 reflectance (time, band, y, x), then uint8 valid (time, y, x).

    It is packed only for other machines, and only if the client asks for it.
    """
    content = state.windows.window(place).payload()
    wanted = "" if state.site.loopback else call.headers.get("accept-encoding", "")
    codings = {part.partition(";")[0].strip() for part in wanted.split(",") if not part.strip().endswith(";q=0")}
    if "zstd" in codings:
        packed = bytes(imagecodecs.zstd_encode(content, level=1))
        return Response(packed, media_type=BINARY, headers=_LASTING | {"content-encoding": "zstd"})
    if "gzip" in codings:
        packed = gzip.compress(content, compresslevel=1, mtime=0)
        return Response(packed, media_type=BINARY, headers=_LASTING | {"content-encoding": "gzip"})
    return Response(content, media_type=BINARY, headers=_LASTING)


def size_of(call: Call) -> int:
    """Side of superpixels in pixels, as asked for.

    Raises:
        InvalidInputError: no whole number, or too small or large.
    """
    text = call.query.get("size", "6")
    low, high = _SUPERPIXELS
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and low <= int(text) <= high):
        raise InvalidInputError(f"size: got {text[:20]!r}, expected {low} to {high} pixels")
    return int(text)


def segments(state: AppState, place: TaskWindow, size: int) -> Response:
    """Segments of a task, numbered from 1: uint16 (height, width)."""
    found = state.windows.superpixels(place, size)
    return Response(found.astype("<u2").tobytes(), media_type=BINARY, headers=_LASTING)
