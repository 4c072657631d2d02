"""What pretraining is worth on the judge: the arithmetic, on few cells."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.pipelines.judge_pretraining import FEATURES, evaluate_pretraining, gain, pretraining_table, told
from landloom.training.fit.settings import FitSettings
from landloom.training.pretrain.learn import PretrainSettings

SMALL = PretrainSettings(
    options={"width": 16, "heads": 2, "layers": 1, "out": 8, "hidden": 16}, fit=FitSettings(epochs=1, batch=64)
)


def test_gains_are_paired_over_cells() -> None:
    judged = evaluate_pretraining((3,), SMALL, cells={"unlabelled": 2, "train": 2, "test": 3})
    one = judged[0]
    assert set(one.right) == set(FEATURES)
    assert one.rows.sum() == 3 * 64
    assert one.proof.violations == 0
    assert one.proof.nearest >= one.proof.distance
    found = gain(judged)
    assert found.value == pytest.approx(one.accuracy("pretrained") - one.accuracy("random"))
    assert found.low <= found.value <= found.high
    by_block = (one.right["pretrained"] - one.right["random"]) / one.rows
    assert by_block.min() <= found.low
    assert found.high <= by_block.max()
    assert len(pretraining_table(judged)) == 3
    assert "0 nearer than 3,000 m" in told(judged)
    assert np.isfinite(one.loss)
