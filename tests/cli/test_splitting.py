"""`landloom split`, and the options that name its result."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

HALVES = SplitSettings(by="random", shares={"train": 0.5, "test": 0.5}, gap=0)


@pytest.fixture
def folder(tiny_corpus: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_corpus, tmp_path / "corpus")


def test_from_the_command_line(folder: Path, run: Callable[..., Ran]) -> None:
    shares = ("--shares", "train=.5,test=.5")
    done = run("split", str(folder), "--by", "random", "--gap", "0", "--name", "halves", *shares)
    assert done.code == 0, done.err
    assert "0 nearer than 0 m" in done.out
    assert "wrote splits/halves.parquet and splits/halves.png" in done.out
    asked = run("query", str(folder), "--split-set", "halves", "--split", "train", "--json")
    assert json.loads(asked.out)["samples"] > 0
    there = folder.parent / "out"
    assert run("download", str(folder), str(there), "--split-set", "halves", "--split", "train").code == 0
    both = run("download", str(folder), str(there), "--split-set", "halves", "--labels")
    assert "got a query beside the whole part labels" in both.err
    same = ("--split-set", "halves", "--split", "train")
    assert not [line for line in run("diff", str(folder), str(there), *same).out.splitlines() if line[:1] in "-+"]
    both = run("diff", str(folder), str(there), *same, "--part", "labels")
    assert (both.code, "got a query beside the whole part labels" in both.err) == (2, True)
    assert len({path.parent for path in there.rglob("labels_*.geojson")}) >= 1
    wrong = run("split", str(folder), "--shares", "train=.5,train=.5")
    assert wrong.code == 1
    assert "expected every split once" in wrong.err
    gap = run("split", str(folder), "--by", "random", "--gap", "100000", *shares)
    assert gap.code == 1
    assert "which leaves no sample in" in gap.err
