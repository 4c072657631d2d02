"""Statistics against numpy over all valid pixels of the training part, and of no other."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.corpus.split_statistics import ALL, PERCENTILES, SplitStatistics
from landloom.errors import InvalidDocumentError, InvalidInputError, NotFoundError
from landloom.pipelines.measuring import measure_corpus
from landloom.pipelines.splitting import split_corpus
from landloom.query.corpus import Corpus
from landloom.query.split_sets import read_statistics
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.splits.make import SplitSettings, folds
from landloom.training.statistics.bins import Bins
from landloom.training.statistics.measure import split_statistics

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpora import Made

SETTINGS = SplitSettings(by="random", shares={"train": 0.5, "test": 0.5}, gap=0)


@pytest.fixture(scope="module")
def folder(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with a split set and statistics of it."""
    copy = shutil.copytree(made.folder, tmp_path_factory.mktemp("measured") / "corpus")
    split_corpus(str(copy), "halves", SETTINGS, figure=False)
    split_corpus(str(copy), "folds", SplitSettings(by="random", shares=folds(3), gap=0), figure=False)
    assert measure_corpus(str(copy), "halves", threads=2).changed
    return copy


def numbers(made: Made, names: tuple[str, ...]) -> list[np.ndarray]:
    """(month) valid numbers (pixel, band) of samples."""
    found = []
    for month in range(3):
        parts = [made.series[name][month] for name in names]
        parts = [part[:, ((part != 0) & (part != 65_535)).all(axis=0)].T for part in parts]
        found.append(np.concatenate(parts) / 10_000)
    return found


def test_they_are_those_of_numpy(made: Made, folder: Path) -> None:
    corpus = Corpus.open(folder)
    found = read_statistics(corpus.sidecar, corpus.base, "halves")
    assert found.splits == ("train",)
    chosen = corpus.query(split="train", split_set="halves").ids
    assert found.count == len(chosen) == 6
    months = numbers(made, chosen)
    own = found.products["s2"]
    assert list(own.groups) == ["2018-01", "2018-02", "2018-03", ALL]
    assert own.unit == "reflectance"
    for name, values in zip(own.groups, [*months, np.concatenate(months)], strict=True):
        for band in range(3):
            row = own.groups[name][band]
            assert row.count == len(values)
            assert row.mean == pytest.approx(values[:, band].mean(), rel=1e-12)
            assert row.std == pytest.approx(values[:, band].std(), rel=1e-12)
            assert (row.minimum, row.maximum) == (values[:, band].min(), values[:, band].max())
            exact = np.percentile(values[:, band], PERCENTILES, method="inverted_cdf")
            assert np.abs(np.array(row.percentiles) - exact).max() <= float(own.error) + 1e-9
            assert sum(row.counts) == row.count
            counts, _ = np.histogram(values[:, band], row.edges)
            np.testing.assert_allclose(counts, row.counts, atol=2)


def test_a_dataset_is_normalised_by_them(folder: Path) -> None:
    train = Corpus.open(folder).query(split="train", split_set="halves")
    dataset = CorpusDataset(train, "s2", statistics="halves")
    valid = np.concatenate([s["image"].movedim(1, -1)[s["valid"]].numpy() for s in (dataset[n] for n in range(6))])
    np.testing.assert_allclose(valid.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(valid.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(threads: int, folder: Path) -> None:
    corpus = Corpus.open(folder)
    assert (
        split_statistics(corpus, "halves", threads=threads).encoded()
        == (folder / "splits" / "halves.statistics.json").read_bytes()
    )
    assert not measure_corpus(str(folder), "halves").changed


def test_held_out_parts_are_refused(folder: Path) -> None:
    corpus = Corpus.open(folder)
    with pytest.raises(InvalidInputError, match="never see another"):
        split_statistics(corpus, "halves", splits=["test"])
    names = list(folds(3))
    with pytest.raises(InvalidInputError, match="at least one to be held out"):
        split_statistics(corpus, "folds", splits=names)
    assert split_statistics(corpus, "folds", splits=names[:2]).count == 8
    with pytest.raises(NotFoundError):
        split_statistics(corpus, "nothing")
    with pytest.raises(NotFoundError, match="landloom statistics --split-set folds"):
        CorpusDataset(corpus.query(), "s2", statistics="folds")


def test_the_digest_covers_everything(folder: Path) -> None:
    data = (folder / "splits" / "halves.statistics.json").read_bytes()
    found = SplitStatistics.decoded(data, "x")
    assert found.encoded() == data
    with pytest.raises(InvalidDocumentError, match="that of its content"):
        SplitStatistics.decoded(data.replace(b'"count":6', b'"count":7'), "x")
    with pytest.raises(InvalidDocumentError, match="cannot be read"):
        SplitStatistics.decoded(b"[]", "x")


def test_another_split_set_of_the_name_is_noticed(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "corpus")
    other = SplitSettings(by="random", shares={"train": 0.5, "test": 0.5}, gap=0, seed=5)
    split_corpus(str(copy), "halves", other, figure=False, replace=True)
    corpus = Corpus.open(copy, cache=tmp_path / "cache")
    with pytest.raises(InvalidInputError, match="as it was before"):
        read_statistics(corpus.sidecar, corpus.base, "halves")


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=50), st.sampled_from(["float32", "int16"]))
def test_percentiles_of_any_numbers_are_within_the_stated_error(values: list[float], dtype: str) -> None:
    array = np.clip(np.array(values), -32_768, 32_767).astype(dtype)
    bins = Bins.of(array.dtype)
    edges = bins.edges()
    counts = np.bincount(np.clip(np.searchsorted(edges, array, "right") - 1, 0, bins.count - 1), minlength=bins.count)
    exact = np.percentile(array.astype(float), PERCENTILES, method="inverted_cdf")
    found = bins.percentiles(counts.astype(np.int64), PERCENTILES)
    allowed = np.abs(exact) * 0.011 + 2e-9 if dtype == "float32" else bins.width / 2
    assert (np.abs(found - exact) <= allowed).all()
