"""A remote raster as a file object for GDAL: blocks are cached, ranges merged and requested concurrently.

GDAL's callbacks cannot raise. So a `RangeFile` records the error and gives GDAL nothing (or zeros), and the caller of
GDAL calls `RangeFile.check` afterwards, whether or not GDAL reported an error.
"""

from __future__ import annotations

import io
import itertools
import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import FaultError, PermanentFaultError
from landloom.store.network.headers import Header, StaleHeaderError, forget_header, keep_header, kept_header
from landloom.store.ranges import BLOCK, ChangedFileError, open_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.store.patience import Patience
    from landloom.store.ranges import Source
    from landloom.store.versions import Version

_BLOCKS: Final = 32
"""Blocks cached per file."""
_GAP: Final = 64 * 2**10
"""Bytes between two ranges up to which they are merged into one request."""
_LONGEST: Final = 8 * 2**20
"""Bytes of the largest merged request."""
_FIRST: Final = 4096
"""First bytes that are kept of every header: they tell the format, and the tiles of a JPEG 2000 file."""
_AT_ONCE: Final = 32
"""Concurrent range requests of a process."""


class RangeFile(io.RawIOBase):
    """A remote file, read only.

    Args:
        href: its URL.
        patience: retry policy.
        document: address of the document that names it; None if the user does.

    Raises:
        PermanentFaultError: there is no such file, or its host may not be contacted.
        TransientFaultError: it is temporarily unreadable.
    """

    def __init__(self, href: str, patience: Patience | None = None, document: str | None = None) -> None:
        super().__init__()
        self._header = kept_header(href)
        known = None if self._header is None else self._header.version
        self._source: Source = open_source(href, patience, document, known)
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict({0: self._source.head} if known is None else {})
        self._asked: list[tuple[int, bytes]] | None = [(0, self._source.head[:_FIRST])] if known is None else None
        self._is_confirmed = False
        """Whether an answer has told that the file is that of the header."""
        self._fault: FaultError | None = None
        self.href = href
        self.document = document

    @property
    def head(self) -> bytes:
        """The first bytes, which identify the format."""
        return self._source.head if self._header is None else self._header.head

    @property
    def size(self) -> int:
        """Size of the whole file in bytes."""
        return self._source.size

    @property
    def version(self) -> Version:
        """What tells the file from other versions of it."""
        return self._source.version

    @property
    def is_presumed(self) -> bool:
        """Whether the file has not told its version since it was opened: it is that of the header that was kept."""
        return self._header is not None and not self._is_confirmed

    def part(self, start: int, stop: int) -> bytes:
        """Bytes between two positions within the file; may be called by several threads.

        Raises:
            PermanentFaultError: the file is gone.
            TransientFaultError: it is temporarily unreadable, or has changed.
        """
        head = self._source.head
        return self._noted(start, head[start:stop] if stop <= len(head) else self._part(start, stop))

    def opened(self) -> None:
        """What was asked for so far is all that is needed to open the file: keep it, where headers are kept."""
        asked, self._asked = self._asked, None
        if asked is not None:
            keep_header(self.href, Header.of(self.version, asked))

    def check(self) -> None:
        """Raise the error since the last call, if there was one.

        Raises:
            PermanentFaultError: the file is gone or truncated.
            TransientFaultError: it is temporarily unreadable, or has changed.
        """
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position; returns it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._source.size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Bytes from the current position; fewer at the end of the file, none after an error."""
        end = self._source.size
        stop = end if size < 0 else min(self._position + size, end)
        try:
            data = self._bytes(self._position, stop) if stop > self._position else b""
        except FaultError as error:
            self._fault = error
            return b""
        self._position += len(data)
        return data

    def get_byte_ranges(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """Several ranges at once; zeros after an error."""
        ranges = [(start, start + size) for start, size in zip(offsets, sizes, strict=True)]
        parts = list(_put_together(sorted(ranges)))
        try:
            if len(parts) == 1:
                found = [self._bytes(*parts[0])]
            else:
                found = list(_pool(os.getpid()).map(lambda part: self._bytes(*part), parts))
            return [self._cut(parts, found, one) for one in ranges]
        except FaultError as error:
            self._fault = error
            return [bytes(size) for size in sizes]

    def close(self) -> None:
        """Nothing: GDAL closes what it opened, and may open it again."""
        self._position = 0

    def finish(self) -> None:
        """Close the file."""
        self._source.close()
        super().close()

    def _cut(self, parts: list[tuple[int, int]], found: list[bytes], wanted: tuple[int, int]) -> bytes:
        start, stop = wanted
        number = next(index for index, part in enumerate(parts) if part[0] <= start and stop <= part[1])
        return found[number][start - parts[number][0] : stop - parts[number][0]]

    def _bytes(self, start: int, stop: int) -> bytes:
        kept = None if self._header is None else self._header.cut(start, stop)
        if kept is not None:
            return kept
        if stop > self._source.size:
            if self.is_presumed:
                self._asked_for(0, 1)
            # Lineage publishes this text: another wording would change the bytes of existing corpora.
            got, wanted = max(self._source.size - start, 0), stop - start
            raise PermanentFaultError(f"{self.href}: truncated: a block has {got:,} bytes, wanted {wanted:,}")
        if stop - start > BLOCK:
            return self._noted(start, self._part(start, stop))
        first, last = start // BLOCK, (stop - 1) // BLOCK
        data = b"".join(self._block(number) for number in range(first, last + 1))
        return self._noted(start, data[start - first * BLOCK : stop - first * BLOCK])

    def _part(self, start: int, stop: int) -> bytes:
        """A part that is asked for, or in the header that was kept.

        Raises:
            StaleHeaderError: the file is not that of the header.
        """
        kept = None if self._header is None else self._header.cut(start, stop)
        return self._asked_for(start, stop) if kept is None else kept

    def _asked_for(self, start: int, stop: int) -> bytes:
        """A part that is asked for; errors as of `_part`."""
        try:
            data = self._source.part(start, stop)
        except (PermanentFaultError, ChangedFileError) as error:
            if not self.is_presumed:
                raise
            forget_header(self.href)
            raise StaleHeaderError(str(error)) from error
        self._is_confirmed = True
        return data

    def _noted(self, start: int, data: bytes) -> bytes:
        if self._asked is not None:
            self._asked.append((start, data))
        return data

    def _block(self, number: int) -> bytes:
        block = self._blocks.pop(number, None)
        if block is None:
            start = number * BLOCK
            block = self._part(start, min(start + BLOCK, self._source.size))
        self._blocks[number] = block
        if len(self._blocks) > _BLOCKS:
            self._blocks.popitem(last=False)
        return block


def _put_together(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort ranges and merge those that are close together.

    Example:
        >>> _put_together([(0, 10), (20, 30), (10_000_000, 10_000_010)])
        [(0, 30), (10000000, 10000010)]
    """
    parts: list[tuple[int, int]] = []
    for start, stop in ranges:
        if parts and start - parts[-1][1] <= _GAP and stop - parts[-1][0] <= _LONGEST:
            parts[-1] = (parts[-1][0], max(stop, parts[-1][1]))
        else:
            parts.append((start, stop))
    return parts


