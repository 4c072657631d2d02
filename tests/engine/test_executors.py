"""Executors: the same bytes from this process, worker processes and a Dask cluster, also when a worker is killed."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import pytest
from tests.engine.tasks import Dies, Outlives, Square, unit
from tests.projects import digest_of

from landloom.engine.executors import InlineExecutor, at_most, dask, executor_factory, inline, processes, submit
from landloom.engine.run import run
from landloom.errors import ForeignAddressError, InvalidInputError, InvalidValueError
from landloom.model.address import HOSTS_VARIABLE
from landloom.pipelines.build import build
from landloom.store.hosts import check_host, hosts_are_limited
from landloom.store.network.traffic import connections, declare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager
    from pathlib import Path

    from distributed import LocalCluster

    from landloom.engine.executors import Factory
    from landloom.engine.journal import Journal

# Dask warns of its own shutdown and of ports; none of it is about landloom.
on_a_cluster = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    from distributed import LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as opened:
            yield opened


@pytest.mark.slow
@on_a_cluster
def test_a_killed_worker_changes_nothing(cluster: LocalCluster, tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    """It is killed as soon as there is a chip: while units are under way."""
    victim = next(worker.pid for worker in cluster.workers.values())
    imagery, ended = tmp_path / "corpus" / "imagery", threading.Event()

    def kill_once_chips_appear() -> None:
        while not any(imagery.rglob("*.tif")):
            if ended.wait(0.01):
                return
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill_once_chips_appear)
    killer.start()
    try:
        build(tiny, out=tmp_path / "corpus", factory=dask(cluster.scheduler_address))
    finally:
        ended.set()
        killer.join()
    with pytest.raises(ProcessLookupError):
        os.kill(victim, 0)
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)


@on_a_cluster
def test_a_dead_worker_of_a_cluster_costs_its_unit_alone(
    cluster: LocalCluster, journal: Journal, tmp_path: Path
) -> None:
    """The unit beside it is not begun anew; one that kills every worker fails; the executor goes on."""
    scheduler: Any = cluster.scheduler
    scheduler.allowed_failures = 0
    made: list[int] = []

    def factory() -> AbstractContextManager[Executor]:
        made.append(1)
        return dask(cluster.scheduler_address)()

    died, log = tmp_path / "died", tmp_path / "log"
    always = unit("always", Dies(marker=""))
    units = [unit("dies", Dies(marker=str(died))), unit("lives", Outlives(log=str(log), marker=str(died))), always]
    problems = run([*units, *(unit(f"s{n}", Square(number=n)) for n in range(3))], factory=factory, journal=journal)
    assert [problem.where for problem in problems] == [always.id]
    assert sum(entry.state == "done" for entry in journal.entries()) == 5
    assert log.read_text() == "ran\n"
    assert len(made) == 1


THREADS = f"{__name__}:threads"
"""As one names it on the command line."""


def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


def test_an_executor_of_anybody_gives_the_same_bytes(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    report = build(tiny, out=tmp_path / "corpus", factory=executor_factory(1, executor=THREADS))
    assert report.units_run == report.units
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("threads", "expected module:function"),
        ("absent.module:pool", "absent"),
        (f"{__name__}:absent", "absent"),
        ("builtins:dict", "makes a dict"),
    ],
)
def test_what_makes_no_executor_is_refused(address: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        executor_factory(1, executor=address)()


@pytest.mark.parametrize(
    "address", ["banana", "127.0.0.1:9", "tcp://127.0.0.1:9", "tcp://nowhere.invalid:8786", "fruit://banana:1"]
)
def test_a_scheduler_that_is_not_there_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError, match="no Dask scheduler at") as caught:
        executor_factory(1, scheduler=address)
    assert "\n" not in str(caught.value)


def test_a_server_of_something_else_is_refused() -> None:
    """One that greets as others do, in words that Dask takes for the length of a message."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with suppress(OSError):
                while True:
                    taken, _ = listener.accept()
                    with taken:
                        taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(InvalidInputError, match="no Dask scheduler at"):
            executor_factory(1, scheduler=f"tcp://127.0.0.1:{listener.getsockname()[1]}")


