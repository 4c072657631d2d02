"""Number of concurrent transfers: adapted to the measured throughput."""

from __future__ import annotations

import threading
import time
from typing import Final

_STEP: Final = 1.4
_BETTER: Final = 1.05
_WORSE: Final = 0.95
_BACK: Final = 0.5
_FILES: Final = 4
"""A window is this number of files per concurrent transfer …"""
_SECONDS: Final = 0.25
"""… and at least so long."""


class Concurrency:
    """How many of some numbered workers may transfer: as many as increase the throughput, between two bounds.

    After each window of finished files, the rate is compared with that of the window before. An increase continues only
    if the rate is better by 5 %, a decrease continues unless it is worse by 5 %: with equal rates, the number settles
    low. If a server asks to wait, it is halved at once.

    Args:
        start: initial number of concurrent transfers.
        least: lower bound.
        most: upper bound.

    Example:
        >>> concurrency = Concurrency(8, 4, 16)
        >>> concurrency.slow_down(); concurrency.limit
        4
    """

    def __init__(self, start: int = 16, least: int = 4, most: int = 128) -> None:
        self._condition = threading.Condition()
        self._bounds = least, most
        self._exact = float(start)
        self.limit = start
        self._done = 0
        self._began = time.monotonic()
        self._rate = 0.0
        self._upward = True

    @property
    def most(self) -> int:
        """Upper bound of concurrent transfers."""
        return self._bounds[1]

    def admit(self, worker: int, stop: threading.Event) -> None:
        """Wait until a worker may transfer, or is told to stop.

        Args:
            worker: its number, from 0.
            stop: see `release`.
        """
        if worker < self.limit:  # without the lock: the usual path for most files
            return
        with self._condition:
            while worker >= self.limit and not stop.is_set():
                self._condition.wait()

    def release(self, stop: threading.Event) -> None:
        """Wake all waiting workers so that they stop."""
        with self._condition:
            stop.set()
            self._condition.notify_all()

    def finished(self, now: float | None = None, files: int = 1) -> None:
        """Count finished files, and adapt the number at the end of a window.

        Args:
            now: seconds of a monotonic clock.
            files: number of files.
        """
        with self._condition:
            self._done += files
            if self._done < _FILES * self.limit:
                return
            moment = time.monotonic() if now is None else now
            elapsed = moment - self._began
            if elapsed < _SECONDS:
                return
            rate = self._done / elapsed
            if rate < self._rate * (_BETTER if self._upward else _WORSE) or self.limit == self._bounds[self._upward]:
                self._upward = not self._upward
            self._set(self._exact * (_STEP if self._upward else 1 / _STEP))
            self._rate, self._done, self._began = rate, 0, moment

    def slow_down(self) -> None:
        """Halve the number: a server asked to wait."""
        with self._condition:
            self._set(self._exact * _BACK)
            self._done, self._began, self._rate, self._upward = 0, time.monotonic(), 0.0, True

    def _set(self, limit: float) -> None:
        before = self.limit
        self._exact = min(max(limit, self._bounds[0]), self._bounds[1])
        self.limit = int(self._exact)
        if self.limit > before:
            self._condition.notify_all()
