"""How many bytes this process may still read from hosts: no request is sent that would bring more."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from landloom.errors import TransientFaultError
from landloom.model.address import is_listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager


class BudgetError(TransientFaultError):
    """The budget of a host is spent: the build stops, and continues with a larger one."""


def listed_name(host: str, listed: Iterable[str]) -> str | None:
    """The name under which a host, or a bucket, is listed.

    Example:
        >>> listed_name("a.example.org:80", ["b", "example.org"]), listed_name("s3://eodata", ["eodata"])
        ('example.org', 'eodata')
    """
    plain = host.rpartition("://")[2].rpartition("@")[2]
    names = (plain, plain.partition(":")[0])
    return next((one for one in listed if any(is_listed(name, (one, f".{one}")) for name in names)), None)


class Allowance:
    """Bytes that this process may still read from the hosts of one name."""

    def __init__(self, name: str, size: int) -> None:
        self._name, self._left, self._promised = name, size, 0
        self._lock = threading.Lock()

    @contextmanager
    def promised(self, size: int) -> Iterator[None]:
        """Send a request that brings so many bytes, as far as is known.

        Raises:
            BudgetError: it would bring too many.
        """
        with self._lock:
            if self._left - self._promised < max(size, 1):
                raise BudgetError(f"the budget of {self._name} is spent")
            self._promised += size
        try:
            yield
        finally:
            with self._lock:
                self._promised -= size

    def spend(self, size: int) -> None:
        """Count bytes that were read."""
        with self._lock:
            self._left -= size


_allowed: Final[dict[str, Allowance]] = {}


@contextmanager
def allowed(sizes: Mapping[str, int]) -> Iterator[None]:
    """Read no more than so many bytes within: name → bytes. Of this process, whatever its threads do."""
    before = dict(_allowed)
    _allowed.clear()
    _allowed.update({name: Allowance(name, size) for name, size in sizes.items()})
    try:
        yield
    finally:
        _allowed.clear()
        _allowed.update(before)


def promised(host: str, size: int) -> AbstractContextManager[None]:
    """Send a request to a host; errors as of `Allowance.promised`."""
    own = _allowance(host)
    return nullcontext() if own is None else own.promised(size)


def spend(host: str, size: float) -> None:
    """Count bytes that were read from a host."""
    own = _allowance(host)
    if own is not None:
        own.spend(int(size))


def _allowance(host: str) -> Allowance | None:
    name = listed_name(host, _allowed) if _allowed else None
    return None if name is None else _allowed.get(name)
