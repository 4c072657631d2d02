"""The calendar shows what was chosen and where nothing was."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import PathCollection
from tests.archive.made import YEAR, scene

from landloom.archive.choice import SceneChoice
from landloom.archive.figure import calendar_figure
from landloom.archive.selection import Policy, choose_scenes


def test_calendar_figure_shows_chosen_and_gaps() -> None:
    scenes = [
        scene(5 * number, None if number == 3 else float(number), granule)
        for number in range(50)
        for granule in ("33TWL", "33TWM")
    ]
    choice = choose_scenes(scenes, Policy.parse("monthly + 2"), YEAR)
    figure = calendar_figure(choice, YEAR)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["33TWL (14 of 50)", "33TWM (14 of 50)"]
    drawn = [np.shape(points.get_offsets())[0] for points in axes.collections if isinstance(points, PathCollection)]
    assert sorted(drawn) == [14, 14, 36, 36]
    assert len(choice.gaps) == 6
    figure.canvas.draw()
    assert calendar_figure(SceneChoice(candidates=()), YEAR).axes
