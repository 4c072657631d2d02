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
        most: maximum number of values.

    Example:
        >>> kept = Kept[int](2)
        >>> [kept.get(name, lambda: len(name)) for name in ("a", "bb", "a", "ccc")]
        [1, 2, 1, 3]
        >>> "bb" in kept, "a" in kept
        (False, True)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, Value] = OrderedDict()
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        return type(self), (self._most,)

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
            self._values[name] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value
