"""What this process does with each host: requests, bytes, retries, and who has to wait.

All requests of a process to a host share what it says: if it asks one of them to come back later, all wait. A host that
stops answering after it has answered before is waited for (`Patience.outage`); once that was in vain, requests to it
are tried once each until one is answered again.
"""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from landloom.errors import InvalidInputError
from landloom.model.address import CONNECTIONS_VARIABLE, is_listed
from landloom.store.network.allowances import spend

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from landloom.store.patience import Patience

_WEB: Final = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a host was asked for, and what it gave.

    Example:
        >>> Counts(requests=2, size=10) + Counts(requests=1, retries=1)
        Counts(requests=3, retries=1, failures=0, size=10, waited=0.0)
    """

    requests: int = 0
    """Requests sent, retries included."""
    retries: int = 0
    """Requests that repeated one that had failed."""
    failures: int = 0
    """Requests that were given up after all tries."""
    size: int = 0
    """Bytes of bodies received or sent."""
    waited: float = 0.0
    """Seconds waited between tries, by all threads together."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def document(self) -> list[float]:
        """As JSON values."""
        return [getattr(self, one.name) for one in fields(self)]

    @classmethod
    def parse(cls, document: list[float]) -> Counts:
        """The inverse of `document`."""
        *whole, waited = document
        requests, retries, failures, size = map(int, whole)
        return cls(requests=requests, retries=retries, failures=failures, size=size, waited=waited)


class Slots:
    """Connections of this process to the hosts of one limit.

    Example:
        >>> slots = Slots(1)
        >>> with slots.one():
        ...     slots.used
        1
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._free = threading.Condition()

    def take(self) -> None:
        """Wait for a connection, and take it."""
        with self._free:
            self._free.wait_for(lambda: self.used < self.limit)
            self.used += 1

    def give(self) -> None:
        """Give a connection back."""
        with self._free:
            self.used -= 1
            self._free.notify()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a connection."""
        self.take()
        try:
            yield
        finally:
            self.give()


@dataclass(slots=True, kw_only=True)
class Host:
    """The state of one host in this process; thread-safe."""

    name: str
    answers: int = 0
    """Requests that it has answered, in whatever way, other than by asking to come back later."""
    silent: float | None = None
    """Seconds for which it was waited for in vain; None once it answers."""
    _again: float = 0.0
    """When it may be asked again, by the monotonic clock."""
    _counts: Counts = field(default_factory=Counts)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, **counts: float) -> None:
        """Add to its counts."""
        with self._lock:
            self._counts += Counts(**counts)  # type: ignore[arg-type]
        spend(self.name, counts.get("size", 0))

    def restore(self, counts: Counts) -> None:
        """Count again what was taken."""
        with self._lock:
            self._counts += counts

    def taken(self) -> Counts:
        """Its counts since the last call."""
        with self._lock:
            found, self._counts = self._counts, Counts()
        return found

    def admit(self, patience: Patience) -> None:
        """Wait as long as it asked any request of this process to wait."""
        left = self._again - time.monotonic()
        if left > 0:
            patience.sleep(left + random.random())  # noqa: S311 - so that not all come at once

    def answered(self) -> None:
        """It has answered a request."""
        with self._lock:
            self.answers += 1
            self.silent = None

    def asked_to_wait(self, seconds: float) -> None:
        """It asks to come back later."""
        with self._lock:
            self._again = max(self._again, time.monotonic() + seconds)

    def may_try_again(self, patience: Patience, *, tries: int, waited: float, answers: int) -> bool:
        """Whether a request that has failed is to be tried again.

        Args:
            patience: the policy.
            tries: so far.
            waited: seconds between them.
            answers: of the host when the request began.
        """
        if self.silent is not None:
            return False
        if tries < patience.attempts:
            return True
        if not patience.outage or not answers or self.answers != answers:
            return False
        if waited < patience.outage:
            return True
        with self._lock:
            self.silent = waited
        return False

    def words(self, tries: int) -> str:
        """What to add to the reason of a request that was given up; empty after one try."""
        if self.silent is not None:
            return f"; {self.name} has answered no request for {self.silent:.0f} s"
        return f" after {tries} tries" if tries > 1 else ""


_hosts: Final[dict[str, Host]] = {}
_slots: Final[dict[str, Slots]] = {}
_declared: Final[dict[str, int]] = {}
_lock: Final = threading.Lock()


def host_of(address: str) -> Host:
    """The host of an address; of an object store, its bucket.

    Example:
        >>> host_of("https://user:secret@example.org/a.tif").name, host_of("s3://bucket/a.tif").name
        ('example.org', 's3://bucket')
    """
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    name = place if parts.scheme in _WEB else f"{parts.scheme}://{place}"
    with _lock:
        return _hosts.setdefault(name, Host(name=name))


def traffic() -> dict[str, Counts]:
    """Host → what this process has done since the last call; hosts without any request are left out."""
    with _lock:
        hosts = list(_hosts.values())
    found = ((host.name, host.taken()) for host in hosts)
    return {name: counts for name, counts in sorted(found, key=lambda one: one[0]) if counts != Counts()}


def give_back(found: Mapping[str, Counts]) -> None:
    """Count again what `traffic` has taken."""
    for name, counts in found.items():
        with _lock:
            host = _hosts.setdefault(name, Host(name=name))
        host.restore(counts)


def total(parts: Iterable[Mapping[str, Counts]]) -> dict[str, Counts]:
    """The sum of several counts, host by host, sorted.

    Example:
        >>> total([{"b": Counts(requests=1)}, {"a": Counts(), "b": Counts(requests=2)}])["b"].requests
        3
    """
    found: dict[str, Counts] = {}
    for part in parts:
        for name, counts in part.items():
            found[name] = found.get(name, Counts()) + counts
    return dict(sorted(found.items()))


def declare(found: Mapping[str, int]) -> None:
    """Set the limits of connections of this process, instead of the environment's and of those set before."""
    with _lock:
        _declared.clear()
        _declared.update(found)


def connections() -> dict[str, int]:
    """Host, or the end of its name → connections of this process at a time.

    Raises:
        InvalidInputError: the environment says something else.
    """
    with _lock:
        declared = dict(_declared)
    return declared or limits(os.environ.get(CONNECTIONS_VARIABLE, ""))


def slots_of(address: str) -> Slots | None:
    """The connections to the host of an address, if they are limited."""
    host = urlsplit(address).hostname or ""
    for name, limit in connections().items():
        if is_listed(host, (name, f".{name}")):
            with _lock:
                slots = _slots.setdefault(name, Slots(limit))
            slots.limit = limit
            return slots
    return None


def limits(text: str) -> dict[str, int]:
    """Host, or the end of its name → connections at a time.

    Raises:
        InvalidInputError: the text says something else.

    Example:
        >>> limits("dataspace.copernicus.eu=4, example.org=8")
        {'dataspace.copernicus.eu': 4, 'example.org': 8}
    """
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        if not name or not number.isdigit() or int(number) < 1:
            raise InvalidInputError(f"got the limit {part!r}, expected one such as example.org=4")
        found[name.strip().lower()] = int(number)
    return found


def limit_text(found: Mapping[str, int], share: int = 1) -> str:
    """The inverse of `limits`, for one of several processes that share them.

    Example:
        >>> limit_text({"example.org": 8}, share=3)
        'example.org=2'
    """
    return ",".join(f"{name}={max(number // share, 1)}" for name, number in sorted(found.items()))
