"""`predict_corpus` and its command: label products that validate, are found by queries, and are kept by builds."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
import torch
from tests.projects import digest_of

from landloom.corpus.audit.validate import validate
from landloom.corpus.finished import FinishedCorpus
from landloom.errors import CorpusError, InvalidInputError
from landloom.formats.geotiff import decode_geotiff
from landloom.pipelines.build import build
from landloom.pipelines.predict.corpus import predict_corpus
from landloom.pipelines.predict.numbers import NODATA
from landloom.pipelines.predict.options import PredictOptions
from landloom.pipelines.splitting import split_corpus
from landloom.pipelines.training import train_corpus
from landloom.publication.raster_labels import RasterVersion, lineage_of
from landloom.query.corpus import Corpus
from landloom.store.open import open_store
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.datasets.targets import Target
from landloom.training.fit.learn import Lesson
from landloom.training.fit.settings import FitSettings
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

QUICK = FitSettings(epochs=1, batch=4)
HALVES = SplitSettings(by="random", gap=0, shares={"train": 0.5, "test": 0.5})
TREES = {"trees": 5}
UTAE = {"encoder": [8, 8], "decoder": [8, 8], "heads": 4, "width": 16}


def copied(corpus: Path, folder: Path) -> Path:
    """A copy that may be changed, with a split set."""
    shutil.copytree(corpus, folder)
    split_corpus(str(folder), "halves", HALVES, figure=False)
    return folder


@pytest.fixture(scope="module")
def fields(series: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of windows and parcels; predictions are added to it."""
    return copied(series / "corpus", tmp_path_factory.mktemp("fields") / "corpus")


def trained(corpus: Path, out: Path, **lesson: Any) -> Path:
    train_corpus(str(corpus), Lesson(split_set="halves", settings=QUICK, **lesson), out)
    return out


