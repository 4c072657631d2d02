"""Factories of standard executors: this process, a process pool, a Dask cluster, or what another package makes.

There is no other scheduling.
"""

from __future__ import annotations

import asyncio
import importlib
import math
import multiprocessing
import os
import signal
import socket
import sys
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from landloom.engine.separate import SeparateProcesses, on_this_machine
from landloom.errors import InvalidInputError, InvalidValueError, MissingExtraError
from landloom.model.address import HOSTS_VARIABLE, OUTAGE_VARIABLE, REQUESTS_VARIABLE, WAITS_VARIABLE
from landloom.store.credentials import kept, take_over
from landloom.store.hosts import limited_to, peers, take_over_peers
from landloom.store.network.traffic import connections, declare, limit_text
from landloom.store.network.traffic import limits as parsed_limits
from landloom.store.network.waiting import speak

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from multiprocessing.connection import Connection

    from landloom.store.credentials import Credentials
    from landloom.store.hosts import Peers

    Factory = Callable[[], AbstractContextManager[Executor]]

Answer = TypeVar("Answer")

_ANSWERS: Final = 5.0
"""Seconds within which a scheduler has to answer."""
WORKERS: Final = 8
"""Workers of an executor that does not say how many it has."""


class InlineExecutor(Executor):
    """Runs each call immediately in this process: one worker, no pickling, easy to debug."""

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Call the function now; the future is already done.

        Example:
            >>> InlineExecutor().submit(max, 1, 2).result()
            2
        """
        future: Future[Answer] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - an executor hands every exception to whoever asks for the result
            future.set_exception(error)
        return future


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How much an executor can do at a time."""

    workers: int
    memory: float
    """Bytes of the machine that all workers share; infinite if they are elsewhere."""


def capacity(executor: Executor) -> Capacity:
    """The workers of any executor.

    Args:
        executor: one that says how many it has as those of `concurrent.futures` do, or as Dask's client does; of others
            `WORKERS` are assumed.

    Example:
        >>> capacity(inline()).workers
        1
    """
    if isinstance(executor, InlineExecutor):
        return Capacity(workers=1, memory=math.inf)
    client, stated = getattr(executor, "_client", None), getattr(executor, "_max_workers", None)
    if client is not None and hasattr(client, "nthreads"):
        stated = sum(client.nthreads().values())
    here = on_this_machine(executor)
    workers = stated if isinstance(stated, int) and stated > 0 else WORKERS
    return Capacity(workers=workers, memory=_memory() if here else math.inf)


def _memory() -> float:
    """Bytes of physical memory; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def submit(executor: Executor, fn: Callable[..., Answer], /, *args: Any) -> Future[Answer]:
    """Call a function in a worker of any executor, under the limits on hosts and requests that hold in this process.

    Args:
        executor: as a factory made it; its workers may have been started by others, with another environment.
        fn: to call.
        args: its arguments.

    Example:
        >>> submit(inline(), max, 1, 2).result()
        2
    """
    told = {
        name: os.environ[name] for name in (REQUESTS_VARIABLE, OUTAGE_VARIABLE, WAITS_VARIABLE) if os.environ.get(name)
    }
    apart = not isinstance(executor, InlineExecutor | ThreadPoolExecutor)
    each = limit_text(connections(), at_most(capacity(executor).workers) if apart else 1)
    return executor.submit(_limited, os.environ.get(HOSTS_VARIABLE, ""), told, each, fn, *args)


def at_most(workers: int) -> int:
    """Workers that may run at a time: no more than a host takes connections, if they are limited.

    Example:
        >>> at_most(8)
        8
    """
    return min(workers, *connections().values(), workers)


def _limited(hosts: str, told: dict[str, str], limits: str, fn: Callable[..., Answer], /, *args: Any) -> Answer:
    os.environ.update(told)
    if WAITS_VARIABLE in told:
        speak()
    declare(parsed_limits(limits))
    with limited_to(hosts):
        return fn(*args)


def inline() -> InlineExecutor:
    """One worker: this process."""
    return InlineExecutor()


def processes(workers: int) -> Factory:
    """Worker processes, started by a fork server before any thread of GDAL or numba exists.

    The server imports once what this process has imported of landloom, so that no worker has to do it again. Workers
    ignore Ctrl-C, which only this process handles. They end with this process, however it ends, and immediately
    when the user of the pool raises; their unfinished units are repeated by the next run. One that dies is replaced,
    and costs what it was doing.
    """
    context = multiprocessing.get_context("forkserver")

    @contextmanager
    def pool() -> Iterator[Executor]:
        imported = (name for name in sys.modules if name.startswith("landloom."))
        context.set_forkserver_preload(["landloom.engine.orphans", *sorted(imported)])
        _start_server()
        reader, writer = context.Pipe(duplex=False)
        hosts = os.environ.get(HOSTS_VARIABLE, "")
        with reader, writer:
            executor = SeparateProcesses(
                workers,
                lambda: ProcessPoolExecutor(
                    1, mp_context=context, initializer=_serve, initargs=(reader, kept(), peers(), hosts)
                ),
            )
            try:
                yield executor
            except BaseException:
                writer.close()
                executor.shutdown(cancel_futures=True)
                raise
            executor.shutdown()

    return pool


def _start_server() -> None:
    """Start the fork server so that Ctrl-C reaches neither it nor its workers."""
    if not hasattr(signal, "pthread_sigmask"):
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(alive: Connection, credentials: dict[str, Credentials], reached: Peers, hosts: str) -> None:
    """Initialise a worker; it ends with the process that holds the other end of a pipe.

    The fork server keeps the environment of its start, which may be older than the limits on hosts.
    """
    os.environ[HOSTS_VARIABLE] = hosts
    take_over(credentials)
    take_over_peers(reached)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()


def _end_with(alive: Connection) -> None:
    connection.wait([alive])  # nothing is ever sent: it is ready once the other end is closed
    os._exit(1)


def dask(address: str) -> Factory:
    """A Dask cluster at the address of its scheduler.

    Raises:
        MissingExtraError: `distributed` is not installed.
        InvalidInputError: nothing answers there.
    """
    if ":" not in address:  # said before a second goes by for loading Dask
        what = f"no Dask scheduler at {address!r}: no port; expected an address such as tcp://10.0.0.1:8786"
        raise InvalidInputError(what)
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError.of("dask", "building on a Dask cluster") from error
    _require_scheduler(address)

    @contextmanager
    def cluster() -> Iterator[Executor]:
        with Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
            yield client.get_executor(pure=False)

    return cluster


def _require_scheduler(address: str) -> None:
    """Refuse an address where no scheduler answers at once: Dask's client would wait for it, and end in a traceback."""
    try:
        kind = asyncio.run(asyncio.wait_for(_greeted(address), _ANSWERS))
    except Exception as error:
        said = str(error).splitlines() or [f"no answer within {_ANSWERS:.0f} s"]
        what = f"no Dask scheduler at {address!r}: {said[0]}; expected an address such as tcp://10.0.0.1:8786"
        raise InvalidInputError(what) from error
    if kind != "Scheduler":
        raise InvalidInputError(f"got a Dask {kind.lower()} at {address!r}, expected a scheduler")


