"""`landloom statistics`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.corpora import write_corpus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


def test_from_the_command_line(tmp_path: Path, run: Callable[..., Ran]) -> None:
    folder = str(write_corpus(tmp_path / "corpus", count=2, layouts=["cubes"]).folder)
    shares = ("--shares", "train=.5,test=.5", "--by", "tile", "--name", "tiles", "--no-figure")
    assert run("split", folder, *shares).code == 0
    done = run("statistics", folder, "--split-set", "tiles")
    assert done.code == 0, done.err
    assert "2 samples of train" in done.out
    assert "wrote splits/tiles.statistics.json" in done.out
    again = run("statistics", folder, "--split-set", "tiles", "--json", "--threads", "1")
    document = json.loads(again.out)
    assert not document["changed"]
    band = document["products"]["s2"]["bands"]["B08"]
    assert band["pixels"] > 0
    assert 0 < band["p2"] < band["p50"] < band["p98"] < 1
    assert "p98" in done.out
    held = run("statistics", folder, "--split-set", "tiles", "--split", "test")
    assert held.code == 1
    assert "expected the training part" in held.err
    whole = run("statistics", folder)
    assert "wrote splits/recipe.splits.statistics.json" in whole.out
