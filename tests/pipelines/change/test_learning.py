"""`landloom train --task change` and `landloom predict`: from dates in a corpus, or from simulated worlds."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio

from landloom.corpus.audit.validate import validate
from landloom.errors import CorpusError, InvalidInputError, NotFoundError
from landloom.imagery.change.breaks import Breaks
from landloom.pipelines.change.layers import break_products, break_rasters
from landloom.pipelines.predict.corpus import predict_corpus
from landloom.pipelines.predict.options import PredictOptions
from landloom.pipelines.splitting import split_corpus
from landloom.pipelines.training import train_corpus
from landloom.publication.raster_labels import AddedRasters, RasterVersion, add_rasters
from landloom.query.corpus import Corpus
from landloom.query.pixel_series import SampleSeries
from landloom.store.open import open_store
from landloom.training.datasets.targets import Target
from landloom.training.fit.folder import ModelFolder
from landloom.training.fit.learn import Lesson
from landloom.training.fit.settings import FitSettings
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

CHANGED = 17_706.0
"""Day on which the left half of every sample is said to change: 24 June 2018."""
LESSON = Lesson(
    task="change",
    model="tcn",
    split_set="halves",
    target=Target(kind="value", product="change"),
    pixels=200,
    options={"filters": 8, "dropout": 0.0},
    settings=FitSettings(epochs=6, batch=16, rate=1e-2),
)


@pytest.fixture(scope="module")
def corpus(fused: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fused series with dates of changes and a split set; predictions are added to it."""
    folder = shutil.copytree(fused / "corpus", tmp_path_factory.mktemp("changes") / "corpus")
    add_dates(folder)
    halves = SplitSettings(by="random", gap=0, shares={"train": 0.5, "test": 0.5})
    split_corpus(str(folder), "halves", halves, figure=False)
    return folder


