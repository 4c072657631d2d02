"""Signs of life of work that takes long between two of its steps."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

EVERY: Final = 10.0
"""Seconds between two signs."""


class Heartbeat:
    """Calls a function while nothing else is said, inside a `with` block.

    Args:
        say: gets the seconds since the last step.
        every: seconds without a step after which it is called, and between calls.

    Example:
        >>> said = []
        >>> with Heartbeat(said.append, every=0.01):
        ...     time.sleep(0.2)
        >>> len(said) > 0
        True
    """

    def __init__(self, say: Callable[[float], None], every: float = EVERY) -> None:
        self._say, self._every = say, every
        self._since = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.step()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def step(self) -> None:
        """Something was done: the seconds begin anew."""
        self._since = time.monotonic()

    def stop(self) -> None:
        """Nothing is said from now on."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        said = self._since
        while not self._ended.wait(max(max(said, self._since) + self._every - time.monotonic(), self._every / 10)):
            now = time.monotonic()
            if now - max(said, self._since) >= self._every:
                said = now
                self._say(now - self._since)
