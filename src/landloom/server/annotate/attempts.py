"""How often somebody may try a password: by name and address, by address, and by name."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Final

from landloom.errors import LandloomError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MINUTES: Final = 5.0
"""Failures are forgotten after this time."""
PAIR_FAILURES: Final = 8
"""Failures of one name from one address."""
ADDRESS_FAILURES: Final = 60
"""Failures of any names from one address."""
NAME_FAILURES: Final = 200
"""Failures of one name from any addresses; more than of a pair, so that nobody can lock out somebody else cheaply."""
_KEPT: Final = 50_000


class TooManyAttemptsError(LandloomError):
    """Too many failed attempts; `seconds` says when the next one is allowed."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(ceil(seconds), 1)
        super().__init__(f"too many attempts; try again in {self.seconds} seconds")


@dataclass(slots=True)
class Attempts:
    """Counts failures in this process.

    Args:
        clock: seconds that only grow.

    Example:
        >>> attempts = Attempts(clock=lambda: 0.0)
        >>> for _ in range(PAIR_FAILURES):
        ...     attempts.begin("ann", "192.0.2.1")
        >>> attempts.begin("ann", "192.0.2.1")
        Traceback (most recent call last):
            ...
        landloom.server.annotate.attempts.TooManyAttemptsError: too many attempts; try again in 300 seconds
        >>> attempts.begin("ann", "192.0.2.2")
    """

    clock: Callable[[], float] = time.monotonic
    _failures: OrderedDict[tuple[str, str], deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str, address: str) -> None:
        """Before a password is tried: it counts as failed until `succeeded`, so that many at once count as well.

        Raises:
            TooManyAttemptsError: not now.
        """
        now = self.clock()
        with self._lock:
            keys = list(_keys(name, address))
            wait = max(self._wait(key, most, now) for key, most in keys)
            if wait > 0:
                raise TooManyAttemptsError(wait)
            for key, most in keys:
                self._failures.setdefault(key, deque(maxlen=most)).append(now)
                self._failures.move_to_end(key)
            while len(self._failures) > _KEPT:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """After the right password: failures of this name from this address are forgotten."""
        with self._lock:
            self._failures.pop((name, address), None)
            for key, _ in _keys(name, address):
                if times := self._failures.get(key):
                    times.pop()

    def _wait(self, key: tuple[str, str], most: int, now: float) -> float:
        times = self._failures.get(key)
        if times is None or len(times) < most:
            return 0.0
        return times[0] + 60 * MINUTES - now


def _keys(name: str, address: str) -> Iterator[tuple[tuple[str, str], int]]:
    yield (name, address), PAIR_FAILURES
    yield ("", address), ADDRESS_FAILURES
    yield (name, ""), NAME_FAILURES