def test_shares_of_samples_are_kept_by_builds(
    tiny: Path, tiny_corpus: Path, run: Callable[..., Ran], tmp_path: Path
) -> None:
    corpus = copied(tiny_corpus, tmp_path / "corpus")
    model = trained(corpus, tmp_path / "model", task="lulc", model="boosting", options=TREES)
    done = run("predict", model, corpus, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["added"]
    assert validate(open_store(str(corpus))) == []
    opened = Corpus.open(corpus)
    assert len(opened.query(where="prediction_clc_311 >= 0")) == 6
    assert sum(opened.query().histogram(labels="prediction").values()) == pytest.approx(6)
    again = run("predict", model, corpus)
    assert "unchanged: the corpus has the same prediction, version 1, of 6 samples" in again.out
    before = digest_of(corpus)
    assert "prediction was added to the corpus before: kept" in build(tiny, out=corpus).notes
    assert digest_of(corpus) == before
    version = RasterVersion(name="prediction", number=1)
    lineage = json.loads(lineage_of(FinishedCorpus.open(str(corpus)), version) or b"")
    assert lineage["model"]["corpus"]["name"] == "tiny"
    assert lineage["samples"] == 6


@pytest.mark.parametrize(
    ("task", "model", "options"),
    [("dense", "utae", UTAE), ("dense", "forest", TREES), ("parcels", "forest", TREES)],
)
def test_maps_are_what_the_model_says(fields: Path, tmp_path: Path, task: str, model: str, options: Any) -> None:
    target = Target(kind="mask", product="classes")
    lesson = {"task": task, "model": model, "options": options, "target": target, "product": "s2_10m"}
    folder = trained(fields, tmp_path / "model", **lesson)
    done = predict_corpus(folder, fields, PredictOptions(name=f"{task}_{model}"))
    assert done.added
    assert done.samples == len(Corpus.open(fields))
    assert validate(open_store(str(fields))) == []
    opened = Corpus.open(fields)
    item = opened.info.product(done.product)
    assert item.taxonomy is not None
    nodata = int(item.taxonomy.nodata)
    shares = opened.query().fractions()
    columns = opened.info.label_columns[done.product]
    for number, name in enumerate(opened.query().ids[:4]):
        layers = {
            key: decode_geotiff((fields / opened.select(name).linked().__next__().assets[key][0].path).read_bytes())[0]
            for key in done.rasters
        }
        classes, chances = (layers[key] for key in done.rasters)
        known = classes[0] != nodata
        codes = np.array([int(code) for code in item.taxonomy.codes() if code != item.taxonomy.nodata])
        own = (codes[:, None] == classes[0][known]).argmax(axis=0)
        assert np.array_equal(codes[own], classes[0][known])
        most = chances[:, known].max(axis=0)  # in steps of 1/10,000 two classes may be equal
        assert np.array_equal(chances[:, known][own, np.arange(len(own))], most)
        assert (np.abs(chances.sum(axis=0, dtype=int)[known] - 10_000) <= 3).all()
        assert (chances[:, ~known] == 0).all()
        for column, code in zip(columns, item.taxonomy.codes(), strict=True):
            assert shares[column][number] == pytest.approx((classes[0] == int(code)).mean(), abs=2e-6)
        if task == "parcels":
            ids = decode_geotiff((fields / next(opened.select(name).linked()).assets["ids"][0].path).read_bytes())[0]
            assert not known[ids.reshape(known.shape) <= 0].any()


@pytest.mark.parametrize(("task", "model"), [("dense", "boosting"), ("dense", "utae"), ("parcels", "ltae")])
def test_numbers_are_written_as_numbers(fields: Path, tmp_path: Path, task: str, model: str) -> None:
    options = {"boosting": TREES, "utae": UTAE, "ltae": {"heads": 2, "width": 16, "out": 16}}[model]
    lesson = {"task": task, "model": model, "options": options, "product": "s2_10m", "unit": "t/ha"}
    folder = trained(fields, tmp_path / "model", target=Target(kind="value", product="ratios"), **lesson)
    name = f"yield_{task}_{model}"
    done = predict_corpus(folder, fields, PredictOptions(name=name))
    assert (done.product, done.rasters, done.added) == (name, (), True)
    assert validate(open_store(str(fields))) == []
    opened = Corpus.open(fields)
    item = opened.info.product(name)
    assert (item.product.dtype, item.product.bands[0].unit) == ("float32", "t/ha")
    truth = CorpusDataset(opened.query(), "s2_10m", Target(kind="value", product=name, dense=True), missing="drop")
    assert len(truth) == done.samples
    for number in range(min(len(truth), 3)):
        sample = truth.ids[number]
        (path,) = fields.glob(f"labels/**/{sample}/{name}-1.tif")
        with rasterio.open(path) as file:
            assert (file.dtypes, file.units, file.nodata) == (("float32",), ("t/ha",), NODATA)
            stored = file.read(1)
        assert np.isfinite(stored).all()
        known = stored != np.float32(NODATA)
        assert known.any()
        assert np.array_equal(truth[number]["value"].numpy()[known], stored[known])
        assert np.isnan(truth[number]["value"].numpy()[~known]).all()
    (collection,) = fields.glob(f"stac-v1.0/*{name}/collection.json")
    document = json.loads(collection.read_text(encoding="utf-8"))
    (band,) = document["item_assets"][name]["raster:bands"]
    assert (band["unit"], band["data_type"]) == ("t/ha", "float32")
    assert not predict_corpus(folder, fields, PredictOptions(name=name)).added


def test_numbers_of_samples_are_one_pixel_each(fields: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    out, options = tmp_path / "model", ("--model", "forest", "--option", "trees=5", "--split-set", "halves")
    target = ("--target", "value:ratios", "--product", "s2_10m")
    done = run("train", fields, *options, *target, "--out", out)
    assert done.code == 0, done.err
    for name in ("mae", "rmse", "bias", "r2"):
        assert name in done.out
    assert (out / "values-test.parquet").is_file()
    assert "root mean squared error" in (out / "card.md").read_text(encoding="utf-8")
    told = run("predict", out, fields, "--name", "mean_ratio")
    assert told.code == 0, told.err
    assert "added mean_ratio, version 1" in told.out
    assert validate(open_store(str(fields))) == []
    read = CorpusDataset(Corpus.open(fields).query(), "s2_10m", "value:mean_ratio", missing="drop")
    assert all(float(read[number]["value"]) >= 0 for number in range(3))
    (path,) = fields.glob(f"labels/**/{read.ids[0]}/mean_ratio-1.tif")
    with rasterio.open(path) as file:
        assert file.shape == (1, 1)
    refused = run("leaderboard", out)
    assert refused.code == 1
    assert "got a model of numbers, expected classes" in refused.err


def test_what_does_not_fit_is_refused(tiny_corpus: Path, tmp_path: Path) -> None:
    corpus = copied(tiny_corpus, tmp_path / "corpus")
    model = trained(corpus, tmp_path / "model", task="lulc", model="forest", options=TREES)
    with pytest.raises(InvalidInputError, match="'labels' of another product"):
        predict_corpus(model, corpus, PredictOptions(name="labels"))
    with pytest.raises(InvalidInputError, match="expected lower-case letters"):
        predict_corpus(model, corpus, PredictOptions(name="My map"))
    with pytest.raises(CorpusError, match="is no model"):
        predict_corpus(tmp_path, corpus)
    with pytest.raises(CorpusError, match="not a finished corpus"):
        predict_corpus(model, tmp_path)
    description = json.loads((model / "model.json").read_text(encoding="utf-8"))
    description["corpus"]["data"] = "0" * 64
    (model / "model.json").write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"got a model of tiny 1.0 with data 0000.*--elsewhere"):
        predict_corpus(model, corpus)
    assert predict_corpus(model, corpus, PredictOptions(elsewhere=True)).samples == 6
    (model / "forest.skops").write_bytes(b"no trees")
    with pytest.raises(InvalidInputError, match="expected a model file"):
        predict_corpus(model, corpus, PredictOptions(elsewhere=True))


def test_weights_that_are_not_tensors_alone_are_refused(fields: Path, tmp_path: Path) -> None:
    target = Target(kind="mask", product="classes")
    lesson = {"task": "parcels", "model": "ltae", "target": target, "product": "s2_10m"}
    model = trained(fields, tmp_path / "model", options={"heads": 2, "width": 16, "out": 16}, **lesson)
    torch.save({"a": 1}, model / "weights.pt")
    with pytest.raises(InvalidInputError, match=r"weights\.pt: got dict, expected names with tensors alone"):
        predict_corpus(model, fields)
