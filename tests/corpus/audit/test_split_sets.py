"""Damage to split sets is found where they are read and where a corpus is validated."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from landloom.corpus.audit.validate import audit
from landloom.corpus.split_set import SplitSet
from landloom.errors import InvalidDocumentError, InvalidInputError
from landloom.pipelines.measuring import measure_corpus
from landloom.pipelines.splitting import split_corpus
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from pathlib import Path


HALVES = SplitSettings(by="random", shares={"train": 0.5, "test": 0.5}, gap=0)


@pytest.fixture
def folder(tiny_corpus: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_corpus, tmp_path / "corpus")


@pytest.mark.parametrize("damage", ["other samples", "other splits", "no metadata", "truncated"])
def test_damage_is_found(folder: Path, damage: str) -> None:
    split_corpus(str(folder), "halves", HALVES, figure=False)
    path = folder / "splits/halves.parquet"
    table = pq.read_table(path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "no metadata":
        pq.write_table(table.replace_schema_metadata(None), path)
    elif damage == "other splits":
        pq.write_table(table.set_column(1, "split", table.column("split").take(list(range(len(table)))[::-1])), path)
    else:
        own = SplitSet.decoded(path.read_bytes(), "halves")
        made = SplitSet(names=own.names, codes=own.codes, samples="0" * 64, settings={}, proof=own.proof)
        path.write_bytes(made.encoded(table.column("id").to_pylist()))
    error = InvalidInputError if damage == "other samples" else InvalidDocumentError
    with pytest.raises(error, match="halves"):
        Corpus.open(folder).query(split_set="halves")
    (problem,) = audit(LocalStore(folder)).problems
    assert problem.where == "splits/halves.parquet"


@pytest.mark.parametrize("damage", ["truncated", "another set", "none"])
def test_damage_of_statistics_is_found(folder: Path, damage: str) -> None:
    split_corpus(str(folder), "halves", HALVES, figure=False)
    report = measure_corpus(str(folder), "halves", products=["s2"])
    path = folder / report.path
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "another set":
        split_corpus(str(folder), "halves", replace(HALVES, seed=3), figure=False, replace=True)
    assert [problem.where for problem in audit(LocalStore(folder)).problems] == [report.path] * (damage != "none")
