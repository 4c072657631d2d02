"""Threads within a unit: while one waits for a file or for another core's result, the other goes on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS: Final = 2
"""Threads of a unit; results never depend on it."""


def in_threads(work: Callable[[Item], Result], items: Iterable[Item], threads: int = THREADS) -> list[Result]:
    """Call a function for every item, in several threads that share the caller's context.

    Args:
        work: spends its time in compiled code or in reading; what it changes, no other item's call may use.
        items: in the order in which they are begun.
        threads: how many; more than that only for what waits.

    Returns:
        Results in the order of the items. The first exception, in this order, is raised, and nothing more is begun.

    Example:
        >>> in_threads(len, ["a", "", "abc"])
        [1, 0, 3]
    """
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(copy_context().run, work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
