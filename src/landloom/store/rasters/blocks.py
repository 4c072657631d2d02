"""Windows of a TIFF file, read block by block: each is fetched and decoded once as long as it is needed.

What these blocks do not hold as they should (a damaged or truncated block) is left to GDAL: it tells what is wrong, in
the words that lineage publishes.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from landloom.errors import TransientFaultError
from landloom.model.address import shown
from landloom.store.drivers import Part, file_of
from landloom.store.rasters.cache import block_cache
from landloom.store.rasters.codec import decode_block
from landloom.store.rasters.fetching import Fetch, fetcher, joined
from landloom.store.rasters.table import read_table

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.store.range_file import RangeFile
    from landloom.store.rasters.table import BlockTable, Read

_HEAD: Final = 2**14
"""Bytes at the start of a file that mostly hold all its tags."""
Box = tuple[int, int, int, int]
"""First row, first column, rows and columns, within the image."""


class Bytes(Protocol):
    """The bytes of a file."""

    size: int
    remote: bool
    """Whether several ranges are worth requesting at a time, and ahead."""
    identity: Hashable
    """Tells its version from any other file."""

    def part(self, start: int, stop: int) -> bytes:
        """Bytes from `start` to `stop`, within the file.

        Fewer if the system of this machine does not give them.

        Raises:
            PermanentFaultError: the file is gone.
            TransientFaultError: it is temporarily unreadable, or is another version now.
        """
        ...


class LocalBytes:
    """A file on this machine, or a part of one; it is open only while it is read.

    Args:
        href: its path, or that of a part.

    Raises:
        OSError: it cannot be read.
    """

    remote = False

    def __init__(self, href: str) -> None:
        part = Part.of(file_of(href))
        self._href = href
        self._path, self._first = (file_of(href), 0) if part is None else (part.file, part.offset)
        self._stamp = self._stamped(Path(self._path).stat())
        self.size = self._stamp[0] if part is None else part.size
        self.identity: Hashable = (self._path, self._first, self.size, self._stamp)

    def part(self, start: int, stop: int) -> bytes:
        """See `Bytes.part`."""
        parts = self.parts([(start, stop)])
        return b"" if parts is None else parts[0]

    def parts(self, spans: Iterable[tuple[int, int]]) -> list[bytes] | None:
        """Several parts; None if the system does not give them.

        Raises:
            TransientFaultError: the file is another version now.
        """
        try:
            with Path(self._path).open("rb", buffering=0) as file:
                stamp = self._stamped(os.fstat(file.fileno()))
                parts = [_pread(file.fileno(), self._first + start, stop - start) for start, stop in spans]
        except OSError:
            return None
        if stamp != self._stamp:
            raise TransientFaultError(f"{shown(self._href)}: the file changed while it was being read")
        return parts

    @staticmethod
    def _stamped(found: os.stat_result) -> tuple[int, int, int]:
        return found.st_size, found.st_mtime_ns, found.st_ino


def _pread(descriptor: int, start: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0:
        part = os.pread(descriptor, size, start)
        if not part:
            break
        parts.append(part)
        start, size = start + len(part), size - len(part)
    return b"".join(parts) if len(parts) != 1 else parts[0]


class RemoteBytes:
    """A file that is read over the network."""

    remote = True

    def __init__(self, file: RangeFile) -> None:
        self._file, self.size = file, file.size
        version = file.version
        known = (version.etag or version.modified) and not file.is_presumed
        self.identity: Hashable = (file.href.partition("?")[0], version) if known else object()

    def part(self, start: int, stop: int) -> bytes:
        """See `Bytes.part`."""
        return self._file.part(start, stop)


@dataclass(slots=True, kw_only=True)
class BlockFile:
    """The blocks of an open file."""

    table: BlockTable
    source: Bytes
    fill: Any
    """Value of pixels of blocks that are not stored."""
    _uses: dict[int, deque[int]] = field(default_factory=dict)
    """Block → positions of the planned reads of it that are still to come."""
    _ahead: dict[int, Fetch] = field(default_factory=dict)
    """Block → the range that brings it."""

    def read(self, box: Box, band: int) -> NDArray[Any] | None:
        """Pixels of a window; None if a block is not as it should be.

        Args:
            box: the window.
            band: counted from 1.

        Raises:
            PermanentFaultError: the file is gone.
            TransientFaultError: it is temporarily unreadable, or is another version now.
        """
        numbers = self.blocks(box, band)
        held, keys = block_cache(), {number: (self.source.identity, number) for number in numbers}
        found = {number: block for number in numbers if (block := held.get(keys[number])) is not None}
        encoded = self._encoded([number for number in numbers if number not in found])
        if encoded is None:
            return None
        for number, data in encoded.items():
            block = self._decoded(number, data)
            if block is None:
                return None
            found[number] = block
        for number in numbers:
            held.put(keys[number], found[number], self._used(number), fetcher().held // 2 if self._ahead else 0)
        return self._cut(found, box, band)

    def blocks(self, box: Box, band: int) -> list[int]:
        """Numbers of the blocks that a window touches, row by row."""
        top, left, height, width = box
        rows, columns = self.table.block
        return [
            self.table.number(row, column, band)
            for row in range(top // rows, (top + height - 1) // rows + 1)
            for column in range(left // columns, (left + width - 1) // columns + 1)
        ]

    def span(self, number: int) -> tuple[int, int] | None:
        """Where a block lies; None if it is not stored, or not within the file."""
        start, size = int(self.table.offsets[number]), int(self.table.counts[number])
        return (start, start + size) if size and start + size <= self.source.size else None

    def plan(self, uses: Mapping[int, Sequence[int]]) -> None:
        """Tell which blocks will be read: block → positions in the order of all reads."""
        for number, positions in uses.items():
            self._uses[number] = deque(positions)

    def ahead(self, uses: Mapping[int, Sequence[int]]) -> list[tuple[int, Fetch]]:
        """The ranges that bring planned blocks, each with the position at which the first of them is needed."""
        held = block_cache()
        ordered: list[tuple[tuple[int, int], int]] = []
        for number in uses:
            span = self.span(number)
            if span is not None and number not in self._ahead and held.get((self.source.identity, number)) is None:
                ordered.append((span, number))
        ordered.sort()
        fetches = [Fetch(self.source, *part) for part in joined([span for span, _ in ordered])]
        first: dict[Fetch, int] = {}
        parts = iter(fetches)
        part = next(parts, None)
        for span, number in ordered:
            while part is not None and span[1] > part.stop:
                part = next(parts, None)
            if part is not None:
                part.users += 1
                self._ahead[number] = part
                first[part] = min(first.get(part, uses[number][0]), uses[number][0])
        return [(position, fetch) for fetch, position in first.items()]

    def end_plan(self) -> None:
        """No read is planned any more."""
        block_cache().forget([(self.source.identity, number) for number in self._uses])
        if self._ahead:
            fetcher().release(set(self._ahead.values()))
        self._uses.clear()
        self._ahead.clear()

    def _used(self, number: int) -> int | None:
        """Count one of the planned reads of a block; the position of the next one."""
        uses = self._uses.get(number)
        if not uses:
            return None
        uses.popleft()
        if uses:
            return uses[0]
        self._done(number)
        return None

    def _done(self, number: int) -> None:
        """A block is not needed any more, nor what brought it, if it was the last one in it."""
        fetch = self._ahead.pop(number, None)
        if fetch is not None:
            fetch.users -= 1
            if fetch.users == 0:
                fetcher().release([fetch])

    def _encoded(self, numbers: Sequence[int]) -> dict[int, bytes | memoryview | None] | None:
        """Block → its bytes; None where it is not stored, nothing where it does not lie within the file.

        None if the system does not give them.
        """
        found: dict[int, bytes | memoryview | None] = {}
        asked: list[tuple[tuple[int, int], int]] = []
        for number in numbers:
            span, fetch = self.span(number), self._ahead.get(number)
            if span is None:
                found[number] = b"" if self.table.counts[number] else None
            elif fetch is None:
                asked.append((span, number))
            else:
                brought = memoryview(fetcher().now(fetch))
                found[number] = brought[span[0] - fetch.start : span[1] - fetch.start]
        asked.sort()
        parts = joined([span for span, _ in asked])
        got = self._parts(parts)
        if got is None:
            return None
        for (first, end), data in zip(parts, got, strict=True):
            whole = memoryview(data)
            for (start, stop), number in asked:
                if first <= start and stop <= end:
                    found[number] = whole[start - first : stop - first]
        return found

    def _parts(self, parts: Sequence[tuple[int, int]]) -> list[bytes] | None:
        if isinstance(self.source, LocalBytes):
            return self.source.parts(parts)
        if len(parts) < 2:
            return [self.source.part(*part) for part in parts]
        fetches = [Fetch(self.source, *part) for part in parts]
        try:
            return fetcher().several(fetches)
        finally:
            fetcher().release(fetches)

    def _decoded(self, number: int, data: bytes | memoryview | None) -> NDArray[Any] | None:
        if data is None:
            shape = self.table.shape(number)
            return np.full(shape, self.fill, self.table.dtype.newbyteorder("="))
        return decode_block(self.table, number, data)

    def _cut(self, found: Mapping[int, NDArray[Any]], box: Box, band: int) -> NDArray[Any]:
        top, left, height, width = box
        rows, columns = self.table.block
        cut = np.empty((height, width), self.table.dtype.newbyteorder("="))
        for row in range(top // rows, (top + height - 1) // rows + 1):
            for column in range(left // columns, (left + width - 1) // columns + 1):
                block = found[self.table.number(row, column, band)]
                pixels = block[:, :, band - 1] if block.ndim == 3 else block
                north, south = max(top, row * rows), min(top + height, (row + 1) * rows)
                west, east = max(left, column * columns), min(left + width, (column + 1) * columns)
                part = pixels[
                    north - row * rows : south - row * rows, west - column * columns : east - column * columns
                ]
                cut[north - top : south - top, west - left : east - left] = part
        return cut


def bytes_of(href: str, remote: RangeFile | None) -> Bytes | None:
    """The bytes of a file; None of what only GDAL can open, such as a member of an archive.

    Args:
        href: of the file.
        remote: the file, if it is read over the network.
    """
    if remote is not None:
        return RemoteBytes(remote)
    if file_of(href).startswith("/vsi") and not Part.of(file_of(href)):
        return None
    try:
        return LocalBytes(href)
    except OSError:
        return None


def range_reader(source: Bytes) -> Read:
    """Reads what lies between two positions of a file, as far as it goes; the first bytes of a local one only once."""
    head = b"" if source.remote else source.part(0, min(_HEAD, source.size))

    def read(start: int, stop: int) -> bytes:
        end = min(stop, source.size)
        if end <= len(head):
            return head[start:end]
        return source.part(start, end) if start < end else b""

    return read


def block_file(table: BlockTable, source: Bytes, nodata: Sequence[float | None]) -> BlockFile | None:
    """The blocks of a file; None if it is not certain what stands for those that are not stored.

    Args:
        table: of the file.
        source: its bytes.
        nodata: of each band, if the file declares it.
    """
    fill = _fill(table, nodata)
    return None if fill is None else BlockFile(table=table, source=source, fill=fill)


def opened_blocks(href: str, dataset: Any, remote: RangeFile | None) -> BlockFile | None:
    """The blocks of a file that GDAL has opened; None if only GDAL can read it.

    Args:
        href: of the file.
        dataset: of rasterio.
        remote: the file, if it is read over the network.

    Raises:
        PermanentFaultError: the file is gone.
        TransientFaultError: it is temporarily unreadable.
    """
    source = bytes_of(href, remote) if dataset.driver == "GTiff" else None
    table = None if source is None else read_table(range_reader(source))
    if source is None or table is None or not _is_of(table, dataset):
        return None
    return block_file(table, source, dataset.nodatavals)


def _is_of(table: BlockTable, dataset: Any) -> bool:
    """Whether GDAL sees the same image in the same blocks."""
    return (
        (table.height, table.width) == dataset.shape
        and table.bands == dataset.count
        and {np.dtype(one) for one in dataset.dtypes} == {table.dtype.newbyteorder("=")}
        and set(dataset.block_shapes) == {table.block}
    )


def _fill(table: BlockTable, nodata: Sequence[float | None]) -> Any | None:
    """What GDAL returns for blocks that are not stored: nodata, else 0; None if that is not certain."""
    values = set(nodata)
    if table.counts.all() or values == {None}:
        return table.dtype.type(0)
    if len(values) != 1:
        return None
    (value,) = values
    limits = None if table.dtype.kind == "f" else np.iinfo(table.dtype)
    if limits is not None and not (float(value or 0).is_integer() and limits.min <= (value or 0) <= limits.max):
        return None
    return table.dtype.type(value)
