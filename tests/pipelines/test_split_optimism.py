"""`landloom evaluate splits`, on the simulated world and on a corpus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.corpora import write_corpus

from landloom.pipelines.split_optimism import evaluate_world_splits, simulated_examples, world_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


def test_on_a_simulated_world() -> None:
    found = evaluate_world_splits((3,), samples=700)
    assert found[0].of("gap").near == 0
    assert found[0].of("random").near > 0.95
    assert found[0].of("gap").scores["accuracy"].value > 0.6
    header, rows = world_rows(found)
    assert [row[0] for row in rows] == ["random", "tile", "gap"]
    assert all(len(row) == len(header) for row in rows)
    assert json.dumps(found[0].document(), allow_nan=False)


def test_simulated_samples_depend_on_the_seed_alone() -> None:
    one, again, other = (simulated_examples(seed, 300) for seed in (3, 3, 4))
    assert np.array_equal(one.features, again.features)
    assert not np.array_equal(one.features, other.features)
    assert one.corners.shape == (300, 4, 2)
    assert len(np.unique(one.tile)) == 16


def test_on_a_corpus_from_the_command_line(tmp_path: Path, run: Callable[..., Ran]) -> None:
    pytest.importorskip("torch")
    made = write_corpus(tmp_path / "corpus", layouts=("chips",), count=13)
    asked = ("evaluate", "splits", str(made.folder), "--gap", "500", "--block-size", "4000", "--target", "label:labels")
    done = run(*asked)
    assert done.code == 0, done.err
    assert "A random forest on 26 samples, four folds, a gap of 500 m." in done.out
    assert "random − gap" in done.out
    assert "tile − gap" in done.out
    for wrong, message in (
        (("--target", "mask:landcover"), "got the target 'mask:landcover', expected label"),
        (("--share", "0.2"), "--share: got a corpus, expected a recipe"),
        (("--samples", "4"), "training samples, expected 10 at least"),
    ):
        refused = run("evaluate", "splits", str(made.folder), "--block-size", "4000", *wrong)
        assert refused.code == 1
        assert message in refused.err
    other = run("evaluate", "fused", str(made.folder))
    assert "got fused with a corpus, expected one of splits before it" in other.err
