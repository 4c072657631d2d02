"""Tasks cover a chip exactly once, and none is larger than allowed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.annotate.tasks.cut import cut_chip, cut_side
from landloom.errors import InvalidValueError


@given(height=st.integers(1, 130), width=st.integers(1, 130), size=st.integers(4, 64))
def test_every_pixel_belongs_to_one_task(height: int, width: int, size: int) -> None:
    covered = np.zeros((height, width), int)
    sides = set()
    for task in cut_chip("37TDK_02", height, width, size):
        covered[task.row : task.row + task.height, task.column : task.column + task.width] += 1
        sides |= {task.height}
        assert max(task.height, task.width) <= size
    assert (covered == 1).all()
    assert max(sides) - min(sides) <= 1


@pytest.mark.parametrize(
    ("length", "size", "edges"),
    [
        (256, 32, list(range(0, 257, 32))),
        (60, 32, [0, 30, 60]),
        (33, 32, [0, 16, 33]),
        (32, 32, [0, 32]),
        (5, 8, [0, 5]),
    ],
)
def test_sides_are_cut_evenly(length: int, size: int, edges: list[int]) -> None:
    assert cut_side(length, size) == edges


def test_landcovernets_chips_have_64_tasks() -> None:
    tasks = cut_chip("37TDK_02", 256, 256, 32)
    assert len(tasks) == 64
    assert (tasks[9].row, tasks[9].column, tasks[9].pixels) == (32, 32, 1024)


def test_nothing_cannot_be_cut() -> None:
    with pytest.raises(InvalidValueError, match="got a side of 0 pixels"):
        cut_side(0, 32)