def add_dates(corpus: Path) -> None:
    """Add a raster of dates as `landloom change` does."""
    opened, version = Corpus.open(corpus), RasterVersion(name="change", number=1)
    item = opened.info.product("pfsr")
    products = break_products(
        version, item.terms, method="known", most=1, resolution=float(item.product.resolution or 10), period=item.period
    )
    rasters = {}
    for name in opened.query().ids:
        grid = SampleSeries.read(opened, name, "pfsr").grid
        date = np.full((1, *grid.shape), np.nan, np.float32)
        date[:, :, : grid.width // 2] = CHANGED
        known = np.where(np.isnan(date), np.nan, np.float32(1))
        rasters[name] = break_rasters(Breaks(date=date, margin=known, change=-known, score=known), grid, products)
    add_rasters(corpus, AddedRasters(version=version, products=products, rasters=rasters, mappings={}, lineage=b"{}"))


class Stopper:
    """A listener that stops the training after its first epoch."""

    def started(self, stage: str, total: int) -> None:
        """A stage begins."""

    def advanced(self, unit: str, reason: str | None) -> None:
        """An epoch is over."""
        del reason
        if unit == "epoch 0":
            raise KeyboardInterrupt


def test_dates_of_a_corpus_are_learnt_and_written_back(corpus: Path, tmp_path: Path) -> None:
    whole = train_corpus(str(corpus), LESSON, tmp_path / "whole")
    assert (whole.epochs, whole.resumed, whole.trained) == (6, 0, True)
    assert set(whole.scores) == {"test"}
    assert set(whole.scores["test"]["scores"]) == {"f1", "precision", "recall", "false_share"}
    with pytest.raises(KeyboardInterrupt):
        train_corpus(str(corpus), LESSON, tmp_path / "stopped", listener=Stopper())
    assert train_corpus(str(corpus), LESSON, tmp_path / "stopped").resumed == 1
    names = {one.name for one in (tmp_path / "whole").iterdir()}
    assert names == {"card.md", "checkpoint.pt", "dates-test.parquet", "history.csv", "model.json", "weights.pt"}
    for name in names - {"checkpoint.pt"}:
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    card = (tmp_path / "whole" / "card.md").read_text(encoding="utf-8")
    description = ModelFolder(tmp_path / "whole").description()
    for told in ("dates of `change`", "F1 within 15 days", description.split_set["digest"], "Bai et al. 2018"):
        assert told in card
    done = predict_corpus(tmp_path / "whole", corpus)
    assert (done.product, done.added) == ("change_v2", True)
    assert done.samples + len(done.left_out) == len(Corpus.open(corpus))
    assert set(done.left_out.values()) <= {"no pixel has 6 observations"}
    assert done.rasters == ("change_v2_margin", "change_v2_magnitude", "change_v2_probability")
    assert validate(open_store(str(corpus))) == []
    again = predict_corpus(tmp_path / "whole", corpus)
    assert (again.added, again.product) == (False, "change_v2")
    opened = Corpus.open(corpus)
    lineage = json.loads((corpus / "resources" / f"{opened.name}_change_v2_lineage.json").read_bytes())
    assert lineage["model"]["task"] == "change"
    sample = next(name for name in opened.query().ids if name not in done.left_out)
    layers = {}
    for layer in ("", "_margin", "_magnitude", "_probability"):
        (path,) = corpus.glob(f"labels/**/{sample}/change{layer}-2.tif")
        with rasterio.open(path) as file:
            layers[layer] = file.read()
    there = layers[""] > 0
    assert there.any()
    assert (np.abs(layers[""][there].astype(int) - CHANGED) < 15).all()
    for layer in ("_margin", "_probability"):
        assert np.array_equal(layers[layer] > 0, there)
    assert (layers["_probability"][there] >= 5000).all()


def test_worlds_teach_a_corpus_without_dates(fused: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    corpus = shutil.copytree(fused / "corpus", tmp_path / "corpus")
    options = ("--task", "change", "--worlds", 1, "--pixels", 100, "--epochs", 1, "--batch", 32)
    done = run("train", corpus, *options, "--out", tmp_path / "model")
    assert done.code == 0, done.err
    assert "tcn for change: learnt from 100 examples in 1 epochs" in done.out
    assert "world" in done.out
    card = (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    assert "it learnt from simulated worlds alone" in card
    told = run("predict", tmp_path / "model", corpus)
    assert told.code == 0, told.err
    assert "added change, change_margin, change_magnitude, change_probability, version 1" in told.out
    assert validate(open_store(str(corpus))) == []


def test_what_does_not_fit_is_refused(corpus: Path, fused: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    for wanted, error, told in (
        (replace(LESSON, model="ltae"), InvalidInputError, "task change: got model 'ltae', expected one of tcn"),
        (replace(LESSON, task="lulc"), InvalidInputError, "task lulc: got model 'tcn'"),
        (replace(LESSON, target=None, worlds=0), InvalidInputError, "got no dates to learn from"),
        (replace(LESSON, worlds=99), InvalidInputError, "got 99 simulated worlds, expected 0 to 12"),
        (replace(LESSON, split_set=""), InvalidInputError, "got a target without a split set"),
        (replace(LESSON, unit="days"), InvalidInputError, "dates are days"),
        (replace(LESSON, product="pfqa"), (InvalidInputError, NotFoundError), "pfqa|pfsr"),
        (replace(LESSON, target=Target(kind="value", product="change_margin")), InvalidInputError, "expected date_1"),
        (replace(LESSON, options={"filters": 6}), InvalidInputError, "expected a multiple of 4"),
    ):
        with pytest.raises(error, match=told):
            train_corpus(str(corpus), wanted, out)
        assert not out.exists()
    train_corpus(str(corpus), replace(LESSON, settings=FitSettings(epochs=1, batch=16)), out)
    with pytest.raises(CorpusError, match="another settings: epochs"):
        train_corpus(str(corpus), LESSON, out)
    with pytest.raises(CorpusError, match="--elsewhere"):
        predict_corpus(out, shutil.copytree(fused / "corpus", tmp_path / "other"))
    with pytest.raises(InvalidInputError, match="'labels' of another product"):
        predict_corpus(out, corpus, PredictOptions(name="labels"))
