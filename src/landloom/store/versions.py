"""Versions of the files that a unit reads: noted while it runs, compared before it counts as done.

Addresses with a query are not noted: it may be a signature, which expires and is a secret.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.model.address import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PLAIN: Final = {"Accept-Encoding": "identity"}
"""Headers that ask for bytes as they are: ranges and lengths of a compressed body mean nothing."""
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_noted: ContextVar[dict[str, Version] | None] = ContextVar("noted", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What tells one version of a file from another; never a time of change on this machine."""

    size: int | None = None
    """Bytes; None if not known, or if there is no such file."""
    etag: str | None = None
    """Strong ETag of a remote file."""
    modified: str | None = None
    """Last-Modified of a remote file."""
    absent: bool = False
    """Whether there is no such file."""

    @classmethod
    def of_headers(cls, headers: Mapping[str, str], size: int | None) -> Version:
        """The version that an HTTP answer states.

        Example:
            >>> Version.of_headers({"ETag": 'W/"1"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, 7).etag
        """
        etag = headers.get("ETag")
        strong = None if etag is None or etag.startswith("W/") else etag
        return cls(size=size, etag=strong, modified=headers.get("Last-Modified"))

    @classmethod
    def of_file(cls, path: str) -> Version:
        """The version of a file on this machine: its size; nothing is said of one within an archive."""
        if path.startswith("/vsi"):
            return cls()
        try:
            return cls(size=os.stat(path).st_size)  # noqa: PTH116 - of millions of files; three times as fast
        except (OSError, ValueError):
            return cls(absent=True)

    def differs(self, other: Version) -> bool:
        """Whether anything that both state is different.

        Example:
            >>> Version(size=7).differs(Version(size=7, etag='"a"')), Version(size=7).differs(Version(absent=True))
            (False, True)
        """
        pairs = [(self.size, other.size), (self.etag, other.etag), (self.modified, other.modified)]
        return self.absent != other.absent or any(None not in pair and pair[0] != pair[1] for pair in pairs)

    def document(self) -> list[int | str | bool | None]:
        """As JSON values."""
        return [self.size, self.etag, self.modified, self.absent]

    @classmethod
    def parse(cls, document: Sequence[object]) -> Version:
        """The inverse of `document`."""
        size, etag, modified, absent = document
        return cls(size=size, etag=etag, modified=modified, absent=absent)  # type: ignore[arg-type]


@contextmanager
def noted_versions() -> Iterator[dict[str, Version]]:
    """Collect the versions of the files that are opened within: address → version.

    Example:
        >>> with noted_versions() as noted:
        ...     note_version("https://example.org/B04.tif", Version(size=7))
        ...     note_version("https://example.org/B08.tif?sig=secret", Version(size=7))
        >>> list(noted)
        ['https://example.org/B04.tif']
    """
    noted: dict[str, Version] = {}
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def note_version(href: str, version: Version) -> None:
    """Note the version of a file that is being read."""
    noted = _noted.get()
    if noted is not None and shown(href) == href:
        noted[href] = version


def stated_range(headers: Mapping[str, str]) -> tuple[int, int | None] | None:
    """First byte of the range that an HTTP answer brings, and size of the whole file; None where it does not say.

    Example:
        >>> stated_range({"Content-Range": "bytes 10-19/100"}), stated_range({"Content-Range": "bytes 10-19/*"})
        ((10, 100), (10, None))
    """
    found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
    return None if found is None else (int(found[1]), None if found[3] == "*" else int(found[3]))
