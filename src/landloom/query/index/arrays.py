"""Named arrays in one memory-mapped file: the sidecar on disk.

A file is magic, the length of a JSON header, the header (name → dtype, shape, offset; and any `meta`), then the arrays,
each at a multiple of 64 bytes. Numbers are little-endian. A reader loads only the pages that it uses.
"""

from __future__ import annotations

import json
import mmap
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

MAGIC: Final = b"landloom sidecar 3\n"
"""Version of the format; older files are rebuilt."""
_ALIGN: Final = 64


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
    start = _aligned(len(MAGIC) + 8 + len(header))
    out = bytearray(start + offset)
    out[: len(MAGIC)] = MAGIC
    out[len(MAGIC) : len(MAGIC) + 8] = len(header).to_bytes(8, "little")
    out[len(MAGIC) + 8 : len(MAGIC) + 8 + len(header)] = header
    for name, array in arrays.items():
        at = start + table[name][2]
        out[at : at + array.nbytes] = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
    return bytes(out)


def unpack(data: bytes | mmap.mmap) -> tuple[Arrays, dict[str, Any]]:
    """Arrays, as read-only views of the data, and `meta`.

    Raises:
        InvalidInputError: another format, or a truncated file.
    """
    lead = len(MAGIC) + 8
    if len(data) < lead or data[: len(MAGIC)] != MAGIC:
        raise InvalidInputError("got a file of another format, expected a sidecar")
    length = int.from_bytes(data[len(MAGIC) : lead], "little")
    if len(data) < lead + length:
        raise InvalidInputError("got a truncated sidecar")
    header = json.loads(data[lead : lead + length])
    start = _aligned(lead + length)
    if len(data) < start + header["size"]:
        raise InvalidInputError("got a truncated sidecar")
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
    """Write to a unique name, then rename: readers see the old file or the new one, never a part.

    Raises:
        OSError: the folder cannot be written.
    """
    import secrets

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with part.open("wb") as file:
            for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                file.write(piece)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