class Opener:
    """Gives GDAL open `RangeFile`s, by placeholder names."""

    def __init__(self) -> None:
        self._files: dict[str, RangeFile] = {}
        self._numbers = itertools.count()

    def add(self, file: RangeFile) -> str:
        """Register a file; returns the name under which GDAL opens it."""
        name = f"landloom/{next(self._numbers)}"
        self._files[name] = file
        return name

    def remove(self, name: str) -> None:
        """Unregister a file."""
        self._files.pop(name, None)

    def open(self, path: str, mode: str = "r", **options: Any) -> RangeFile:  # noqa: ARG002 - the signature is rasterio's
        """The file with that name."""
        if path not in self._files:
            raise FileNotFoundError(path)
        return self._files[path]

    def isfile(self, path: str) -> bool:
        """Whether there is a file with that name."""
        return path in self._files

    def isdir(self, path: str) -> bool:  # noqa: ARG002
        """Always False."""
        return False

    def ls(self, path: str) -> list[str]:  # noqa: ARG002
        """Nothing: folders are not listed."""
        return []

    def mtime(self, path: str) -> int:  # noqa: ARG002
        """Unknown."""
        return 0

    def rm(self, path: str) -> None:
        """Not allowed."""
        raise PermissionError(path)

    def size(self, path: str) -> int:
        """Size in bytes."""
        return self._files[path].size


@cache
def opener() -> Opener:
    """The opener of this process: GDAL registers an opener by its identity."""
    from rasterio.abc import MultiByteRangeResourceContainer

    MultiByteRangeResourceContainer.register(Opener)
    return Opener()


@cache
def _pool(process: int) -> ThreadPoolExecutor:  # noqa: ARG001 - threads are not inherited
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ranges")
