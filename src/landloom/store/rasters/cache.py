"""Decoded blocks of files, kept for the reads that follow: those that are needed soonest, up to a number of bytes."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from numpy.typing import NDArray

LIMIT: Final = 192 * 2**20
"""Bytes of the decoded blocks of a process."""


class BlockCache:
    """Decoded blocks by key. Whether one is needed again, and when, may be known from a plan of the reads.

    Blocks without a known use go first, the longest unused one first of all; then the one whose use is farthest off, as
    is optimal (Belady, 1966, https://doi.org/10.1147/sj.52.0078).

    Args:
        limit: bytes to hold.

    Example:
        >>> import numpy as np
        >>> held = BlockCache(limit=2)
        >>> for key, use in (("far", 9), ("near", 1), ("next", 0)):
        ...     held.put(key, np.zeros(1, np.uint8), use)
        >>> [held.get(key) is not None for key in ("far", "near", "next")]
        [False, True, True]
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._loose: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()
        self._planned: dict[Hashable, tuple[int, NDArray[Any]]] = {}
        self.held = 0
        """Bytes held."""

    def get(self, key: Hashable) -> NDArray[Any] | None:
        """The block of that key, which must not be changed; None if it is not held."""
        with self._lock:
            if key in self._planned:
                return self._planned[key][1]
            block = self._loose.get(key)
            if block is not None:
                self._loose.move_to_end(key)
            return block

    def put(self, key: Hashable, block: NDArray[Any], use: int | None = None, taken: int = 0) -> None:
        """Hold a block, or tell when one is needed next.

        Args:
            key: of the block.
            block: its pixels.
            use: position of its next use in the plan, counted up; None if none is known.
            taken: bytes of the limit that are needed for something else; a third of it is left in any case.
        """
        limit = max(self._limit - taken, self._limit // 3)
        with self._lock:
            self._remove(key)
            self.held += block.nbytes
            if use is None:
                self._loose[key] = block
            else:
                self._planned[key] = use, block
            while self.held > limit and (self._loose or self._planned):
                far = (
                    next(iter(self._loose))
                    if self._loose
                    else max(self._planned, key=lambda one: self._planned[one][0])
                )
                self._remove(far)

    def forget(self, keys: Iterable[Hashable]) -> None:
        """Uses of these blocks are not known any more."""
        with self._lock:
            for key in keys:
                planned = self._planned.pop(key, None)
                if planned is not None:
                    self._loose[key] = planned[1]

    def _remove(self, key: Hashable) -> None:
        planned = self._planned.pop(key, None)
        block = self._loose.pop(key, None) if planned is None else planned[1]
        if block is not None:
            self.held -= block.nbytes


@cache
def _of_process(process: int) -> BlockCache:  # noqa: ARG001 - memory is not shared
    return BlockCache()


def block_cache() -> BlockCache:
    """The cache of this process."""
    return _of_process(os.getpid())
