"""A small thread-safe cache of recently used values."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """A limited number of named values, those used last; copies, also those sent to other processes, begin empty.

    Args:
        most: maximum number of values, or of the sum of their weights.
        weigh: weight of a value; 1 if None. Sent to other processes, it must be a function that pickles.

    Example:
        >>> kept = Kept[int](2)
        >>> [kept.get(name, lambda: len(name)) for name in ("a", "bb", "a", "ccc")]
        [1, 2, 1, 3]
        >>> "bb" in kept, "a" in kept
        (False, True)
        >>> light = Kept[str](5, len)
        >>> [light.get(name, lambda: name) for name in ("abc", "de", "fgh")]
        ['abc', 'de', 'fgh']
        >>> "abc" in light, "de" in light, "fgh" in light
        (False, True, True)
    """

    def __init__(self, most: int, weigh: Callable[[Value], int] | None = None) -> None:
        self._most, self._weigh, self._weight = most, weigh, 0
        self._values: OrderedDict[str, Value] = OrderedDict()
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[Self], tuple[int, Callable[[Value], int] | None]]:
        return type(self), (self._most, self._weigh)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str, make: Callable[[], Value]) -> Value:
        """Get a value by name, or create it.

        It is created outside the lock: two threads may create the same value, but no thread waits for another.
        """
        with self._lock:
            if name in self._values:
                self._values.move_to_end(name)
                return self._values[name]
        value = make()
        with self._lock:
            if name in self._values:
                self._weight -= self._weight_of(self._values[name])
            self._values[name] = value
            self._weight += self._weight_of(value)
            while self._weight > self._most:
                self._weight -= self._weight_of(self._values.popitem(last=False)[1])
        return value

    def _weight_of(self, value: Value) -> int:
        return 1 if self._weigh is None else self._weigh(value)
