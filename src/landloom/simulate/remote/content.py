"""What a server has: documents, and files of which any part can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

DOCUMENT = "catalogue"
"""Kind of requests for documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Something that a server has."""

    type: str
    """Media type."""
    size: int
    """Bytes."""
    part: Callable[[int, int], Sequence[bytes | memoryview]]
    """Bytes from a position up to another, in pieces."""
    etag: str | None = None
    """Tells this version from others; None for documents."""

    @classmethod
    def document(cls, data: bytes, kind: str = "application/json") -> Held:
        """A document."""
        return cls(type=kind, size=len(data), part=lambda start, stop: (data[start:stop],))


class Content(Protocol):
    """What a server has."""

    def find(self, path: str, query: str, body: bytes, address: str) -> Held | None:
        """What lies at a path; None if there is nothing.

        Args:
            path: begins with a slash.
            query: after the question mark; empty without one.
            body: of a POST; else empty.
            address: of the server, to which documents link.
        """
        ...


class FolderContent:
    """The files of a folder."""

    def __init__(self, folder: Path) -> None:
        """Set the folder."""
        self._folder = folder.resolve()

    def find(self, path: str, query: str, body: bytes, address: str) -> Held | None:  # noqa: ARG002
        """See `Content.find`."""
        file = (self._folder / path.lstrip("/")).resolve()
        if self._folder not in file.parents or not file.is_file():
            return None
        stat = file.stat()

        def part(start: int, stop: int) -> tuple[bytes]:
            with file.open("rb") as opened:
                opened.seek(start)
                return (opened.read(stop - start),)

        etag = f'"{stat.st_size}-{stat.st_mtime_ns}"'
        return Held(type="application/octet-stream", size=stat.st_size, part=part, etag=etag)
