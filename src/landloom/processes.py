"""Settings of processes that are landloom's own, commands and their workers; programs that use it keep theirs."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from ctypes import CDLL
from threading import Event
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMORY: Final = {-8: 1, -3: 32 * 2**20, -1: 256 * 2**20}
"""Options of glibc's mallopt: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD → value."""
_own: Final = Event()
"""Whether this process is landloom's own."""


@contextmanager
def importing() -> Iterator[None]:
    """Within, Python does not look for cycles: of what modules hold, hardly anything is in one.

    In a process of landloom's own, it does not look there later either.

    Example:
        >>> with importing():
        ...     import landloom
    """
    usual = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if usual:
            if _own.is_set():
                gc.freeze()
            gc.enable()


def settle() -> None:
    """Set this process up for blocks of pixels that threads hand to each other; call it before NumPy is imported.

    By default, glibc gives each thread memory of its own and returns what is freed to the system, which has to fill it
    with zeros for the next block: with one share for all that is kept, a build takes less CPU time, and a third less
    memory. OpenBLAS has threads that wait in a loop for work that does not come. What the environment says of either
    stands.
    """
    _own.set()
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return
    try:
        os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):  # another library, another system
        return
    for option, value in _MEMORY.items():
        CDLL(None).mallopt(option, value)
