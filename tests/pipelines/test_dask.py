"""The same bytes from a Dask cluster of two worker processes, and when one of them is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from typing import TYPE_CHECKING

import pytest

from landloom.corpus.audit.check import digest
from landloom.engine.executors import dask
from landloom.pipelines.build import build
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from distributed import LocalCluster

# Dask warns of its own shutdown and of ports; none of it is about landloom.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    from distributed import LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as opened:
            yield opened


def digest_of(corpus: Path) -> str:
    return digest(open_store(str(corpus)))


def test_a_cluster_gives_the_same_bytes(cluster: LocalCluster, tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    report = build(tiny, out=tmp_path / "corpus", factory=dask(cluster.scheduler_address))
    assert report.units_run == report.units
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)


def test_a_killed_worker_changes_nothing(cluster: LocalCluster, tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    victims = [worker.pid for worker in cluster.workers.values()]
    imagery = tmp_path / "corpus" / "imagery"

    def kill_once_chips_appear() -> None:
        for _ in range(600):
            if imagery.exists() and any(imagery.rglob("*.tif")):
                os.kill(victims[0], signal.SIGKILL)
                return
            time.sleep(0.05)

    killer = threading.Thread(target=kill_once_chips_appear)
    killer.start()
    build(tiny, out=tmp_path / "corpus", factory=dask(cluster.scheduler_address))
    killer.join()
    with pytest.raises(ProcessLookupError):
        os.kill(victims[0], 0)
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)
