"""Aligned composites on the judge: displacement is removed, errors fall, and the figures say what was measured."""

from __future__ import annotations

import pytest

from landloom.products.composite.judge import (
    JudgedRegistration,
    evaluate_registration,
    judge_registration,
    registration_figures,
    registration_table,
)


def test_a_development_seed_loses_displacement_and_error() -> None:
    judged = judge_registration(3, (2, 7), ("B04", "B08", "B11"))
    assert len(judged.residual) > 30
    residual, ratio, july = registration_figures([judged])
    assert july == judged.ratio[7]
    assert residual < 0.12
    assert ratio < 0.9
    assert list(judged.ratio) == [2, 7]
    assert judged.document()["july"] == judged.ratio[7]
    assert judged.lost < 0.05
    ((seed, *cells),) = registration_table([judged])
    assert seed == 3
    assert cells == [f"{value:.2f}" for value in judged.ratio.values()]


@pytest.mark.slow
def test_registration_holds_on_the_judge() -> None:
    judged: list[JudgedRegistration] = evaluate_registration()
    residual, ratio, july = registration_figures(judged)
    assert july <= 0.85
    assert residual <= 0.1
    assert ratio <= 0.85
