"""What a server was asked for: requests, bytes and faults, by kind."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.simulate.remote.behaviour import Fault


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of a server; thread-safe.

    Example:
        >>> tally = Tally()
        >>> tally.add("header", 65_536)
        >>> tally.add("header", 0, fault="503")
        >>> tally.document()
        {'requests': {'header': 2}, 'bytes': {'header': 65536}, 'faults': {'503': 1}, 'seconds': 0.0}
    """

    requests: Counter[str] = field(default_factory=Counter)
    """Kind → requests, those with faults included."""
    sizes: Counter[str] = field(default_factory=Counter)
    """Kind → bytes of bodies sent."""
    faults: Counter[str] = field(default_factory=Counter)
    """Fault → requests that met it."""
    seconds: float = 0.0
    """CPU seconds of the server's process."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, size: int, *, fault: Fault | None = None) -> None:
        """Count a request."""
        with self._lock:
            self.requests[kind] += 1
            self.sizes[kind] += size
            if fault is not None:
                self.faults[fault] += 1

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        with self._lock:
            named = {"requests": self.requests, "bytes": self.sizes, "faults": self.faults}
            return {name: dict(sorted(counts.items())) for name, counts in named.items()} | {"seconds": self.seconds}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        requests, sizes, faults = (Counter[str](document[key]) for key in ("requests", "bytes", "faults"))
        return cls(requests=requests, sizes=sizes, faults=faults, seconds=document["seconds"])
