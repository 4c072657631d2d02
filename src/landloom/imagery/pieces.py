"""Pixels of a stack in pieces, each in a thread of its own: kernels let go of the interpreter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable


def in_pieces(work: Callable[[int, int], None], pixels: int, *, block: int, threads: int) -> None:
    """Call a function for every piece of the pixels.

    Args:
        work: takes the first pixel of a piece and the one after its last; pieces share nothing that it writes.
        pixels: number of them.
        block: pixels that a kernel takes at a time: pieces begin at multiples of it.
        threads: number of pieces and of threads; 1 calls it here.

    Raises:
        InvalidValueError: less than one thread.

    Example:
        >>> pieces = []
        >>> in_pieces(lambda first, end: pieces.append((first, end)), 1_000, block=256, threads=2)
        >>> sorted(pieces)
        [(0, 512), (512, 1000)]
    """
    if threads < 1:
        raise InvalidValueError(f"got {threads} threads, expected at least 1")
    size = -(-pixels // (threads * block)) * block
    if size >= pixels:
        work(0, pixels)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, first, min(first + size, pixels)) for first in range(0, pixels, size)]:
            done.result()
