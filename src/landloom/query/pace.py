"""How many transfers at once: climbed to, and stepped back from, by what the throughput says."""

from __future__ import annotations

import threading
import time
from typing import Final

_STEP: Final = 1.4
_BETTER: Final = 1.05
_BACK: Final = 0.5


class Pace:
    """A gate that lets through as many transfers as pay off, between two bounds.

    After each window of finished files the rate is compared with the window before: better by 5 %, and the gate goes on
    in the same direction; else it turns round. A server that asks to wait halves it at once.

    Args:
        start: transfers at once at the beginning.
        least: never fewer.
        most: never more.

    Example:
        >>> pace = Pace(8, 4, 16)
        >>> pace.slow_down(); pace.limit
        4
    """

    def __init__(self, start: int = 24, least: int = 4, most: int = 128) -> None:
        self._condition = threading.Condition()
        self._limit = float(start)
        self._bounds = least, most
        self._running = 0
        self._done = 0
        self._began = time.monotonic()
        self._rate = 0.0
        self._upward = True

    @property
    def limit(self) -> int:
        """Transfers at once, just now."""
        return int(self._limit)

    def __enter__(self) -> None:
        with self._condition:
            while self._running >= self.limit:
                self._condition.wait()
            self._running += 1

    def __exit__(self, *reason: object) -> None:
        with self._condition:
            self._running -= 1
            self._condition.notify()  # one place, one waiter: waking all of them costs more than the transfer

    def finished(self, now: float | None = None) -> None:
        """Count a finished file, and move the gate at the end of a window.

        Args:
            now: seconds of a monotonic clock.
        """
        with self._condition:
            self._done += 1
            moment = time.monotonic() if now is None else now
            elapsed = moment - self._began
            if self._done < 4 * self.limit or elapsed < 0.25:
                return
            rate = self._done / elapsed
            if rate < self._rate * _BETTER:
                self._upward = not self._upward
            self._set(self._limit * (_STEP if self._upward else 1 / _STEP))
            self._rate, self._done, self._began = rate, 0, moment

    def slow_down(self) -> None:
        """Halve the gate: a server asked to wait."""
        with self._condition:
            self._set(self._limit * _BACK)
            self._done, self._began, self._rate, self._upward = 0, time.monotonic(), 0.0, True

    def _set(self, limit: float) -> None:
        before = self.limit
        self._limit = min(max(limit, self._bounds[0]), self._bounds[1])
        self._condition.notify(max(self.limit - before, 0))
