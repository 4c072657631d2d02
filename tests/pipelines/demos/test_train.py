"""The demo of training: a split with a gap, three models, a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.pipelines.demos.train import MODELS, run_demo_train

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_three_models_are_compared_and_a_second_run_repeats_nothing(tmp_path: Path) -> None:
    done = run_demo_train(tmp_path, epochs=2)
    assert [one.model for one in done.models] == list(MODELS)
    assert done.split.proof.violations == 0
    assert done.tested == sum(part.samples for part in done.split.proof.parts if part.name == "test") > 5
    page = done.page.read_text(encoding="utf-8")
    assert all(name in page for name in MODELS)
    again = run_demo_train(tmp_path, epochs=2)
    assert not again.split.changed
    assert not any(one.trained for one in again.models)
    assert [one.scores for one in again.models] == [one.scores for one in done.models]
