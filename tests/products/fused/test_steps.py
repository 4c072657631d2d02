"""Steps of harmonisation on the judge: each removes what it is for, and normalising scenes adds no bias."""

from __future__ import annotations

import numpy as np

from landloom.products.fused.steps import DIRECTED, STEPS, judge_steps, steps_table


def test_a_development_seed_is_harmonised_step_by_step() -> None:
    judged = judge_steps(3)
    assert judged.pairs > 0
    before, fitted, after = (np.array(judged.absolute[STEPS[n]]) for n in (0, 2, 3))
    assert (fitted < 1.02 * before).all()
    assert (after < 1.1 * fitted).all()
    assert judged.relative < 0.9
    assert max(judged.bias[STEPS[3]]) < 0.1 * max(judged.bias[STEPS[0]])
    assert [row[0] for row in steps_table([judged])] == [*DIRECTED, *STEPS]
    seen, nadir = (np.array(judged.absolute[step]) for step in DIRECTED)
    assert (np.abs(nadir - before) < 0.5 * np.abs(seen - before)).all(), "what directions add is taken off again"
    told = judged.document()
    assert len(told["references"]) == len(told["residuals"]) == len(told["own"])
