"""Arrays that are filled before anything is written: in memory, or in temporary files if they are large."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import DiskFullError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack

    from numpy.typing import NDArray

IN_MEMORY: Final = 512 * 2**20
"""Total bytes of the arrays up to which they are kept in memory."""


def scratch_arrays(
    shapes: Mapping[str, tuple[tuple[int, ...], Any]], stack: ExitStack, limit: int = IN_MEMORY
) -> dict[str, NDArray[Any]]:
    """Arrays of zeros.

    Args:
        shapes: name → shape and type.
        stack: closes the temporary files.
        limit: largest number of bytes in memory.

    Raises:
        DiskFullError: the folder of temporary files has no space for them.

    Example:
        >>> from contextlib import ExitStack
        >>> with ExitStack() as stack:
        ...     scratch_arrays({"a": ((2,), np.uint8)}, stack)["a"].tolist()
        [0, 0]
    """
    size = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in shapes.values())
    if size <= limit:
        return {name: np.zeros(shape, dtype) for name, (shape, dtype) in shapes.items()}
    return {name: _on_disk(shape, np.dtype(dtype), stack) for name, (shape, dtype) in shapes.items()}


def release(array: NDArray[Any]) -> None:
    """Give back the memory behind an array on disk, whose values stay in its file; one in memory is left as it is."""
    mapped = getattr(array, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


class Spool:
    """Pieces of bytes in a temporary file, added by any thread.

    Args:
        stack: closes the file.

    Raises:
        DiskFullError: the folder of temporary files has no space for them.

    Example:
        >>> from contextlib import ExitStack
        >>> with ExitStack() as stack:
        ...     spool = Spool(stack)
        ...     spool.add(3, b"three")
        ...     3 in spool, spool.get(3)
        (True, b'three')
    """

    def __init__(self, stack: ExitStack) -> None:
        with _named_shortage("a temporary file"):
            self._file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        self._lock, self._end = threading.Lock(), 0
        self._places: dict[int, tuple[int, int]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def add(self, number: int, *parts: bytes | memoryview) -> None:
        """Keep a piece under a number, given in one or several parts."""
        lengths = [memoryview(part).nbytes for part in parts]
        with self._lock:
            start, self._end = self._end, self._end + sum(lengths)
        with _named_shortage(f"{sum(lengths):,} bytes of temporary data"):
            at = start
            for part, length in zip(parts, lengths, strict=True):
                _write(self._file.fileno(), memoryview(part).cast("B"), at)
                at += length
        self._places[number] = start, sum(lengths)

    def clear(self) -> None:
        """Forget all pieces; nobody adds any at the time."""
        self._places.clear()
        self._end = 0

    def get(self, number: int) -> bytes:
        """The piece of a number."""
        start, length = self._places[number]
        return os.pread(self._file.fileno(), length, start)


def _write(descriptor: int, data: memoryview, at: int) -> None:
    while data.nbytes:
        done = os.pwrite(descriptor, data, at)
        data, at = data[done:], at + done


@contextmanager
def _named_shortage(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        raise DiskFullError(f"{tempfile.gettempdir()}: no space left for {what}; free some, or set TMPDIR") from error


def _on_disk(shape: tuple[int, ...], dtype: np.dtype[Any], stack: ExitStack) -> NDArray[Any]:
    """An array of zeros in a fully allocated temporary file: writing to a sparse one would crash on a full disk."""
    size = int(np.prod(shape)) * dtype.itemsize
    with _named_shortage(f"{size:,} bytes of temporary data"):
        file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        _allocate(file.fileno(), size)
    return np.memmap(file, dtype, "r+", shape=shape)


def _allocate(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    block = bytes(2**20)
    for start in range(0, size, len(block)):
        os.pwrite(descriptor, block[: size - start], start)
