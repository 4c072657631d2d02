"""The picture of a judged year."""

from __future__ import annotations

from landloom.pipelines.change.figure import change_figure
from landloom.simulate.judge.change import judge_change
from landloom.simulate.judge.composites import judge_grid


def test_it_is_drawn() -> None:
    assert change_figure(judge_change(3, judge_grid().window(180, 60, 60, 60))).startswith(b"\x89PNG")
