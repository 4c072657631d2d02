"""Nearest neighbours by embeddings, against every angle."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.corpora import write_corpus

from landloom.corpus.audit.validate import audit
from landloom.corpus.embedding_set import EmbeddingSet
from landloom.corpus.split_set import samples_digest
from landloom.errors import InvalidDocumentError, InvalidInputError, InvalidValueError, NotFoundError
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = write_corpus(tmp_path / "corpus")
    return made.folder


def write(folder: Path, name: str = "one", seed: int = 0) -> EmbeddingSet:
    corpus = Corpus.open(folder)
    ids = corpus.query().ids
    vectors = np.random.default_rng(seed).normal(3, 1, (len(ids), 5)).astype(np.float32)
    vectors[4] = np.nan
    made = EmbeddingSet(vectors=vectors, samples=samples_digest(ids), lineage={"encoder": "none"})
    LocalStore(folder).put(f"embeddings/{name}.parquet", made.encoded(ids))
    return made


def test_nearest_are_those_with_the_smallest_angles(folder: Path) -> None:
    made = write(folder)
    corpus = Corpus.open(folder)
    ids = np.array(corpus.query().ids)
    centred = made.vectors - np.nanmean(made.vectors, axis=0)
    angles = centred @ centred[2] / np.linalg.norm(centred, axis=1) / np.linalg.norm(centred[2])
    order = [row for row in np.argsort(-np.nan_to_num(angles, nan=-9)) if row not in (2, 4)]
    found = corpus.query().nearest(ids[2], 50)
    assert [one.id for one in found] == ids[order].tolist()
    assert np.allclose([one.similarity for one in found], angles[order], atol=1e-5)
    assert corpus.query().nearest(ids[2], 3) == found[:3]
    by_vector = corpus.query().nearest(made.vectors[2], 1)
    assert by_vector[0].id == ids[2]
    some = corpus.select(ids[order[-2:]].tolist())
    assert [one.id for one in some.nearest(ids[2])] == ids[order[-2:]].tolist()
    assert np.array_equal(corpus.query().embeddings(), made.vectors, equal_nan=True)


def test_what_cannot_be_found_says_why(folder: Path) -> None:
    corpus = Corpus.open(folder)
    with pytest.raises(NotFoundError, match="without embeddings"):
        corpus.query().nearest(corpus.query().ids[0])
    write(folder)
    with pytest.raises(InvalidInputError, match="without an embedding"):
        corpus.query().nearest(corpus.query().ids[4])
    with pytest.raises(NotFoundError, match="no sample"):
        corpus.query().nearest("nowhere")
    with pytest.raises(InvalidInputError, match="expected 5 numbers"):
        corpus.query().nearest([1.0, 2.0])
    with pytest.raises(InvalidInputError, match="got 0 neighbours"):
        corpus.query().nearest(corpus.query().ids[0], 0)
    write(folder, "two", 1)
    with pytest.raises(InvalidInputError, match="expected one of one, two"):
        corpus.query().nearest(corpus.query().ids[0])
    with pytest.raises(NotFoundError, match=r"'tow'.*two"):
        corpus.query().embeddings("tow")
    with pytest.raises(InvalidInputError, match="as the name of an embedding set"):
        corpus.query().embeddings("../one")


def test_validation_knows_embeddings(tiny_corpus: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_corpus, tmp_path / "corpus")
    made = write(folder)
    assert audit(LocalStore(folder)).problems == ()
    path = folder / "embeddings/one.parquet"
    again = EmbeddingSet.decoded(path.read_bytes(), "one")
    assert again.digest == made.digest
    assert np.array_equal(again.vectors, made.vectors, equal_nan=True)
    other = shutil.copytree(folder, tmp_path / "other")
    ids = Corpus.open(folder).query().ids
    strange = EmbeddingSet(vectors=made.vectors, samples="other", lineage={})
    (other / "embeddings/one.parquet").write_bytes(strange.encoded(ids))
    assert [problem.what for problem in audit(LocalStore(other)).problems] == [
        "made for other samples than the index lists; make it again"
    ]
    (other / "embeddings/one.parquet").write_bytes(b"PAR1 nothing")
    assert "cannot be read as an embedding set" in audit(LocalStore(other)).problems[0].what
    with pytest.raises(InvalidDocumentError, match="cannot be read"):
        EmbeddingSet.decoded((folder / "index/samples.parquet").read_bytes(), "index")
    half = np.array([[1, 2], [3, np.nan]], np.float32)
    with pytest.raises(InvalidValueError, match="row 1 with values that are no numbers"):
        EmbeddingSet(vectors=half, samples="", lineage={})
