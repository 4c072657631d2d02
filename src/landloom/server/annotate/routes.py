"""What a route is: its path, who may call it, what it accepts, and the function that answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from landloom.annotate.tasks.values import CampaignSettings
    from landloom.server.annotate.access import Access
    from landloom.server.annotate.calls import Call
    from landloom.server.annotate.state import AppState

    Handler = Callable[[AppState, Call], Response | "Then"]

JSON: Final = "application/json"
BINARY: Final = "application/octet-stream"
SMALL: Final = 16_384
"""Bytes of a body of names, passwords and reasons."""
_TEXTS: Final = 65_536
"""Bytes of a submission beside its labels: comment, dates viewed."""


class Body(StrEnum):
    """What the body of a request may be; every kind has a largest size."""

    NONE = ""
    """Nothing that is read."""
    FIELDS = "fields"
    """A small JSON object."""
    SUBMISSION = "submission"
    """A JSON object with a label raster in base64."""
    LABELS = "labels"
    """A label raster."""

    @property
    def media(self) -> str | None:
        """Content type that a request states."""
        return {Body.NONE: None, Body.LABELS: BINARY}.get(self, JSON)

    def most(self, settings: CampaignSettings) -> int:
        """Largest size in bytes."""
        pixels = settings.task_size**2
        return {Body.SUBMISSION: 4 * pixels // 3 + _TEXTS, Body.LABELS: pixels}.get(self, SMALL)


class Lane(StrEnum):
    """What else runs at the same time: routes of one lane never wait for those of another."""

    QUICK = "quick"
    """What people wait for: submissions, drafts, and other short questions to the ledger."""
    TAKING = "taking"
    """New tasks, which the page asks for ahead of time: they give way to submissions."""
    PASSWORD = "password"  # noqa: S105 - a name
    """Hashing, which takes a core and 64 MiB for half a second."""
    READING = "reading"
    """Chips, superpixels, figures."""


@dataclass(frozen=True, slots=True)
class Then:
    """The rest of the work on a request, for another lane."""

    lane: Lane
    respond: Callable[[], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    """Below `/annotate`, with parameters in braces."""
    access: Access
    handler: Handler
    body: Body = Body.NONE
    lane: Lane = Lane.QUICK

    @property
    def changes(self) -> bool:
        """Whether it changes something, so that a browser must show that its own page asks."""
        return self.method != "GET"


def json_response(value: Any, headers: dict[str, str] | None = None) -> Response:
    """A JSON document that nobody may keep."""
    return Response(orjson.dumps(value), media_type=JSON, headers={"cache-control": "no-store"} | (headers or {}))


def utc(moment: datetime) -> str:
    """A time in documents.

    Example:
        >>> from datetime import UTC, datetime
        >>> utc(datetime(2018, 1, 6, 10, 12, 25, tzinfo=UTC))
        '2018-01-06T10:12:25Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
