"""Byte ranges of remote files, fetched many at a time.

Ranges are requested in the order in which they are needed, as long as those that are on their way or not yet used stay
within a number of bytes; one that is needed now is requested in any case.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from landloom.errors import InvalidInputError
from landloom.model.address import REQUESTS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Future

REQUESTS: Final = 64
"""Requests at a time by default."""
MOST_REQUESTS: Final = 256
"""Requests at a time at most."""
BUDGET: Final = 352 * 2**20
"""Bytes of the ranges of a process that are on their way or not yet used."""
FLIGHT: Final = 48 * 2**20
"""Bytes on their way at a time."""
GAP: Final = 64 * 2**10
"""Bytes between two blocks up to which one request fetches both in any case."""
HOLES: Final = 0.1
"""Largest share of a request that is not needed, beyond such gaps."""
LONGEST: Final = 16 * 2**20
"""Bytes of a request for several blocks at most."""


class Parts(Protocol):
    """A file of which parts are read."""

    def part(self, start: int, stop: int) -> bytes:
        """Bytes from `start` to `stop`; faults as of `landloom.store.ranges.Source.part`."""
        ...


class Fetch:
    """A range of a file that is to be fetched."""

    __slots__ = ("future", "source", "start", "stop", "users")

    def __init__(self, source: Parts, start: int, stop: int) -> None:
        self.source, self.start, self.stop = source, start, stop
        self.future: Future[bytes] | None = None
        self.users = 0
        """Blocks in it that are still needed."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.stop - self.start

    def run(self) -> bytes:
        """Fetch it."""
        return self.source.part(self.start, self.stop)


class Fetcher:
    """Fetches ranges in threads.

    Args:
        requests: at a time.
        budget: bytes on their way or not yet used.
        flight: bytes on their way.
    """

    def __init__(self, requests: int = REQUESTS, budget: int = BUDGET, flight: int = FLIGHT) -> None:
        self._pool = ThreadPoolExecutor(requests, thread_name_prefix="fetch")
        self._budget, self._flight = budget, flight
        self._lock = threading.RLock()
        self._flying = 0
        self._waiting: deque[Fetch] = deque()
        self.held = 0
        """Bytes of the ranges that are on their way or not yet used."""

    @property
    def pool(self) -> ThreadPoolExecutor:
        """Its threads."""
        return self._pool

    def later(self, fetches: Iterable[Fetch]) -> None:
        """Fetch ranges in this order, as soon as there is room."""
        with self._lock:
            self._waiting.extend(fetches)
            self._begin()

    def now(self, fetch: Fetch) -> bytes:
        """The bytes of a range; waits for them.

        Raises:
            PermanentFaultError: the file is gone.
            TransientFaultError: it is temporarily unreadable, or is another version.
        """
        with self._lock:
            future = fetch.future or self._submit(fetch)
        return future.result()

    def several(self, fetches: Sequence[Fetch]) -> list[bytes]:
        """The bytes of several ranges, fetched at the same time; faults as of `now`."""
        with self._lock:
            futures = [fetch.future or self._submit(fetch) for fetch in fetches]
        return [future.result() for future in futures]

    def release(self, fetches: Iterable[Fetch]) -> None:
        """Ranges that are not needed any more."""
        with self._lock:
            for fetch in fetches:
                fetch.users = -1
                if fetch.future is not None:
                    fetch.future.cancel()
                    fetch.future = None
                    self.held -= fetch.size
            self._begin()

    def _begin(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            needed = first.future is None and first.users >= 0
            if needed and self.held and self.held + first.size > self._budget:
                return
            if needed and self._flying and self._flying + first.size > self._flight:
                return
            self._waiting.popleft()
            if needed:
                self._submit(first)

    def _submit(self, fetch: Fetch) -> Future[bytes]:
        self.held += fetch.size
        self._flying += fetch.size
        fetch.future = self._pool.submit(fetch.run)
        fetch.future.add_done_callback(lambda _: self._landed(fetch.size))
        return fetch.future

    def _landed(self, size: int) -> None:
        with self._lock:
            self._flying -= size
            self._begin()


def requests_at_once() -> int:
    """Requests of this process at a time, from the environment.

    Raises:
        InvalidInputError: the environment names no such number.

    Example:
        >>> requests_at_once()
        64
    """
    text = os.environ.get(REQUESTS_VARIABLE, "") or str(REQUESTS)
    if not text.isdigit() or not 1 <= int(text) <= MOST_REQUESTS:
        raise InvalidInputError(f"{REQUESTS_VARIABLE}: got {text!r}, expected 1 to {MOST_REQUESTS} requests")
    return int(text)


@cache
def _of_process(process: int, requests: int) -> Fetcher:  # noqa: ARG001 - threads are not inherited
    return Fetcher(requests)


def fetcher() -> Fetcher:
    """The fetcher of this process."""
    return _of_process(os.getpid(), requests_at_once())


def joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges of blocks, those that lie close together joined.

    Args:
        spans: first byte and end of each block, sorted.

    Example:
        >>> joined([(0, 10), (20, 30), (10_000_000, 10_000_010)])
        [(0, 30), (10000000, 10000010)]
    """
    parts: list[tuple[int, int]] = []
    holes = 0
    for start, stop in spans:
        first, last = parts[-1] if parts else (start, start)
        gap, end = start - last, max(stop, last)
        wide = gap > GAP and holes + gap > HOLES * (end - first)
        if not parts or wide or end - first > LONGEST:
            parts.append((start, stop))
            holes = 0
        else:
            parts[-1] = (first, end)
            holes += gap if gap > GAP else 0
    return parts
