"""From a split with a part for pretraining to an encoder, to embeddings in the corpus, to similar samples."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.training.models.published.oracle import write_weights
from typer.testing import CliRunner

from landloom.cli.app import app
from landloom.corpus.audit.validate import audit
from landloom.corpus.embedding_set import EmbeddingSet
from landloom.errors import CorpusError, InvalidInputError
from landloom.formats.geotiff import decode_geotiff
from landloom.pipelines.embedding import embed_corpus
from landloom.pipelines.pretraining import PretrainOptions, pretrain_corpus
from landloom.pipelines.splitting import split_corpus
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore
from landloom.training.fit.settings import FitSettings
from landloom.training.pretrain.folder import open_encoder
from landloom.training.pretrain.learn import PretrainSettings
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = PretrainOptions(
    split_set="free",
    distance=0,
    product="s2",
    pixels=40,
    settings=PretrainSettings(
        options={"width": 16, "heads": 2, "layers": 1, "out": 8, "hidden": 16},
        fit=FitSettings(epochs=2, batch=16, patience=3),
    ),
)


@pytest.fixture(scope="module")
def pretrained(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a corpus with a split set, and of an encoder; not to be changed."""
    folder = tmp_path_factory.mktemp("pretrained")
    shutil.copytree(tiny_corpus, folder / "corpus")
    settings = SplitSettings(by="random", shares={"pretrain": 0.5, "train": 0.3, "test": 0.2}, gap=0)
    split_corpus(str(folder / "corpus"), "free", settings, figure=False)
    pretrain_corpus(str(folder / "corpus"), folder / "encoder", OPTIONS)
    return folder


@pytest.fixture
def folder(pretrained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pretrained, tmp_path / "copy")


def test_it_learns_from_samples_that_nobody_labelled(folder: Path) -> None:
    corpus = str(folder / "corpus")
    own = open_encoder(folder / "encoder").description
    proof = own.draw["proof"]
    assert (proof["drawn"], proof["labelled"], proof["violations"]) == (3, 3, 0)
    assert own.draw["labelled"] == ["train", "test"]
    assert "3, 0 m or more from 3 labelled" in (folder / "encoder/card.md").read_text(encoding="utf-8")
    before = (folder / "encoder/weights.pt").read_bytes()
    again = pretrain_corpus(corpus, folder / "encoder", OPTIONS)
    assert again.epochs == 2
    assert (folder / "encoder/weights.pt").read_bytes() == before
    with pytest.raises(CorpusError, match="other settings or of other samples"):
        pretrain_corpus(corpus, folder / "encoder", replace(OPTIONS, pixels=20))
    with pytest.raises(InvalidInputError, match=r"none of them .* a split for pretraining keeps some free"):
        pretrain_corpus(corpus, folder / "far", replace(OPTIONS, distance=1e7))
    with pytest.raises(CorpusError, match="files of something else"):
        pretrain_corpus(corpus, folder, OPTIONS)
    (folder / "encoder/card.md").unlink()
    with pytest.raises(CorpusError, match="no encoder that was trained to the end"):
        open_encoder(folder / "encoder")


def test_embeddings_are_part_of_a_valid_corpus(folder: Path) -> None:
    corpus = str(folder / "corpus")
    done = embed_corpus(folder / "encoder", corpus, pixels=True)
    assert (done.samples, done.width, done.changed, done.product) == (6, 8, True, "embeddings")
    assert audit(LocalStore(folder / "corpus")).problems == ()
    made = EmbeddingSet.decoded((folder / "corpus" / done.path).read_bytes(), done.path)
    assert made.lineage["encoder"]["digest"] == open_encoder(folder / "encoder").digest
    assert made.lineage["product"] == "s2"
    opened = Corpus.open(corpus)
    assert "embeddings" in opened.products
    raster = next(iter(opened.query(products="embeddings").assets))
    array, _, info = decode_geotiff((folder / "corpus" / raster.path).read_bytes())
    assert array.shape[0] == len(info.bands) == 8
    assert np.isfinite(array).any()
    again = embed_corpus(folder / "encoder", corpus, "again", pixels=True)
    assert again.product == "embeddings"
    assert np.array_equal(opened.query().embeddings("masked"), opened.query().embeddings("again"))
    with pytest.raises(CorpusError, match="has other embeddings"):
        embed_corpus(folder / "encoder", corpus, "masked")


def test_published_encoders_embed_from_the_folder_of_their_probe(folder: Path) -> None:
    corpus, run = str(folder / "corpus"), CliRunner()
    weights = write_weights(folder, "galileo-nano")
    words = ["train", corpus, "--model", "galileo-nano", "--weights", str(weights), "--split-set", "free"]
    words += ["--product", "s2", "--train-split", "pretrain", "--train-split", "train", "--out", str(folder / "probe")]
    done = run.invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    done = run.invoke(app, ["embed", str(folder / "probe"), corpus, "--name", "galileo", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["samples"], told["width"], told["changed"]) == (6, 128, True)
    made = EmbeddingSet.decoded((folder / "corpus" / told["path"]).read_bytes(), told["path"])
    assert made.lineage["encoder"]["digest"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert made.lineage["encoder"]["name"] == "galileo-nano"
    assert np.isfinite(made.vectors).all()
    assert audit(LocalStore(folder / "corpus")).problems == ()
    run.invoke(
        app, ["train", corpus, *words[6:-1], str(folder / "forest"), "--option", "trees=3"], catch_exceptions=False
    )
    with pytest.raises(CorpusError, match="is a model forest, which has no embeddings; expected masked, presto, gal"):
        embed_corpus(folder / "forest", corpus, "none")
    predicted = run.invoke(app, ["predict", str(folder / "probe"), corpus, "--json"], catch_exceptions=False)
    assert json.loads(predicted.stdout)["samples"] == 6


def test_the_command_pretrains_and_refuses_what_it_cannot_use(folder: Path) -> None:
    corpus, run = str(folder / "corpus"), CliRunner()
    words = ["train", corpus, "--task", "pretrain", "--split-set", "free", "--out", str(folder / "second")]
    small = ["--epochs", "1", "--pixels", "9", "--option", "width=16", "--option", "out=8"]
    done = run.invoke(app, [*words, *small, "--distance", "0", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["proof"]["drawn"] == 3
    for wrong, why in (
        (["--target", "label"], "--target, expected none"),
        (["--model", "ltae"], "expected masked"),
        (["--option", "wide=3"], "got options"),
    ):
        with pytest.raises(InvalidInputError, match=why):
            run.invoke(app, [*words[:-1], str(folder / why[:3]), "--distance", "0", *wrong], catch_exceptions=False)
    lesson = ["train", corpus, "--split-set", "free", "--out", str(folder / "third"), "--distance", "3"]
    with pytest.raises(InvalidInputError, match="--distance, expected none"):
        run.invoke(app, lesson, catch_exceptions=False)


def test_similar_samples_are_listed(folder: Path) -> None:
    corpus, run = str(folder / "corpus"), CliRunner()
    done = run.invoke(app, ["embed", str(folder / "encoder"), corpus])
    assert done.exit_code == 0, done.output
    assert "6 samples × 8 numbers" in done.output
    identity = Corpus.open(corpus).query().ids[0]
    found = run.invoke(app, ["similar", corpus, identity, "--count", "3", "--json"])
    expected = Corpus.open(corpus).query().nearest(identity, 3)
    assert [row["id"] for row in json.loads(found.stdout)] == [one.id for one in expected]
    shown = run.invoke(app, ["similar", corpus, identity, "--split-set", "free", "--split", "test"])
    assert "among 1 samples" in shown.output
