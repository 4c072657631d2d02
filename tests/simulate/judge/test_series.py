"""The judge's pixel series with few labels: frozen by digest, and what they promise."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from landloom.simulate.judge.composites import judge_spec
from landloom.simulate.judge.series import PITCH, SIDE, SeriesCase, judge_series
from landloom.simulate.world import World

CELLS = {"unlabelled": 2, "train": 1, "test": 1}


@pytest.fixture(scope="module")
def case() -> SeriesCase:
    return judge_series(3, CELLS, per_cell=12)


def test_it_is_frozen(case: SeriesCase) -> None:
    hashed = hashlib.sha256(case.days.tobytes())
    for group in case.groups.values():
        hashed.update(group.pixels.tobytes() + group.valid.tobytes() + group.classes.tobytes())
    assert hashed.hexdigest()[:16] == "121a04baabfde195"


def test_cells_are_kilometres_apart_and_classes_are_those_of_the_world(case: SeriesCase) -> None:
    corners = np.array([grid.bounds[:2] for group in case.groups.values() for grid in group.cells])
    assert len(corners) == 4
    for row, corner in enumerate(corners):
        others = np.delete(corners, row, axis=0)
        assert (np.abs(others - corner).max(axis=1) >= PITCH).all()
    assert PITCH - SIDE > 3_000
    for group in case.groups.values():
        assert group.pixels.shape == (12 * len(group.cells), 37, 6)
        assert 0.2 < group.valid.mean() < 0.9
        for number, grid in enumerate(group.cells):
            codes = World(judge_spec(3)).land_cover(grid)
            own = group.classes[group.cell == number]
            place = group.place[group.cell == number]
            assert np.where(own >= 2110, 211, own).tolist() == codes.ravel()[place].tolist()
