"""Executors: the same bytes from this process, worker processes and a Dask cluster, also when a worker is killed."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from typing import TYPE_CHECKING

import pytest
from tests.projects import digest_of

from landloom.engine.executors import InlineExecutor, dask, executor_factory, inline, processes
from landloom.errors import InvalidValueError
from landloom.pipelines.build import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from distributed import LocalCluster

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
def test_a_cluster_gives_the_same_bytes(cluster: LocalCluster, tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    report = build(tiny, out=tmp_path / "corpus", factory=dask(cluster.scheduler_address))
    assert report.units_run == report.units
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)


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


def test_options_choose_the_factory() -> None:
    assert executor_factory(1) is inline
    with executor_factory(2)() as pool:
        assert sorted(pool.map(abs, (-3, 2, -1))) == [1, 2, 3]
        assert pool.submit(os.getpid).result() != os.getpid()
    with pytest.raises(InvalidValueError, match="got 0 workers"):
        executor_factory(0)


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
