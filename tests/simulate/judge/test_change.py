"""The judge's three years with dated changes: frozen by digest, and what it promises."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from landloom.simulate.judge.change import CHANGE_BANDS, ChangeCase, judge_change
from landloom.simulate.judge.composites import JUDGE_SEEDS, judge_grid

SEED = 3


@pytest.fixture(scope="module")
def case() -> ChangeCase:
    return judge_change(SEED, judge_grid().window(180, 60, 60, 60))


def test_it_is_frozen(case: ChangeCase) -> None:
    hashed = hashlib.sha256()
    for array in (case.days, case.pixels, case.clear, case.event, case.forest, case.before, case.after):
        hashed.update(np.ascontiguousarray(array).tobytes())
    assert hashed.hexdigest()[:16] == "9460e24eae326df4"
    assert SEED not in JUDGE_SEEDS


def test_three_years_of_four_bands(case: ChangeCase) -> None:
    assert case.pixels.shape == (219, len(CHANGE_BANDS), 60, 60)
    assert case.days[0] == -363
    assert case.days[-1] == 727


def test_greenness_falls_at_every_event_and_stays(case: ChangeCase) -> None:
    there = np.isfinite(case.event)
    both = (one.astype(float) for one in (case.before, case.after))
    before, after = ((one[3] - one[2]) / np.maximum(one[3] + one[2], 1) for one in both)
    assert 0.2 < there.mean() < 0.8
    assert (before[there] - after[there] > 0.05).all()
    assert not case.before[:, ~there].any()
    forest = case.forest & there
    assert forest.any()
    assert (before[forest] - after[forest] > 0.3).all()