async def _greeted(address: str) -> str:
    """What kind of server of Dask answers."""
    from distributed import Security
    from distributed import comm as comms
    from distributed.comm.addressing import parse_address, parse_host_port

    protocol, location = parse_address(address)
    if protocol in {"tcp", "tls"}:  # so that a name or port that is wrong is said in the words of the system
        socket.create_connection(parse_host_port(location), timeout=_ANSWERS).close()
    security: Any = Security()  # type: ignore[no-untyped-call]
    library: Any = comms  # its functions are untyped
    comm = await library.connect(address, timeout=_ANSWERS, **security.get_connection_args("client"))
    try:
        await comm.write({"op": "identity"})
        answer = await comm.read()
    finally:
        comm.abort()
    return str(answer.get("type")) if isinstance(answer, dict) else "process"


def named(address: str) -> Factory:
    """The executors of another package: of executorlib on SLURM, of MPI, of Ray.

    Args:
        address: `module:name` of a function without arguments that makes a `concurrent.futures.Executor`; modules in
            the current folder are found too.

    Raises:
        InvalidInputError: there is no such function, or it makes something else.

    Example:
        >>> with named("landloom.engine.executors:inline")() as executor:
        ...     executor.submit(len, "abc").result()
        3
    """
    module, colon, name = address.partition(":")
    if not (module and colon and name):
        raise InvalidInputError(f"got the executor {address!r}, expected module:function")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        make = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InvalidInputError(f"cannot use the executor {address}: {error}") from error

    def made() -> Executor:
        executor = make()
        if not isinstance(executor, Executor):
            kind = type(executor).__name__
            raise InvalidInputError(f"{address} makes a {kind}, expected a concurrent.futures.Executor")
        return executor

    return made


def executor_factory(workers: int, scheduler: str | None = None, executor: str | None = None) -> Factory:
    """The factory for the command line's options.

    Args:
        workers: processes on this machine; 1 means this process.
        scheduler: address of a Dask scheduler, which takes precedence.
        executor: `module:function` that makes an executor, which takes precedence; see `named`.

    Raises:
        InvalidInputError: no such scheduler or executor, or both are given.

    Example:
        >>> with executor_factory(1)() as executor:
        ...     executor.submit(len, "abc").result()
        3
    """
    if scheduler is not None and executor is not None:
        raise InvalidInputError("got a scheduler and an executor, expected one of them")
    if executor is not None:
        return named(executor)
    if scheduler is not None:
        return dask(scheduler)
    if workers < 1:
        raise InvalidValueError(f"got {workers} workers, expected at least 1")
    return inline if workers == 1 else processes(workers)
