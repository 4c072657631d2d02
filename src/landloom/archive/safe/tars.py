"""Tar files that hold products: members by their place in the file, compressed ones unpacked once.

Nothing is extracted to a path that a tar file names: only headers are read, and members are opened by offset and
length. A compressed file becomes a plain one first, in the folder `.landloom` beside it.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from landloom.errors import InvalidInputError
from landloom.store.drivers import Part
from landloom.store.faults import os_fault

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER: Final = ".landloom"
"""Folder of unpacked tar files, beside the packed ones."""
ENDINGS: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz")
"""Of names of tar files that are read."""
BROKEN: Final = (tarfile.TarError, zlib.error)
"""What reading a damaged file may raise, beyond OSError, EOFError and ValueError."""
_OPEN: Final[dict[bytes, Callable[[Path], Any]]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open}
"""First bytes → opens a compressed file."""
_HEADER: Final = 2**20
"""Bytes of a header at most, which holds names and attributes."""
_ENDS: Final = 2**16
"""Bytes at the beginning and at the end of a file that identify it, with its size."""
_FREE: Final = 2**26
_RATIO: Final = 20
"""A compressed file may unpack to `_FREE` bytes and this many times its size; images hardly shrink."""
_CHUNK: Final = 2**20


class _Headers(io.BufferedReader):
    """A tar file of which no more is read at once than a header may have."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= _HEADER:
            raise tarfile.ReadError(f"got a header of {size} bytes, expected at most {_HEADER:,}")
        return super().read(size)


def tar_parts(place: Path, most: int) -> dict[str, Part]:
    """The regular files of a tar file that is not compressed, by name; of a name that stands twice, the last.

    Args:
        place: of the file.
        most: number of members.

    Raises:
        OSError: it cannot be read.
        tarfile.TarError: it is damaged.
        InvalidInputError: it has more members.
    """
    found: dict[str, Part] = {}
    with (
        _Headers(io.FileIO(place)) as file,
        tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="replace") as archive,
    ):
        for number, member in enumerate(archive):
            if number >= most:
                raise InvalidInputError(f"{place}: got more than {most:,} members, expected products")
            if member.isreg() and not member.issparse():
                found[member.name] = Part(file=place.as_posix(), offset=member.offset_data, size=member.size)
    return found


def plain(place: Path) -> Path:
    """A tar file that is not compressed: itself, or its unpacked copy, which is made if it is not there.

    Raises:
        OSError: it cannot be read.
        InvalidInputError: it unpacks to more than any product.
        FaultError: the copy cannot be written here.
    """
    with place.open("rb") as file:
        head = file.read(_ENDS)
        file.seek(max(0, place.stat().st_size - _ENDS))
        ends = head + file.read()
    opener = next((opener for first, opener in _OPEN.items() if head.startswith(first)), None)
    if opener is None:
        return place
    size = place.stat().st_size
    name = hashlib.sha256(ends + str(size).encode()).hexdigest()[:16]
    copy = place.parent / FOLDER / f"{place.name}-{name}.tar"
    if not copy.exists():
        with opener(place) as packed:
            _unpack(packed, copy, place, _FREE + _RATIO * size)
    return copy


def _unpack(packed: IO[bytes], copy: Path, place: Path, most: int) -> None:
    try:
        copy.parent.mkdir(exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=copy.parent)
    except OSError as error:
        raise os_fault(error, _where(copy, place)) from error
    with scratch as folder, (Path(folder) / "copy").open("wb") as file:
        size = 0
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise InvalidInputError(f"{place}: unpacks to more than {most:,} bytes, expected products")
            _write(file, chunk, _where(copy, place))
        Path(file.name).replace(copy)


def _write(file: IO[bytes], chunk: bytes, where: str) -> None:
    try:
        file.write(chunk)
        file.flush()
    except OSError as error:
        raise os_fault(error, where) from error


def _where(copy: Path, place: Path) -> str:
    return f"{copy.parent}, where {place.name} is unpacked"
