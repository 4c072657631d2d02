"""Worker processes of which one that dies breaks no other: each is a pool of its own."""

from __future__ import annotations

import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")


class SeparateProcesses(Executor):
    """As many processes as wanted; one that dies is replaced, and only its call fails, with a `BrokenExecutor`.

    Args:
        workers: how many.
        start: makes the pool of one process.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with SeparateProcesses(2, lambda: ThreadPoolExecutor(1)) as pool:
        ...     sorted(pool.map(abs, (-3, 2, -1)))
        [1, 2, 3]
    """

    def __init__(self, workers: int, start: Callable[[], Executor]) -> None:
        self._max_workers = workers
        self._start = start
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="worker")
        self._own = threading.local()
        self._pools: list[Executor] = []
        self._lock = threading.Lock()

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Call a function in the next process that is free."""
        return self._threads.submit(self._call, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as of Executor
        """End the processes, after what they have begun."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for pool in self._pools:
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _call(self, fn: Callable[..., Answer], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
        pool = getattr(self._own, "pool", None)
        if pool is None:
            pool = self._own.pool = self._start()
            with self._lock:
                self._pools.append(pool)
        try:
            answer: Answer = pool.submit(fn, *args, **kwargs).result()
        except BrokenExecutor:
            self._own.pool = None
            with self._lock:
                self._pools.remove(pool)
            pool.shutdown(wait=False)
            raise
        return answer


def heals(executor: Executor) -> bool:
    """Whether an executor goes on after a worker has died, and only the call that ran in it has failed.

    Dask's scheduler gives the calls of a dead worker to others, and fails one whose workers die again and again.
    """
    client = getattr(executor, "_client", None)
    return isinstance(executor, SeparateProcesses) or getattr(client, "status", None) == "running"


def on_this_machine(executor: Executor) -> bool:
    """Whether all workers of an executor share the memory of this machine."""
    return isinstance(executor, ProcessPoolExecutor | ThreadPoolExecutor | SeparateProcesses)
