"""The head of the judge: taught by other worlds, and judged beside the test."""

from __future__ import annotations

from landloom.pipelines.change.judge import HEAD, change_medians, change_summary, change_table, judge_seed
from landloom.simulate.judge.change import judge_change
from landloom.simulate.judge.composites import judge_grid
from landloom.training.change.taught import taught_head
from landloom.training.fit.settings import FitSettings

SEED = 31


def test_a_head_of_two_worlds_dates_another() -> None:
    steps: list[str] = []
    head = taught_head(2, FitSettings(epochs=4, batch=32, rate=5e-3, accelerator="cpu"), steps.append)
    assert steps[:2] == ["world 3", "world 11"]
    judged = judge_seed(judge_change(SEED, judge_grid().window(180, 60, 60, 60)), SEED, head)
    own = judged.methods[HEAD]
    assert own.scores.f1 > 0.5
    assert own.scores.false_share < 0.2
    assert own.magnitude is not None
    assert own.magnitude < 0.2
    found = change_medians([judged])
    assert (found["change_head_f1"], found["change_head_stable"]) == (own.scores.f1, own.scores.false_share)
    assert "is not compared" not in change_summary([judged]).replace("is not installed and not compared", "")
    assert [row[0] for row in change_table([judged])][2] == HEAD
