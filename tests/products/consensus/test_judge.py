from __future__ import annotations

import pytest

from landloom.annotate.consensus.methods import METHODS
from landloom.products.consensus.judge import JudgedMethod, consensus_figures, consensus_table, evaluate_consensus
from landloom.simulate.judge.composites import JUDGE_SEEDS


def test_figures_are_those_of_the_first_family() -> None:
    def one(family: str, case: str, method: str, accuracy: float, ece: float) -> JudgedMethod:
        return JudgedMethod(
            family=family,  # type: ignore[arg-type]
            case=case,
            seed=1,
            method=method,
            accuracy=accuracy,
            ece=ece,
            brier=0.0,
        )

    rows = [one("clumps", "independent", method, 0.9, 0.0) for method in METHODS[1:]]
    rows += [one("clumps", "independent", METHODS[0], 0.89, 0.0)]
    rows += [one("clumps", "anchored", METHODS[0], 0.88, 0.01), one("clumps", "anchored", "published", 0.8, 0.2)]
    rows += [one("objects", "anchored", METHODS[0], 0.1, 0.9), one("objects", "anchored", "published", 0.8, 0.2)]
    found = consensus_figures(rows)
    assert found == pytest.approx({"independent": -1.0, "gain": 8.0, "ece": 0.01})
    assert len(consensus_table(rows)) == len(rows)


@pytest.mark.slow
def test_the_bars_hold_on_a_seed_of_the_judge() -> None:
    found = consensus_figures(evaluate_consensus(JUDGE_SEEDS[:1]))
    assert found["independent"] >= -0.5
    assert found["gain"] >= 5
    assert found["ece"] <= 0.03
