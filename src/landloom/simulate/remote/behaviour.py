"""How a remote server behaves: latency, bandwidth, and faults that a seed decides."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Fault = Literal["503", "cut", "404"]
"""Refused for the moment; ended in the middle of its body; said not to be there, though it is."""
_SHARES: Final = ("unavailable", "cut", "absent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """The behaviour of a server.

    Example:
        >>> often = Behaviour(unavailable=0.5)
        >>> [often.fault(f"/B0{number}.tif 0-65535", 0) for number in range(4)]
        ['503', '503', None, '503']
    """

    latency: float = 0.0
    """Seconds before each answer."""
    bandwidth: float = math.inf
    """Bytes a second, of all connections together."""
    unavailable: float = 0.0
    """Share of the requests that are answered 503, 0 to 1."""
    cut: float = 0.0
    """Share whose answer ends in the middle."""
    absent: float = 0.0
    """Share that is answered 404 once, though the file is there."""
    seed: int = 0
    """Decides which requests those are."""

    def __post_init__(self) -> None:
        shares = [getattr(self, name) for name in _SHARES]
        if min(shares) < 0 or sum(shares) > 1:
            raise InvalidValueError(f"got shares of faults {shares}, expected 0 to 1 in sum")
        if self.latency < 0 or not self.bandwidth > 0:
            raise InvalidValueError("got a negative latency or no bandwidth, expected seconds and bytes a second")

    def fault(self, request: str, times: int) -> Fault | None:
        """The fault of a request.

        Args:
            request: method, path and range: equal requests have equal faults.
            times: how often it was sent before.
        """
        if not (self.unavailable or self.cut or self.absent):
            return None
        digest = hashlib.blake2b(f"{self.seed} {times} {request}".encode(), digest_size=8).digest()
        lot = int.from_bytes(digest) / 2**64
        if lot < self.unavailable:
            return "503"
        if lot < self.unavailable + self.cut:
            return "cut"
        return "404" if lot < self.unavailable + self.cut + self.absent and not times else None

    def document(self) -> dict[str, Any]:
        """As JSON values; an unlimited bandwidth is None."""
        return asdict(self) | {"bandwidth": None if math.isinf(self.bandwidth) else self.bandwidth}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        limit = document.get("bandwidth")
        return cls(**{**document, "bandwidth": math.inf if limit is None else limit})


class Line:
    """The connection of a server to the world, which all its answers share; thread-safe.

    Example:
        >>> waits = []
        >>> line = Line(1000.0, sleep=waits.append, now=lambda: 0.0)
        >>> line.carry(500), line.carry(250), waits
        (None, None, [0.5, 0.75])
    """

    def __init__(
        self,
        bandwidth: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bandwidth, self._sleep, self._now = bandwidth, sleep, now
        self._free = 0.0
        self._lock = threading.Lock()

    def carry(self, size: int) -> None:
        """Wait as long as these bytes take, after those that came before."""
        if math.isinf(self._bandwidth):
            return
        with self._lock:
            self._free = max(self._free, self._now()) + size / self._bandwidth
            left = self._free - self._now()
        self._sleep(max(left, 0.0))
