"""The one retry policy: which failures are retried, how often, and after what wait."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidInputError
from landloom.model.address import OUTAGE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

WORTH_RETRYING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes that may change on retry: too early, too many requests, and server errors."""
BUSY: Final = frozenset({429, 503})
"""Status codes that ask the client to come back later."""
ABSENT: Final = 404
"""Status code of what is not there. Stores and proxies in trouble say it of files that they have, too, so of what a
catalogue names it is believed the second time."""
OUTAGE: Final = 120.0
"""Seconds for which an outage of a host is waited for by default."""


def outage() -> float:
    """Seconds for which an outage of a host is waited for, from the environment.

    Raises:
        InvalidInputError: the environment names no number.
    """
    text = os.environ.get(OUTAGE_VARIABLE, "")
    try:
        seconds = float(text or OUTAGE)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise InvalidInputError(f"{OUTAGE_VARIABLE}: got {text!r}, expected 0 to 86,400 seconds")
    return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The retry policy of everything that uses the network."""

    attempts: int = 5
    """Tries of a request, the first included; of a large file, tries since the last byte received."""
    first_wait: float = 0.5
    """Upper bound of the first wait in seconds; it doubles each time, and the wait is drawn from its upper half."""
    longest_wait: float = 60.0
    """Upper bound of the waits that the server did not ask for, in seconds."""
    longest_asked: float = 180.0
    """Longest Retry-After that is honoured, in seconds; a longer one ends the tries."""
    timeout: float = 60.0
    """Seconds without a byte after which a connection counts as dropped."""
    least_rate: float = 1000.0
    """Bytes per second below which a connection counts as dropped, averaged over `rate_window`."""
    rate_window: float = 10.0
    """Seconds over which the rate is averaged."""
    outage: float = field(default_factory=outage)
    """Seconds for which a request is tried again, beyond `attempts`, while its host answers none at all, though it did
    before; 0 for never."""
    sleep: Callable[[float], None] = time.sleep
    """Waits for a number of seconds; tests and simulated clocks replace it."""

    def pause(self, failures: int, asked: float | None = None, draw: Callable[[], float] = random.random) -> float:
        """Seconds to wait before the next try.

        Args:
            failures: tries that have failed so far, from 1.
            asked: seconds that the server asks to wait; None if it does not ask.
            draw: random number in [0, 1), so that clients do not retry in lockstep.

        Example:
            >>> Patience(first_wait=2).pause(3, draw=lambda: 0.5), Patience().pause(1, 7.0, draw=lambda: 0.0)
            (6.0, 7.25)
        """
        own: float = (1 + draw()) / 2 * min(self.first_wait * 2 ** (failures - 1), self.longest_wait)
        return own if asked is None else asked + min(own, 1.0)


class Rate:
    """Whether a transfer meets the least rate.

    Args:
        patience: the rate and the seconds to average it over.
        clock: returns seconds; tests replace it.

    Example:
        >>> seconds = iter([0.0, 5.0, 11.0, 22.0])
        >>> rate = Rate(Patience(least_rate=1000, rate_window=10), lambda: next(seconds))
        >>> rate.keeps(10), rate.keeps(20_000), rate.keeps(50)
        (True, True, False)
    """

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._clock = patience, clock
        self._since, self._bytes = clock(), 0

    def keeps(self, count: int) -> bool:
        """Count received bytes; False if the rate was too low for too long."""
        now = self._clock()
        self._bytes += count
        seconds = now - self._since
        if seconds < self._patience.rate_window:
            return True
        enough = self._bytes >= self._patience.least_rate * seconds
        self._since, self._bytes = now, 0
        return enough


def retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, section 10.2.3); None if it is absent or unreadable.

    Example:
        >>> retry_after("120"), retry_after(None), retry_after("soon")
        (120.0, None, None)
        >>> retry_after("Mon, 01 Jan 2024 00:00:30 GMT", datetime(2024, 1, 1, tzinfo=UTC))
        30.0
    """
    stripped = (text or "").strip()
    if stripped.isdigit():
        return float(stripped)
    try:
        return max(0.0, (parsedate_to_datetime(stripped) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError):
        return None
