"""Named arrays in one memory-mapped file: the sidecar on disk.

A file is magic, the CRC-32C of all that follows, the length of a JSON header, the header (name → dtype, shape, offset;
and any `meta`), then the arrays, each on a multiple of 64 bytes. Numbers are little-endian. A reader checks the file
once, when it opens it, and then touches only the pages that it uses.
"""

from __future__ import annotations

import json
import mmap
import os
from typing import TYPE_CHECKING, Any, Final

import google_crc32c
import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

MAGIC: Final = b"landloom sidecar 5\n"
"""Changes with the format, so that older files are rebuilt and never misread."""
_ALIGN: Final = 64
_SUM: Final = len(MAGIC) + 4
"""Where the part begins that the checksum covers."""
_LEAD: Final = _SUM + 8
"""Where the header begins."""
_BLOCK: Final = 1 << 18


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGN) * _ALIGN


def pack(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> bytes:
    """The bytes of a file.

    Example:
        >>> arrays, meta = unpack(pack({"rows": np.arange(3)}, {"name": "demo"}))
        >>> arrays["rows"].tolist(), meta
        ([0, 1, 2], {'name': 'demo'})
    """
    table: dict[str, tuple[str, tuple[int, ...], int]] = {}
    offset = 0
    for name, array in arrays.items():
        table[name] = (array.dtype.newbyteorder("<").str, array.shape, offset)
        offset = _aligned(offset + array.nbytes)
    header = json.dumps({"arrays": table, "size": offset, "meta": meta}, separators=(",", ":")).encode()
    start = _aligned(_LEAD + len(header))
    out = bytearray(start + offset)
    out[: len(MAGIC)] = MAGIC
    out[_SUM:_LEAD] = len(header).to_bytes(8, "little")
    out[_LEAD : _LEAD + len(header)] = header
    for name, array in arrays.items():
        at = start + table[name][2]
        out[at : at + array.nbytes] = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
    out[len(MAGIC) : _SUM] = _checksum(memoryview(out)[_SUM:])
    return bytes(out)


def _checksum(data: memoryview) -> bytes:
    """CRC-32C; the library takes nothing but `bytes`, so it gets them in blocks that fit into a processor's cache."""
    crc = 0
    for start in range(0, len(data), _BLOCK):
        crc = google_crc32c.extend(crc, bytes(data[start : start + _BLOCK]))
    return int(crc).to_bytes(4, "little")


def unpack(data: bytes | mmap.mmap) -> tuple[Arrays, dict[str, Any]]:
    """Arrays, as read-only views of the data, and `meta`.

    Raises:
        InvalidInputError: another format, or a file that is damaged or cut off.
    """
    if len(data) < _LEAD or data[: len(MAGIC)] != MAGIC:
        raise InvalidInputError("got a file of another format, expected a sidecar")
    if _checksum(memoryview(data)[_SUM:]) != data[len(MAGIC) : _SUM]:
        raise InvalidInputError("got a damaged sidecar")
    length = int.from_bytes(data[_SUM:_LEAD], "little")
    header = json.loads(data[_LEAD : _LEAD + length])
    start = _aligned(_LEAD + length)
    arrays: Arrays = {}
    for name, (dtype, shape, offset) in header["arrays"].items():
        count = int(np.prod(shape, dtype=np.int64))
        view = np.frombuffer(data, dtype, count, start + offset) if count else np.empty(0, dtype)
        arrays[name] = view.reshape(shape)
    return arrays, header["meta"]


def load(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Map a file and unpack it; the map lives as long as one of its arrays.

    Raises:
        OSError: no such file, or it cannot be read.
        InvalidInputError: another format, or a truncated file.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise InvalidInputError("got an empty file, expected a sidecar")
        return unpack(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def write_atomically(path: Path, pieces: bytes | Iterable[bytes]) -> None:
    """Write under a name of one's own, flush, then rename: readers see the old file or the new one, never a part.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with part.open("wb") as file:
            for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
