"""Corpora and selections travel: to spawned processes, and to the workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xarray as xr
from tests.corpora import write_corpus

from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from landloom.query.selection import Selection


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("travel")
    write_corpus(folder / "corpus", layouts=["cubes"], count=2, months=2, bands=("B02", "B03", "B04"))
    return Corpus.open(folder / "corpus", cache=folder / "cache")


def first_of(corpus: Corpus) -> tuple[tuple[str, ...], int]:
    found = corpus.query()
    return found.ids, int(found.cube(0, "s2").to_numpy().sum())


def sum_of(selection: Selection) -> int:
    return int(selection.cube(0, "s2").to_numpy().sum())


def test_a_corpus_is_the_same_after_a_pickle(corpus: Corpus) -> None:
    other = pickle.loads(pickle.dumps(corpus))
    assert (other.name, len(other), first_of(other)) == (corpus.name, len(corpus), first_of(corpus))


def test_a_spawned_worker_reads_what_it_is_sent(corpus: Corpus) -> None:
    wanted = first_of(corpus)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(first_of, corpus).result(timeout=120) == wanted
        assert pool.submit(sum_of, corpus.query()).result(timeout=120) == wanted[1]


@pytest.mark.filterwarnings("ignore")  # of Dask's own shutdown and ports
def test_a_selection_is_loaded_by_processes_of_a_cluster(corpus: Corpus) -> None:
    from distributed import Client, LocalCluster

    selection = corpus.query()
    many = selection.load("s2")
    assert many.chunks
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
            ) as cluster,
            Client(cluster) as client,  # type: ignore[no-untyped-call]
        ):
            there = client.compute(many).result()
    xr.testing.assert_identical(there, many.compute(scheduler="synchronous"))
    for place, name in enumerate(selection.ids):
        assert np.array_equal(there.to_numpy()[place], selection.cube(name, "s2").to_numpy())
