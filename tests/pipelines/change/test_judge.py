"""The judge of dated changes, on a window of a development seed."""

from __future__ import annotations

import pytest

from landloom.imagery.change.scores import BreakScores
from landloom.pipelines.change.judge import (
    LIMITS,
    ONE_YEAR,
    OURS,
    JudgedChange,
    MethodScores,
    change_medians,
    change_summary,
    change_table,
    judge_seed,
)
from landloom.simulate.judge.change import judge_change
from landloom.simulate.judge.composites import judge_grid

SEED = 3


def test_a_development_seed_holds() -> None:
    judged = judge_seed(judge_change(SEED, judge_grid().window(180, 60, 60, 60)), SEED)
    assert {OURS, ONE_YEAR} <= set(judged.methods)
    found = change_medians([judged])
    assert all(
        found[name] >= limit if least else found[name] <= limit
        for name, (limit, least, _) in LIMITS.items()
        if name in found
    )
    ours = judged.methods[OURS]
    assert ours.clearings is not None
    assert ours.clearings > 0.8
    assert ours.days is not None
    assert ours.days < 6
    assert ours.magnitude is not None
    assert ours.magnitude < 0.1
    assert len(change_table([judged])) == len(judged.methods)
    assert "stable pixels of 1 seeds" in change_summary([judged])
    assert judged.document()["methods"][OURS]["f1"] == pytest.approx(ours.scores.f1)


def test_a_seed_where_nothing_changes_has_no_f1() -> None:
    nothing = BreakScores(hits=0, missed=0, false=0, stable=100, disturbed=1)
    some = BreakScores(hits=9, missed=1, false=1, stable=100, disturbed=0)
    judged = [
        JudgedChange(
            seed=number,
            methods={name: MethodScores(scores=scores, clearings=None, days=None) for name in (OURS, ONE_YEAR)},
        )
        for number, scores in enumerate((nothing, some))
    ]
    assert change_medians(judged) == {"change_f1": 0.9, "change_f1_one_year": 0.9, "change_stable": 0.005}
    assert "On 1 of the seeds nothing changes." in change_summary(judged)
    assert change_table(judged)[0][1] == "0.900"
