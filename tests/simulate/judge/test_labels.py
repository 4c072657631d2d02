"""The label cases of the judge."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from landloom.model.grid import Grid
from landloom.model.shapes import reproject
from landloom.simulate.judge.labels import judge_fractions, judge_target

DEVELOPMENT_SEED = 3


@pytest.mark.parametrize("seed", [DEVELOPMENT_SEED, 4])
def test_fractions_are_exact(seed: int) -> None:
    """Rational arithmetic on single parcels against shapely on the dissolved polygons."""
    case = judge_fractions(seed)
    assert abs(case.fractions.sum(axis=1) - 1).max() < 1e-15
    got = np.zeros_like(case.fractions)
    for code, polygon in case.polygons:
        projected = reproject(polygon, case.epsg, case.cells[0].epsg)
        for row, cell in enumerate(case.cells):
            got[row, case.codes.index(code)] += shapely.intersection(projected, cell.outline()).area / 360_000.0
    assert abs(got - case.fractions).max() < 1e-9
    assert (case.fractions > 0).sum() > 2 * len(case.cells)


def test_a_target_map_is_wrong_by_a_known_share() -> None:
    grid = Grid.of_bounds(32633, (300_000, 5_556_000, 304_800, 5_560_800), 10)
    case = judge_target(DEVELOPMENT_SEED, grid)
    assert (case.target != case.truth).mean() == pytest.approx(0.15, abs=0.005)
    assert case.whole.mean() == pytest.approx(0.075, abs=0.004)
    assert case.edge.mean() == pytest.approx(0.075, abs=0.004)
    assert not (case.whole & case.edge).any()
    assert np.array_equal(case.target != case.truth, case.whole | case.edge)
