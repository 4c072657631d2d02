"""What hosts may be asked for: bytes that a build reads from them at most, and what they cost.

Both are told by whoever runs a build, not by its recipe: the corpus is the same whatever it cost. A budget holds for
all builds of a journal. The coordinator gives every unit a part of what is left of it; a worker sends no request that
would bring more than that.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidInputError
from landloom.model.address import BUDGETS_VARIABLE, PRICES_VARIABLE
from landloom.store.network.allowances import allowed, listed_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from landloom.store.network.traffic import Counts

GIB: Final = 2**30
_UNITS: Final = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": GIB, "TiB": 2**40}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]iB)?")
_PRICE: Final = re.compile(r"(?:(?P<bytes>\d+(?:\.\d+)?)/GiB)?\+?(?:(?P<requests>\d+(?:\.\d+)?)/1000)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a host costs, in any currency.

    Example:
        >>> from landloom.store.network.traffic import Counts
        >>> Price(gib=0.09, thousand=0.4).of(Counts(requests=2000, size=10 * 2**30))
        1.7
    """

    gib: float = 0.0
    """Per GiB."""
    thousand: float = 0.0
    """Per 1,000 requests."""

    def of(self, counts: Counts) -> float:
        """The cost of what a host was asked for."""
        return counts.size / GIB * self.gib + counts.requests / 1000 * self.thousand


def prices(text: str) -> dict[str, Price]:
    """Host, or the end of its name, or bucket → price.

    Raises:
        InvalidInputError: the text says something else.

    Example:
        >>> prices("usgs-landsat=0.09/GiB+0.0004/1000, example.org=0.5/1000")["example.org"]
        Price(gib=0.0, thousand=0.5)
    """
    found = {}
    for part, name, value in _pairs(text):
        price = _PRICE.fullmatch(value)
        if not name or price is None or not value.strip("+"):
            raise InvalidInputError(f"got the price {part!r}, expected one such as example.org=0.09/GiB+0.4/1000")
        found[name] = Price(gib=float(price["bytes"] or 0), thousand=float(price["requests"] or 0))
    return found


def budgets(text: str) -> dict[str, int]:
    """Host, or the end of its name, or bucket → bytes.

    Raises:
        InvalidInputError: the text says something else.

    Example:
        >>> budgets("eodata=1.5 GiB, example.org=200")
        {'eodata': 1610612736, 'example.org': 200}
    """
    found = {}
    for part, name, value in _pairs(text):
        size = _SIZE.fullmatch(value)
        if not name or size is None:
            raise InvalidInputError(f"got the budget {part!r}, expected one such as example.org=200GiB")
        found[name] = int(float(size[1]) * _UNITS[size[2] or ""])
    return found


def _pairs(text: str) -> Iterator[tuple[str, str, str]]:
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        yield part, name.strip().lower(), value.strip()


def stated_prices() -> dict[str, Price]:
    """The prices of the environment; errors as of `prices`."""
    return prices(os.environ.get(PRICES_VARIABLE, ""))


def stated_budgets() -> dict[str, int]:
    """The budgets of the environment; errors as of `budgets`."""
    return budgets(os.environ.get(BUDGETS_VARIABLE, ""))


def cost(traffic: Mapping[str, Counts], found: Mapping[str, Price]) -> dict[str, float]:
    """Host → what it has cost, of those that have a price."""
    names = {host: listed_name(host, found) for host in traffic}
    return {host: found[name].of(traffic[host]) for host, name in names.items() if name is not None}


class Rations:
    """How many bytes the units of a run may read.

    Args:
        limits: name → bytes.
        spent: host → what was read outside of units.

    Example:
        >>> from landloom.store.network.traffic import Counts
        >>> rations = Rations({"example.org": 100}, {"example.org": Counts(size=40)})
        >>> rations.next(flying=0, most=2), rations.next(flying=1, most=2)
        ({'example.org': 60}, None)
        >>> rations.read({"example.org": Counts(size=25)})
        >>> rations.next(flying=0, most=2), rations.next(flying=1, most=2)
        ({'example.org': 35}, None)
    """

    def __init__(self, limits: Mapping[str, int], spent: Mapping[str, Counts]) -> None:
        self._limits, self._left, self._largest = dict(limits), dict(limits), dict.fromkeys(limits, 0)
        self._ended = False
        for host, counts in spent.items():
            self._take(host, counts)

    @property
    def left(self) -> dict[str, int]:
        """Name → bytes that may still be read."""
        return {name: max(size, 0) for name, size in self._left.items()}

    def read(self, traffic: Mapping[str, Counts]) -> None:
        """Count what a unit has read."""
        own = dict.fromkeys(self._limits, 0)
        for host, counts in traffic.items():
            name = self._take(host, counts)
            if name is not None:
                own[name] += counts.size
        self._largest = {name: max(size, own[name]) for name, size in self._largest.items()}
        self._ended = True

    def next(self, flying: int, most: int) -> dict[str, int] | None:
        """Name → bytes that the next unit may read; None if it might be too much beside those that are running.

        The first one runs alone, to see what units read. The next ones get what the others leave, if those are as
        large as the largest so far.

        Args:
            flying: units that are running.
            most: units that may run at a time.
        """
        found = {}
        if self._limits and not self._ended and flying:
            return None
        for name, left in self.left.items():
            largest = self._largest[name]
            found[name] = left - flying * largest if largest else left // (most if self._ended else 1)
            if found[name] < max(largest, 1):
                return None
        return found

    def words(self) -> str:
        """Why the run stops."""
        name = min(self._limits, key=lambda one: self._left[one] - self._largest[one])
        limit, used = self._limits[name], self._limits[name] - self._left[name]
        return (
            f"the budget of {name} is spent: {used:,} of {limit:,} bytes read, and a unit has read up to"
            f" {self._largest[name]:,}; what was made is kept: build again with a larger --budget"
        )

    def _take(self, host: str, counts: Counts) -> str | None:
        name = listed_name(host, self._limits)
        if name is not None:
            self._left[name] -= counts.size
        return name


@contextmanager
def within_budgets(spent: Callable[[], Mapping[str, Counts]]) -> Iterator[None]:
    """Read no more within than budgets of the environment leave, of what was spent before, if any are stated."""
    stated = stated_budgets()
    with allowed(Rations(stated, spent()).left if stated else {}):
        yield