@pytest.mark.slow
@on_a_cluster
def test_a_worker_is_no_scheduler(cluster: LocalCluster) -> None:
    (worker,) = list(cluster.workers.values())[:1]
    with pytest.raises(InvalidInputError, match="expected a scheduler"):
        executor_factory(1, scheduler=worker.worker_address)


def test_modules_of_the_current_folder_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_cluster.py").write_text("from concurrent.futures import ThreadPoolExecutor as pool\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    with executor_factory(1, executor="my_cluster:pool")() as executor:
        assert executor.submit(max, 1, 2).result() == 2


def test_workers_share_the_connections_to_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more run than it takes; threads of one process share what the process has."""
    monkeypatch.setenv("LANDLOOM_CONNECTIONS", "example.org=5,other.org=3")
    with executor_factory(2)() as pool:
        assert submit(pool, connections).result() == {"example.org": 2, "other.org": 1}
        assert (at_most(8), at_most(2)) == (3, 2)
    with ThreadPoolExecutor(2) as threads:
        for _ in range(2):
            assert submit(threads, connections).result() == {"example.org": 5, "other.org": 3}
    declare({})


def test_options_choose_the_factory() -> None:
    assert executor_factory(1) is inline
    with executor_factory(2)() as pool:
        assert sorted(pool.map(abs, (-3, 2, -1))) == [1, 2, 3]
        assert pool.submit(os.getpid).result() != os.getpid()
    with pytest.raises(InvalidValueError, match="got 0 workers"):
        executor_factory(0)


@pytest.fixture(scope="module")
def started_before() -> Iterator[dict[str, Factory]]:
    """Executors by name, with workers that are started before a list of hosts is set."""
    from distributed import LocalCluster

    with warnings.catch_warnings(), ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(1) as own:
        warnings.simplefilter("ignore")
        with LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=1, threads_per_worker=2, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as opened:
            own.submit(abs, 1).result()
            yield {
                "this process": inline,
                "pool": processes(1),
                "dask": dask(opened.scheduler_address),
                "threads": lambda: nullcontext(threads),
                "own pool": lambda: nullcontext(own),
            }


@on_a_cluster
@pytest.mark.parametrize("kind", ["this process", "pool", "dask", "threads", "own pool"])
def test_limits_on_hosts_hold_in_workers_of_every_executor(
    kind: str, started_before: dict[str, Factory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOSTS_VARIABLE, "one.example")
    with started_before[kind]() as executor:
        submit(executor, check_host, "https://one.example/a").result()
        with pytest.raises(ForeignAddressError, match="not among the hosts"):
            submit(executor, check_host, "https://other.example/a").result()
        monkeypatch.setenv(HOSTS_VARIABLE, "other.example")
        submit(executor, check_host, "https://other.example/a").result()
    monkeypatch.setenv(HOSTS_VARIABLE, "")
    with started_before[kind]() as executor:
        assert not submit(executor, hosts_are_limited).result(), "a list ends with the run that it was set for"


def test_this_process_hands_errors_to_whoever_asks() -> None:
    failed = InlineExecutor().submit(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        failed.result()


def test_a_pool_ends_at_once_when_its_user_gives_up() -> None:
    """Workers that are busy for an hour are not waited for."""
    pids: list[int] = []

    def work() -> None:
        with processes(2)() as pool:
            pids.extend(pool.submit(os.getpid).result() for _ in range(2))
            for _ in range(2):
                pool.submit(_busy)
            raise KeyError("gives up")

    with pytest.raises(KeyError, match="gives up"):
        work()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def _busy() -> None:
    threading.Event().wait(3600)
